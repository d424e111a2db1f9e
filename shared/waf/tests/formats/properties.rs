//! What holds for every value in every format.

use std::rc::Rc;

use backstop_waf::Policy;
use proptest::prelude::*;

use crate::attacks::{attacks, exempt};
use crate::carry::{FORMATS, Format, carry};
use crate::honest::benign;
use crate::support::Case;

/// What is found at the default sensitivity: categories and rules.
fn found(policy: &Rc<Policy>, case: &Case) -> Vec<(&'static str, String)> {
    case.run_on(policy)
        .reports
        .iter()
        .flat_map(|report| report.entries())
        .map(|entry| (entry.rule.category_id(), entry.rule.name().to_owned()))
        .collect()
}

fn policy(json: &str) -> Rc<Policy> {
    Rc::new(Policy::from_json(json.as_bytes()).unwrap())
}

#[test]
fn an_attack_is_found_in_every_format() {
    let policy = policy(r#"{"mode":"detect"}"#);
    let mut missed = Vec::new();
    let (mut carried, mut exempted) = (0, 0);
    for attack in attacks() {
        for format in FORMATS {
            let Some(case) = carry(format, &attack.name, &attack.text) else {
                continue;
            };
            carried += 1;
            let found = found(&policy, &case);
            if found
                .iter()
                .any(|(category, _)| *category == attack.rule.category.id())
            {
                continue;
            }
            if exempt(&attack, format) {
                exempted += 1;
            } else {
                missed.push(format!("{format:?}: {}: {found:?}", attack.row));
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} missed\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(
        carried > 5000 && exempted * 20 < carried,
        "{exempted} of {carried}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the detectors pass as a string in JSON passes wherever it stands. Of fields that have names, no honest one is
    /// called by a sentence.
    #[test]
    fn what_is_honest_stays_honest_in_every_format(value in benign()) {
        let policy = policy(r#"{"mode":"detect"}"#);
        let found_in = |format| carry(format, "memo", &value).map(|case| found(&policy, &case)).unwrap_or_default();
        // Some three in ten thousand of these texts are taken for code, by their quotes and brackets.
        prop_assume!(found_in(Format::Json).is_empty());
        for format in FORMATS.into_iter().filter(|format| *format != Format::FormName) {
            let found = found_in(format);
            prop_assert!(found.is_empty(), "{format:?}: {value:?}: {found:?}");
        }
    }

    /// Attacks and honest values, compressed or not, with trailers or without, in both modes.
    #[test]
    fn how_a_body_is_cut_into_pieces_changes_nothing(
        attack in prop::sample::select(attacks().into_iter().map(|attack| attack.text).collect::<Vec<_>>()),
        honest in benign(),
        format in prop::sample::select(&FORMATS[4..]),
        trailers in any::<bool>(),
        chunk in 1_usize..80,
    ) {
        for (value, config) in [
            (&attack, "{}"),
            (&attack, r#"{"mode":"detect"}"#),
            (&attack, r#"{"requestBody":{"limit":60}}"#),
            (&attack, r#"{"mode":"detect","requestBody":{"limit":60,"onLimit":"reject"}}"#),
            (&honest, "{}"),
        ] {
            let Some(case) = carry(format, "memo", value) else { continue };
            let case = if trailers { case.trailers() } else { case };
            let policy = policy(config);
            let whole = case.run_on(&policy);
            let pieces = case.chunks(chunk).run_on(&policy);
            prop_assert_eq!((whole.status, &whole.details, &whole.reports), (pieces.status, &pieces.details, &pieces.reports));
            prop_assert_eq!(whole.limit_hits, pieces.limit_hits);
        }
    }
}

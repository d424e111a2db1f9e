//! Detectors: with their prefilter and without.

use backstop_detect::chain::MAX_STEPS;
use backstop_detect::detectors::{DETECTORS, Detector};
use backstop_detect::finding::{MAX_FINDINGS, MAX_MATCHED, MAX_NAME};
use backstop_detect::prefilter::Features;
use backstop_detect::{
    Category, CategorySet, Findings, Hits, Input, Level, Rule, ScanOptions, Scanner, prefilter,
};
use backstop_http::{Kind, Place};

use crate::{cost, place};

/// Rules about pieces of a statement or of a command line, for which the prefilter asks for more than a piece: `set a.b` is a
/// command line too, but of the names that take a file it knows the frequent ones only.
const OF_PIECES: &[&str] = &["sql-fragment-name", "cmd-common"];

/// The detectors of `categories` over one value: what they find lies in the value, and the prefilter would have let them
/// find it; the scanner finds no less behind one more layer of encoding.
pub fn scan(categories: &[Category], data: &[u8]) {
    let Some((place, level, value)) = place::place(data) else {
        return;
    };
    let features = prefilter::features(value);
    let mut hits = Hits::new(level);
    for detector in DETECTORS
        .iter()
        .filter(|detector| categories.contains(&detector.category))
    {
        let input = Input {
            bytes: value,
            place,
            level,
            features: Input::ALL_FEATURES,
        };
        hits.clear();
        (detector.detect)(&input, &mut hits);
        for hit in hits.as_slice() {
            assert!(
                hit.span.start <= hit.span.end && hit.span.end <= value.len(),
                "{} at {:?} of {}",
                hit.rule.name,
                hit.span,
                value.len()
            );
            assert_eq!(hit.rule.category, detector.category);
            assert!(hit.rule.level <= level);
            // NULs are taken out by a decoding: the form without them is swept, too.
            let promised = hit.rule.level == Level::One
                && !OF_PIECES.contains(&hit.rule.name)
                && !value.contains(&0);
            assert!(
                !promised || wanted(detector, input, features, hit.rule),
                "the prefilter hides {}",
                hit.rule.name
            );
        }
        cost::check(value, |long| {
            hits.clear();
            let bytes = long;
            (detector.detect)(&Input { bytes, ..input }, &mut hits);
        });
    }
    scanner(categories, place, level, value);
}

/// Whether the prefilter's features have the detector look, and find `rule`.
fn wanted(detector: &Detector, input: Input<'_>, features: Features, rule: &'static Rule) -> bool {
    let features = features.of(detector.category);
    let mut hits = Hits::new(input.level);
    (detector.wants)(features) && {
        (detector.detect)(&Input { features, ..input }, &mut hits);
        hits.has(rule)
    }
}

fn scanner(categories: &[Category], place: Place<'_>, level: Level, value: &[u8]) {
    let mut scanner = Scanner::new(ScanOptions {
        level,
        categories: CategorySet::of(categories),
        http_libraries: true,
        ..ScanOptions::default()
    });
    let mut findings = Findings::new();
    scanner.inspect(place, value, &mut findings);
    assert!(findings.len() <= MAX_FINDINGS);
    for finding in findings.as_slice() {
        assert!(finding.matched.len() <= MAX_MATCHED && finding.name.len() <= MAX_NAME);
        assert!(finding.chain.len() <= MAX_STEPS);
        assert!(categories.contains(&finding.rule.category));
        assert!(finding.rule.level <= level);
    }
    // In JSON, whatever the place: who looks at a value there does not depend on the value.
    let place = Place::new(Kind::Json, b"/a");
    findings.clear();
    scanner.inspect(place, value, &mut findings);
    let encoded: Vec<u8> = value
        .iter()
        .flat_map(|byte| format!("%{byte:02x}").into_bytes())
        .collect();
    let mut again = Findings::new();
    scanner.inspect(place, &encoded, &mut again);
    for finding in findings.as_slice() {
        let within = finding.chain.len() < MAX_STEPS;
        let category = finding.rule.category;
        let found = |other: &backstop_detect::Finding| other.rule.category == category;
        assert!(
            !within || again.dropped() > 0 || again.as_slice().iter().any(found),
            "percent-encoding hides {}",
            finding.rule.name
        );
    }
    cost::check(value, |long| {
        findings.clear();
        scanner.inspect(place, long, &mut findings);
    });
}

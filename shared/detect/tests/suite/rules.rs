//! What holds for every rule of every category, and the prefilter against all examples.

use std::collections::HashSet;

use backstop_cases::rows;
use backstop_detect::detectors::DETECTORS;
use backstop_detect::prefilter::features;
use backstop_detect::{
    Category, Findings, Hits, Input, Level, ScanOptions, Scanner, exhibit, rules, rules_of,
};
use backstop_http::host::HostPattern;
use backstop_http::{Kind, Place};

fn found(place: Place<'_>, value: &[u8]) -> Vec<&'static str> {
    let mut scanner = Scanner::new(ScanOptions {
        level: Level::Three,
        http_libraries: true,
        ..ScanOptions::default()
    });
    let mut findings = Findings::new();
    scanner.inspect(place, value, &mut findings);
    findings
        .as_slice()
        .iter()
        .map(|finding| finding.rule.name)
        .collect()
}

#[test]
fn ids_and_names_are_unique_and_numbered_by_category() {
    let mut ids = HashSet::new();
    let mut names = HashSet::new();
    for category in Category::ALL {
        for rule in rules_of(category) {
            assert_eq!(rule.category, category, "{}", rule.name);
            assert_eq!(rule.id / 1000, category as u32 + 1, "{}", rule.name);
            assert!(ids.insert(rule.id), "{} twice", rule.id);
            assert!(names.insert(rule.name), "{} twice", rule.name);
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(rule.name.bytes().all(plain), "{}", rule.name);
            for text in [
                rule.description,
                rule.example,
                rule.lookalike,
                rule.reference,
            ] {
                assert!(!text.is_empty(), "{}", rule.name);
            }
        }
    }
    assert_eq!(rules().count(), ids.len());
}

#[test]
fn every_example_is_found_by_its_rule_and_no_rule_finds_its_lookalike() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let Some((example, lookalike)) = exhibit::of(rule) else {
            wrong.push(format!("{}: it does not find its example", rule.name));
            continue;
        };
        // The one that is not looked for, but given.
        if !example.found(rule).contains(&rule.name) {
            wrong.push(format!("{}: it does not find its example", rule.name));
        }
        let found = lookalike.found(rule);
        if !found.is_empty() {
            let place = lookalike.place;
            wrong.push(format!(
                "{}: look-alike in {place} found by {found:?}",
                rule.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn header_names_of_scanners_are_found() {
    let memo = found(Place::new(Kind::Header, b"x-scan-memo"), b"Category=Audit");
    assert_eq!(memo, ["bot-scanner-header"]);
    assert!(found(Place::new(Kind::Header, b"x-scan-id"), b"7").is_empty());
}

#[test]
fn libraries_are_bots_only_where_that_is_switched_on() {
    let place = Place::new(Kind::Header, b"user-agent");
    assert_eq!(found(place, b"curl/8.5.0"), ["bot-http-library"]);
    let mut findings = Findings::new();
    Scanner::new(ScanOptions::default()).inspect(place, b"curl/8.5.0", &mut findings);
    assert!(findings.is_empty());
}

#[test]
fn an_allowed_host_is_no_finding_and_another_still_is() {
    let options = ScanOptions {
        allowed_hosts: vec![HostPattern::parse("10.1.2.3").unwrap()],
        ..ScanOptions::default()
    };
    let place = Place::new(Kind::Json, b"/callback");
    let found = |value: &[u8]| {
        let mut findings = Findings::new();
        Scanner::new(options.clone()).inspect(place, value, &mut findings);
        findings.len()
    };
    assert_eq!(found(b"http://10.1.2.3:8080/hook"), 0);
    assert_eq!(found(b"http://10.1.2.4:8080/hook"), 1);
    assert_eq!(found(b"http://10.1.2.3@10.1.2.4/hook"), 1);
    assert_eq!(found(b"http://10.1.2.3/ http://10.1.2.4/"), 1);
}

/// What a detector would find on its own, the prefilter has it look at: for every example and every row.
#[test]
fn the_prefilter_passes_whatever_a_detector_finds() {
    let examples = rules()
        .filter_map(exhibit::of)
        .map(|(example, _)| (example.place, example.value.to_vec()));
    let rows = rows();
    let rows = rows.iter().map(|row| (row.place(), row.input.clone()));
    for (place, value) in examples.chain(rows) {
        let seen = features(&value);
        for detector in &DETECTORS {
            let mut hits = Hits::new(Level::Three);
            let input = Input {
                bytes: &value,
                place,
                level: Level::Three,
                features: Input::ALL_FEATURES,
            };
            (detector.detect)(&input, &mut hits);
            let features = seen.of(detector.category);
            let mut told = Hits::new(Level::Three);
            (detector.detect)(&Input { features, ..input }, &mut told);
            let wanted = (detector.wants)(features) && told.as_slice() == hits.as_slice();
            assert!(
                hits.is_empty() || wanted,
                "{}: {:?} in {}",
                detector.category,
                hits.as_slice(),
                value.escape_ascii()
            );
        }
    }
}

#[test]
fn no_detector_wants_a_value_without_features() {
    for detector in &DETECTORS {
        assert!(!(detector.wants)(0), "{}", detector.category);
    }
}

//! What holds for every rule of every category, and the prefilter against all examples.

use std::collections::HashSet;

use backstop_detect::detectors::DETECTORS;
use backstop_detect::prefilter::features;
use backstop_detect::{
    Category, Findings, Hits, Input, Level, Rule, ScanOptions, Scanner, rules, rules_of,
};
use backstop_http::host::HostPattern;
use backstop_http::{Kind, Place};

use crate::rows::rows;

/// The places that examples stand in: the first where a rule's example is found is the rule's.
const PLACES: [Place<'static>; 14] = [
    Place::new(Kind::Json, b"/a"),
    Place::new(Kind::Header, b"user-agent"),
    Place::new(Kind::Header, b"x-any"),
    Place::new(Kind::Cookie, b"a"),
    Place::new(Kind::Path, b""),
    Place::new(Kind::JsonKey, b""),
    Place::new(Kind::FormName, b""),
    Place::new(Kind::Form, b"a"),
    Place::new(Kind::Form, b"cmd"),
    Place::new(Kind::MultipartFilename, b"a"),
    Place::new(Kind::XmlDocument, b""),
    Place::new(Kind::XmlAttribute, b"xsi:schemaLocation"),
    Place::new(Kind::QueryName, b""),
    Place::new(Kind::TextBody, b""),
];

/// A rule whose example is no value but a header's name: `header_names_of_scanners_are_found` looks at it.
const NOT_A_VALUE: [&str; 1] = ["bot-scanner-header"];

/// The place where a rule's example is found: by the rule itself, else by another of its category that says the same first.
fn place(rule: &Rule) -> Option<Place<'static>> {
    let finds = |place: &Place<'_>, by: &dyn Fn(&Rule) -> bool| {
        found(*place, rule.example.as_bytes())
            .iter()
            .filter_map(|name| backstop_detect::rule(name))
            .any(by)
    };
    PLACES
        .into_iter()
        .find(|place| finds(place, &|by| by == rule))
        .or_else(|| {
            PLACES
                .into_iter()
                .find(|place| finds(place, &|by| by.category == rule.category))
        })
}

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
fn every_example_is_found_and_no_lookalike_is() {
    let mut wrong = Vec::new();
    for rule in rules() {
        if NOT_A_VALUE.contains(&rule.name) {
            continue;
        }
        match place(rule) {
            None => wrong.push(format!("{}: example not found", rule.name)),
            Some(place) => {
                if found(place, rule.lookalike.as_bytes()).contains(&rule.name) {
                    wrong.push(format!("{}: look-alike found at {place}", rule.name));
                }
            }
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
    let examples =
        rules().filter_map(|rule| Some((place(rule)?, rule.example.as_bytes().to_vec())));
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
            };
            (detector.detect)(&input, &mut hits);
            assert!(
                hits.is_empty() || (detector.wants)(seen.of(detector.category)),
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

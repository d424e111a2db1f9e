use backstop_http::{Kind, Place};

use super::*;
use crate::prefilter;
use crate::{Category, Input};

fn names(text: &[u8], kind: Kind, name: &str, level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    let input = Input {
        bytes: text,
        place: Place::new(kind, name.as_bytes()),
        level,
        features: Input::ALL_FEATURES,
    };
    detect(&input, &mut hits);
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

/// The parameter that a rule's example needs to be seen in.
fn place_of(rule: &Rule) -> (Kind, &'static str) {
    if rule.id == rules::UPLOAD.id {
        return (Kind::MultipartFilename, "");
    }
    (
        Kind::Query,
        if rule.id == rules::PARAMETER.id {
            "cmd"
        } else {
            "q"
        },
    )
}

#[test]
fn every_rule_finds_its_example_and_passes_its_lookalike() {
    for rule in rules::RULES {
        let found = names(
            rule.example.as_bytes(),
            place_of(rule).0,
            place_of(rule).1,
            Level::Three,
        );
        if rule.id == rules::IN_TEXT.id {
            continue;
        }
        assert!(found.contains(&rule.name), "{}: {found:?}", rule.name);
        let found = names(
            rule.lookalike.as_bytes(),
            place_of(rule).0,
            place_of(rule).1,
            Level::One,
        );
        assert!(found.is_empty(), "{}: {found:?}", rule.name);
        assert_eq!(rule.category, Category::CommandInjection);
    }
}

#[test]
fn the_prefilter_lets_every_example_through() {
    for rule in rules::RULES {
        let features = prefilter::features(rule.example.as_bytes()).of(Category::CommandInjection);
        if [rules::PARAMETER.id, rules::NAMED.id].contains(&rule.id) {
            continue;
        }
        assert!(wants(features), "{}", rule.name);
    }
}

#[test]
fn what_customers_send_passes() {
    for text in [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "sum(rate(http_requests_total{code=~\"5..|429\"}[5m])) by (instance)",
        "{app=\"shop\"} |= \"error\" | json | line_format \"{{.message}}\"",
        "rate(x[$__rate_interval])",
        "Tom & Jerry; the Movie | 2021",
        "O'Brien & Sons",
        "예매 가능한가요? 좌석 | 등급; A & B",
        "function f(a) { return a | 0; }",
        "https://example.com/?a=1&id=2&sort=date&type=top",
        "{{pod}} - {{container}}",
        "${datasource}",
        "time & date; place & host",
        "find me | keep me",
        "(test|find|sort)",
    ] {
        let found = names(text.as_bytes(), Kind::Query, "q", Level::One);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn a_long_value_of_signs_is_linear_and_does_not_panic() {
    for sign in [
        "`", "$(", ";", "|", "(", "{{", "${", "<%", "'", "\\", "/", "O:", "$", "_", "[", "a(",
    ] {
        let text = sign.repeat(20_000 / sign.len());
        names(text.as_bytes(), Kind::Form, "q", Level::Three);
    }
}

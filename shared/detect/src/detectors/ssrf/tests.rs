use backstop_http::Place;

use super::*;
use crate::{Category, prefilter};

fn names(text: &str, kind: Kind, name: &str, level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    detect(
        &Input {
            bytes: text.as_bytes(),
            place: Place::new(kind, name.as_bytes()),
            level,
            features: Input::ALL_FEATURES,
        },
        &mut hits,
    );
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

#[test]
fn every_rule_finds_its_example_and_passes_its_lookalike() {
    for rule in rules::RULES {
        let found = names(rule.example, Kind::Query, "q", Level::Three);
        assert!(found.contains(&rule.name), "{}: {found:?}", rule.name);
        let found = names(rule.lookalike, Kind::Query, "q", Level::One);
        assert!(found.is_empty(), "{}: {found:?}", rule.name);
    }
}

#[test]
fn the_prefilter_lets_every_example_through() {
    for rule in rules::RULES {
        let features = prefilter::features(rule.example.as_bytes()).of(Category::Ssrf);
        assert!(wants(features), "{}", rule.name);
    }
}

/// In documents, data sources are called so.
#[test]
fn what_somebody_types_into_a_field_may_be_short() {
    for (text, rule) in [
        ("169.254.169.254", "ssrf-aws-metadata"),
        ("http://seat-cache:6379/", "ssrf-internal-name"),
        ("http://intranet:8080/photo.png", "ssrf-internal-name"),
    ] {
        for kind in [Kind::Query, Kind::Form] {
            assert_eq!(names(text, kind, "url", Level::One), [rule], "{text}");
        }
        assert!(names(text, Kind::Json, "/a/source", Level::One).is_empty());
    }
    // No machine's document calls it so.
    for kind in [Kind::Json, Kind::Multipart] {
        let found = names("169.254.169.254", kind, "/hook/url", Level::One);
        assert_eq!(found, ["ssrf-aws-metadata"]);
    }
}

#[test]
fn a_cookie_remembers_no_address_in_disguise() {
    for text in ["http://0x08080808/", "http://hall.127.0.0.1.nip.io/x"] {
        let found = names(text, Kind::Cookie, "back", Level::One);
        assert_eq!(found.len(), 1, "{text}");
    }
    for text in [
        "http://localhost:3000/hall",
        "http://10.0.0.7/",
        "https://tickets.example/",
    ] {
        assert!(
            names(text, Kind::Cookie, "back", Level::One).is_empty(),
            "{text}"
        );
    }
}

/// The host that an allow list would be asked about is the span.
#[test]
fn the_span_is_the_host() {
    let text = "https://user@10.1.2.3:8443/x";
    let mut hits = Hits::new(Level::One);
    detect(
        &Input {
            bytes: text.as_bytes(),
            place: Place::new(Kind::Query, b"url"),
            level: Level::One,
            features: Input::ALL_FEATURES,
        },
        &mut hits,
    );
    let host = &text.as_bytes()[hits.as_slice()[0].span.clone()];
    assert_eq!(host, b"10.1.2.3");
}

/// Flaw L10 of the legacy layer: spellings that passed.
#[test]
fn l10_every_spelling_of_an_inside_host_is_found() {
    for text in [
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://127.0.0.1.nip.io/",
        "http://good.example@127.0.0.1/",
        "http://127.0.0.1\\@good.example/",
        "http:127.0.0.1",
        "//169.254.169.254/latest/",
        "169.254.169.254/latest/meta-data/",
        "http://①②⑦.0.0.1/",
        "gopher://127.0.0.1:6379/_x y",
        "http://0/",
    ] {
        assert!(
            !names(text, Kind::Query, "url", Level::One).is_empty(),
            "{text}"
        );
    }
}

/// Flaw L10 of the legacy layer: honest values that were blocked.
#[test]
fn l10_what_only_mentions_an_address_passes() {
    for (text, name) in [
        ("http://172.15.0.9/", "url"),
        ("http://172.200.1.1/x.png", "url"),
        ("instance=\"10.0.0.5:9100\"", "expr"),
        ("10.0.0.5:9100", "var-instance"),
        ("see http://10.0.0.5/ for more", "q"),
        ("https://shop.example/login?next=http://127.0.0.1/", "url"),
        ("https://shop.example/callback", "redirect_uri"),
        ("http://localhost:3000/callback", "redirect_uri"),
        ("127.0.0.1", "ip"),
        ("//cdn.example/x.js", "src"),
        ("/a//b", "path"),
        ("mailto:a@b.example", "to"),
        ("https://예매.example/", "url"),
    ] {
        let found = names(text, Kind::Query, name, Level::One);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn long_values_do_not_panic() {
    for part in ["http://", "@", "//", "[", "1.", "%31", "①", "\\"] {
        let text = format!("http://{}", part.repeat(20_000));
        names(&text, Kind::Query, "url", Level::Three);
    }
}

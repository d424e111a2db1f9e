use backstop_http::Place;

use super::*;
use crate::{Category, prefilter};

fn names(text: &[u8], kind: Kind, level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    detect(
        &Input {
            bytes: text,
            place: Place::new(kind, b"q"),
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
        let found = names(rule.example.as_bytes(), Kind::Query, Level::Three);
        assert!(found.contains(&rule.name), "{}: {found:?}", rule.name);
        let found = names(rule.lookalike.as_bytes(), Kind::Query, Level::One);
        assert!(found.is_empty(), "{}: {found:?}", rule.name);
    }
}

#[test]
fn the_prefilter_lets_every_example_through() {
    for rule in rules::RULES {
        let features = prefilter::features(rule.example.as_bytes()).of(Category::PathTraversal);
        assert!(wants(features), "{}", rule.name);
    }
}

#[test]
fn the_prefilter_lets_every_proof_through() {
    for (name, _) in files::PROOF {
        let features = prefilter::features(name).of(Category::PathTraversal);
        assert!(wants(features), "{}", name.escape_ascii());
    }
    for name in files::ROOTS {
        let features =
            prefilter::features(&[name, &b"/x"[..]].concat()).of(Category::PathTraversal);
        assert!(wants(features), "{}", name.escape_ascii());
    }
}

#[test]
fn attacks_in_paths_and_values() {
    for (text, kind) in [
        (&b"/static/../../app/x"[..], Kind::Path),
        (b"/files../secret/x", Kind::Path),
        (b"/a/..;/manager/html", Kind::Path),
        (b"/.git/config", Kind::Path),
        (b"/a/etc/passwd", Kind::Path),
        (b"/WEB-INF/web.xml", Kind::Path),
        (b"/..................etc/passwd", Kind::Query),
        (b"views..\\..\\..\\x", Kind::Query),
        (b"/%5c../%5c../x", Kind::Query),
        (b"cat /etc/passwd", Kind::Query),
        (b"file:///etc/hostname", Kind::Json),
        (b"../includes", Kind::Query),
        (b"/etc/hostname.eth0", Kind::Query),
        (b"lib/page.inc\0", Kind::Query),
        (b"..%c0%af..%c0%afx", Kind::Query),
    ] {
        assert!(
            !names(text, kind, Level::One).is_empty(),
            "{}",
            text.escape_ascii()
        );
    }
}

#[test]
fn what_customers_send_passes() {
    for (text, kind) in [
        ("wait.. what", Kind::Query),
        ("1..5", Kind::Query),
        ("main..feature/login", Kind::Query),
        ("/compare/main...feature", Kind::Path),
        ("edit /etc/hosts first", Kind::Query),
        ("import x from '../lib/x'", Kind::Json),
        ("/assets/index-BF..x3.js", Kind::Path),
        ("/.well-known/openid-configuration", Kind::Path),
        ("C:\\fakepath\\photo.jpg", Kind::Form),
        ("https://example.com/a/b.html", Kind::Query),
        ("영화가.../그냥 그래요..", Kind::Query),
        ("...", Kind::Query),
        (".. / ..", Kind::Query),
        ("/home/events", Kind::Query),
        ("v1.2...v1.3", Kind::Query),
        ("/var", Kind::Query),
        (".gitignore", Kind::Json),
        ("user.profile", Kind::Query),
    ] {
        let found = names(text.as_bytes(), kind, Level::One);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn long_values_do_not_panic_and_stay_linear() {
    for part in [
        "../", "..", "%2e", "\\", "/", "\0", ".;", "etc/", "./", "a:/", "file:",
    ] {
        names(
            part.repeat(20_000 / part.len()).as_bytes(),
            Kind::Query,
            Level::Three,
        );
    }
}

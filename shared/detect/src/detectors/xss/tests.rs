//! Techniques and look-alikes, in our own wording.

use super::detect;
use super::rules::RULES;
use crate::{Hits, Input, Level};
use backstop_http::{Kind, Place};

fn found(value: &[u8], level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    let input = Input {
        bytes: value,
        place: Place::new(Kind::Query, b"q"),
        level,
    };
    detect(&input, &mut hits);
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

#[test]
fn every_rule_finds_its_example_and_passes_its_lookalike() {
    for rule in RULES {
        assert!(
            found(rule.example.as_bytes(), rule.level).contains(&rule.name),
            "{}: {} gives {:?}",
            rule.name,
            rule.example,
            found(rule.example.as_bytes(), rule.level)
        );
        assert!(
            !found(rule.lookalike.as_bytes(), rule.level).contains(&rule.name),
            "{}: {}",
            rule.name,
            rule.lookalike
        );
    }
}

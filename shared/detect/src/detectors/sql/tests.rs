//! Tables: attacks by technique, look-alikes by kind, and what holds for every rule. All wording is our own.

use backstop_http::{Kind, Place};

use super::{detect, rules, wants};
use crate::{Category, Hits, Input, Level, prefilter};

fn found_at(kind: Kind, value: &[u8], level: Level) -> Vec<&'static str> {
    let mut hits = Hits::new(level);
    detect(
        &Input {
            bytes: value,
            place: Place::new(kind, b"q"),
            level,
            features: Input::ALL_FEATURES,
        },
        &mut hits,
    );
    hits.as_slice().iter().map(|hit| hit.rule.name).collect()
}

fn wanted(value: &[u8]) -> bool {
    wants(prefilter::features(value).of(Category::SqlInjection))
}

fn kind_of(rule: &crate::Rule) -> Kind {
    match rule.name {
        "nosql-operator-key" => Kind::JsonKey,
        "nosql-operator-parameter"
        | "nosql-operator-filter"
        | "orm-secret-lookup"
        | "sql-fragment-name" => Kind::QueryName,
        _ => Kind::Query,
    }
}

#[test]
fn every_rule_finds_its_example_and_not_its_look_alike() {
    let mut wrong = Vec::new();
    for rule in rules::RULES {
        let kind = kind_of(rule);
        let hits = found_at(kind, rule.example.as_bytes(), rule.level);
        if !hits.contains(&rule.name) || !wanted(rule.example.as_bytes()) {
            wrong.push(format!("{}: {} finds {hits:?}", rule.name, rule.example));
        }
        let hits = found_at(kind, rule.lookalike.as_bytes(), rule.level);
        if hits.contains(&rule.name) {
            wrong.push(format!("{}: {} is found", rule.name, rule.lookalike));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_whole_statement_is_nothing_that_a_parameter_carries() {
    for statement in [
        "copy halls to program 'ls'",
        "vacuum into '/srv/copy'",
        "attach database '/srv/b' as b",
    ] {
        let found = |kind| found_at(kind, statement.as_bytes(), Level::One);
        assert_eq!(found(Kind::Query), ["sql-system-function"], "{statement}");
        assert!(found(Kind::Json).is_empty(), "{statement}");
    }
}

#[test]
fn rules_have_their_own_numbers_and_names() {
    for (index, rule) in rules::RULES.iter().enumerate() {
        assert!((1000..2000).contains(&rule.id), "{}", rule.name);
        for other in rules::RULES.iter().skip(index + 1) {
            assert!(
                rule.id != other.id && rule.name != other.name,
                "{}",
                rule.name
            );
        }
    }
}

/// The inputs of `cases/sql.tsv` that stand at `place`, honest or not, escapes of white space and backslashes undone.
fn rows(place: &'static str, honest: bool) -> impl Iterator<Item = String> {
    include_str!("../../../cases/sql.tsv")
        .lines()
        .filter_map(move |line| match line.split('\t').collect::<Vec<_>>()[..] {
            [at, expect, input, ..] if at == place && (expect == "benign") == honest => Some(input),
            _ => None,
        })
        .filter(|input| !input.contains("\\x"))
        .map(|input| {
            input
                .replace("\\\\", "\u{1}")
                .replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace('\u{1}', "\\")
        })
}

/// The suite runs every row; here: no attack needs the scanner's decodings, and the prefilter wants each.
#[test]
fn attacks_are_wanted() {
    let missed: Vec<_> = rows("query:q", false)
        .filter(|value| !wanted(value.as_bytes()))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn look_alikes_pass_wherever_they_stand() {
    let mut wrong = Vec::new();
    for value in rows("json:/text", true) {
        for kind in [
            Kind::Query,
            Kind::Header,
            Kind::Form,
            Kind::Cookie,
            Kind::TextBody,
        ] {
            let hits = found_at(kind, value.as_bytes(), Level::One);
            if !hits.is_empty() {
                wrong.push(format!("{value}: {hits:?}"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn whole_statements_are_evidence_of_the_second_level_where_an_api_takes_them() {
    let statement = b"select host, count(*) from logins where region = 'kr' group by host";
    assert_eq!(
        found_at(Kind::Json, statement, Level::One),
        Vec::<&str>::new()
    );
    assert_eq!(
        found_at(Kind::Json, statement, Level::Two),
        ["sql-statement", "sql-condition"]
    );
    assert_eq!(
        found_at(Kind::Query, statement, Level::One),
        ["sql-select-from"]
    );
    // What reaches beyond the application's own tables is not.
    let reaches = b"select load_file('/etc/passwd')";
    assert_eq!(
        found_at(Kind::Json, reaches, Level::One),
        ["sql-system-function"]
    );
}

#[test]
fn padding_hides_nothing() {
    for padding in [
        vec![b'a'; 20_000],
        b"a, ".repeat(6_000),
        b"((".repeat(9_000),
        b"x = 1 ".repeat(3_000),
    ] {
        for attack in [
            &b" 1' union all select 1,2,3-- "[..],
            b" 1 or 1=1 ",
            b" 1; waitfor delay '0:0:5'",
        ] {
            let value = [&padding[..], attack].concat();
            assert!(
                !found_at(Kind::Query, &value, Level::One).is_empty(),
                "{}",
                attack.escape_ascii()
            );
        }
    }
}

#[test]
fn any_bytes_are_judged_without_panic() {
    let pieces: [&[u8]; 24] = [
        b"'",
        b"\"",
        b"`",
        b"\\",
        b"/*",
        b"/*!",
        b"*/",
        b"--",
        b"#",
        b"\n",
        b"(",
        b")",
        b"select",
        b" from ",
        b" or ",
        b"case when ",
        b"\xff\xa0",
        b"@@",
        b"$$",
        b"[",
        b"{x",
        b"0x",
        b"1e",
        b"UN/**/ION",
    ];
    // A fixed walk over the combinations: three pieces at a time, doubled.
    for (i, a) in pieces.iter().enumerate() {
        for (j, b) in pieces.iter().enumerate() {
            let c = pieces[(i * 7 + j * 3) % pieces.len()];
            let value = [a, b, c, a, b].concat();
            found_at(Kind::Query, &value, Level::Three);
        }
    }
}

proptest::proptest! {
    #[test]
    fn random_bytes_are_judged_without_panic(value in proptest::collection::vec(0u8.., 0..400)) {
        found_at(Kind::Query, &value, Level::Three);
    }
}

//! Every row of `cases/*.tsv` through the scanner.

use backstop_cases::{Row, rows};
use backstop_detect::{Findings, Level, ScanOptions, Scanner};

fn found(row: &Row) -> Vec<&'static str> {
    let level = match row.level {
        1 => Level::One,
        2 => Level::Two,
        _ => Level::Three,
    };
    let mut findings = Findings::new();
    Scanner::new(ScanOptions {
        level,
        ..ScanOptions::default()
    })
    .inspect(row.place(), &row.on_the_wire(), &mut findings);
    findings
        .as_slice()
        .iter()
        .map(|finding| finding.rule.name)
        .collect()
}

#[test]
fn every_row_is_found_or_passes_as_it_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let found = found(&row);
        let right = match row.expect.as_deref() {
            Some(rule) => found.contains(&rule),
            None => found.is_empty(),
        };
        if !right {
            wrong.push(format!("{row}: found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_name_rules_that_exist_and_no_row_stands_twice() {
    let mut seen = std::collections::HashSet::new();
    for row in rows() {
        if let Some(rule) = &row.expect {
            assert!(backstop_detect::rule(rule).is_some(), "{row}: no such rule");
        }
        assert!(
            seen.insert((row.kind, row.name.clone(), row.input.clone())),
            "{row} stands twice"
        );
    }
}

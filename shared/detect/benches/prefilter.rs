//! `cargo bench -p backstop-detect`: bytes per second of the prefilter beside a plain `regex-automata` dense DFA that reports
//! the same literals, and of the whole scanner, over texts of our own. Best of several rounds each, in one run.
// Printing is what a bench is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;
use std::time::Instant;

use backstop_detect::{Findings, ScanOptions, Scanner, prefilter};
use backstop_http::{Kind, Place};
use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense;
use regex_automata::{Input, MatchKind, PatternSet};

const ROUNDS: usize = 15;

fn main() {
    // `cargo test` builds and starts benches too; there it is enough that this one starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let dfa = regex_automata_dfa();
    println!(
        "{} literals; our tables {} KiB, regex-automata's {} KiB",
        prefilter::literals().len(),
        prefilter::TABLE_BYTES / 1024,
        dfa.memory_usage() / 1024,
    );
    println!(
        "{:<28} {:>10} {:>14} {:>16} {:>14}",
        "text", "bytes", "prefilter", "regex-automata", "scanner"
    );
    for (name, text) in texts() {
        let ours = best(&text, |bytes| {
            black_box(prefilter::features(bytes));
        });
        let mut seen = PatternSet::new(dfa.pattern_len());
        let theirs = best(&text, |bytes| {
            seen.clear();
            let outcome = dfa.try_which_overlapping_matches(&Input::new(bytes), &mut seen);
            assert!(outcome.is_ok(), "no look-around, no quitting");
            black_box(&seen);
        });
        let mut scanner = Scanner::new(ScanOptions::default());
        let mut findings = Findings::new();
        let whole = best(&text, |bytes| {
            findings.clear();
            scanner.inspect(Place::new(Kind::Json, b"/text"), bytes, &mut findings);
            black_box(&findings);
        });
        println!(
            "{name:<28} {:>10} {:>9.0} MB/s {:>11.0} MB/s {:>9.0} MB/s",
            text.len(),
            ours,
            theirs,
            whole
        );
    }
}

/// Megabytes per second of the fastest round.
fn best(text: &[u8], mut scan: impl FnMut(&[u8])) -> f64 {
    let repeat = 2_000_000 / text.len() + 1;
    let fastest = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..repeat {
                scan(black_box(text));
            }
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    (text.len() * repeat) as f64 / fastest.as_secs_f64() / 1e6
}

/// The same literals, without regard to ASCII case, as one multi-pattern DFA that reports all that match.
fn regex_automata_dfa() -> dense::DFA<Vec<u32>> {
    let patterns: Vec<String> = prefilter::literals()
        .iter()
        .map(|literal| {
            let bytes: String = literal
                .iter()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect();
            format!("(?i-u:{bytes})")
        })
        .collect();
    let dfa = dense::Builder::new()
        .configure(dense::Config::new().match_kind(MatchKind::All))
        .syntax(
            regex_automata::util::syntax::Config::new()
                .utf8(false)
                .unicode(false),
        )
        .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
        .build_many(&patterns);
    match dfa {
        Ok(dfa) => dfa,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |text: &str, times: usize| text.repeat(times).into_bytes();
    vec![
        ("token", repeat("7f3kQ9zXw2LmNb8vRt5yHc1d", 4)),
        (
            "path and query",
            b"/api/v1/matches/20811/seat-groups/grade-r/blocks/114".to_vec(),
        ),
        (
            "user agent",
            b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
                .to_vec(),
        ),
        (
            "English, 4 KiB",
            repeat(
                "We booked two seats near the aisle and selected the evening show; the ushers updated the list from the door. ",
                38,
            ),
        ),
        (
            "Hangul, 4 KiB",
            repeat("잠실 실내체육관에서 열리는 공연의 좌석을 두 장 예매했습니다. ", 45),
        ),
        (
            "JSON as text, 4 KiB",
            repeat(
                r#"{"matchId":20811,"seats":[{"block":"114","row":"C","number":12}],"price":132000,"currency":"KRW"},"#,
                41,
            ),
        ),
    ]
}

//! `cargo bench -p backstop-detect`: bytes per second of the prefilter, in one run with what others would take for the same
//! literals: a dense DFA of `regex-automata`, walked byte by byte, and the DFA of `aho-corasick`; and of the whole scanner.
//!
//! The prefilter says which categories are meant. The dense DFA, one pattern of all literals, only says that one ended (a
//! pattern for each literal takes minutes to build); that of `aho-corasick` says which.
// Printing is what a bench is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind, StartKind};
use backstop_detect::{Findings, ScanOptions, Scanner, prefilter};
use backstop_http::{Kind, Place};
use regex_automata::dfa::{Automaton, StartKind as DenseStart, dense};
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

const ROUNDS: usize = 201;
/// Bytes that a round sweeps, at least: so few that most rounds of a busy machine are not interrupted.
const ROUND: usize = 50_000;

fn main() {
    // `cargo test` builds and starts benches too; there it is enough that this one starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let literals = prefilter::literals();
    let started = Instant::now();
    let dense = dense_dfa(literals);
    let dense_time = started.elapsed();
    let started = Instant::now();
    let corasick = corasick_dfa(literals);
    println!(
        "{}; {} literals\nprefilter: {} KiB, built when compiled; regex-automata: {} KiB, built in {:.1} s; aho-corasick: {} KiB, built in {:.1} s\n\
         MB/s: median of {ROUNDS} rounds of {} kB (a tenth were slower, a tenth faster)\n",
        machine(),
        literals.len(),
        prefilter::TABLE_BYTES / 1024,
        dense.memory_usage() / 1024,
        dense_time.as_secs_f64(),
        corasick.memory_usage() / 1024,
        started.elapsed().as_secs_f64(),
        ROUND / 1_000,
    );
    println!(
        "| {:<24} | {:>6} | {:>17} | {:>17} | {:>17} | {:>17} |\n|---|--:|--:|--:|--:|--:|",
        "text", "bytes", "prefilter", "regex-automata", "aho-corasick", "scanner"
    );
    for (name, text) in texts() {
        let ours = speed(&text, |bytes| {
            black_box(prefilter::features(bytes));
        });
        let walked = speed(&text, |bytes| {
            black_box(ends(&dense, bytes));
        });
        let listed = speed(&text, |bytes| {
            black_box(corasick.find_overlapping_iter(bytes).count());
        });
        let mut scanner = Scanner::new(ScanOptions::default());
        let mut findings = Findings::new();
        let whole = speed(&text, |bytes| {
            findings.clear();
            scanner.inspect(Place::new(Kind::Json, b"/text"), bytes, &mut findings);
            black_box(&findings);
        });
        assert!(ends(&dense, &text) == 0 || !prefilter::features(&text).is_empty());
        println!(
            "| {name:<24} | {:>6} | {ours:>17} | {walked:>17} | {listed:>17} | {whole:>17} |",
            text.len()
        );
    }
}

/// Megabytes per second: the median round, and what a tenth of the rounds were under and over.
fn speed(text: &[u8], mut scan: impl FnMut(&[u8])) -> String {
    let repeat = ROUND / text.len() + 1;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..repeat {
                scan(black_box(text));
            }
            (text.len() * repeat) as f64 / start.elapsed().as_secs_f64() / 1e6
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let [low, median, high] = [ROUNDS / 10, ROUNDS / 2, ROUNDS - 1 - ROUNDS / 10]
        .map(|at| rounds.get(at).copied().unwrap_or_default());
    format!("{median:.0} ({low:.0}-{high:.0})")
}

/// How many bytes of `bytes` are the end of a literal.
fn ends(dfa: &dense::DFA<Vec<u32>>, bytes: &[u8]) -> usize {
    let start = start::Config::new().anchored(Anchored::No);
    let Ok(mut state) = dfa.start_state(&start) else {
        return 0;
    };
    let mut count = 0;
    for byte in bytes {
        state = dfa.next_state(state, *byte);
        count += usize::from(dfa.is_special_state(state) && dfa.is_match_state(state));
    }
    count
}

/// One pattern of all literals, without regard to ASCII case. Common beginnings are written once, or building it would look
/// at every literal for every state.
fn dense_dfa(literals: &[&[u8]]) -> dense::DFA<Vec<u32>> {
    let mut trie = Trie::default();
    for literal in literals {
        trie.insert(literal);
    }
    let mut pattern = String::from("(?i-u:");
    trie.write(&mut pattern);
    pattern.push(')');
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(DenseStart::Unanchored)
        .minimize(false)
        .byte_classes(true);
    let syntax = regex_automata::util::syntax::Config::new()
        .utf8(false)
        .unicode(false);
    dense::Builder::new()
        .configure(config)
        .syntax(syntax)
        .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
        .build(&pattern)
        .unwrap_or_else(|error| stop(&error))
}

fn corasick_dfa(literals: &[&[u8]]) -> AhoCorasick {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .start_kind(StartKind::Unanchored)
        .ascii_case_insensitive(true)
        .build(literals)
        .unwrap_or_else(|error| stop(&error))
}

fn stop(error: &dyn std::error::Error) -> ! {
    eprintln!("{error}");
    std::process::exit(1)
}

/// Literals by their first byte.
#[derive(Default)]
struct Trie {
    ends: bool,
    next: BTreeMap<u8, Trie>,
}

impl Trie {
    fn insert(&mut self, literal: &[u8]) {
        match literal.split_first() {
            Some((first, rest)) => self.next.entry(*first).or_default().insert(rest),
            None => self.ends = true,
        }
    }

    /// What may stand behind the literals that end here.
    fn write(&self, out: &mut String) {
        out.push_str("(?:");
        for (index, (byte, rest)) in self.next.iter().enumerate() {
            let bar = if index > 0 { "|" } else { "" };
            let _ = write!(out, "{bar}\\x{byte:02x}");
            if !rest.next.is_empty() {
                rest.write(out);
            }
        }
        out.push(')');
        if self.ends {
            out.push('?');
        }
    }
}

/// The processor and how many of it.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("a processor without a name", |(_, model)| model);
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {count} of it")
}

fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let repeat = |text: &str, times: usize| text.repeat(times).into_bytes();
    vec![
        (
            "honest: session cookie",
            b"7f3kQ9zXw2LmNb8vRt5yHc1d7f3kQ9zX".to_vec(),
        ),
        (
            "honest: path",
            b"/api/v1/matches/20811/seat-groups/grade-r/blocks/114".to_vec(),
        ),
        (
            "honest: user agent",
            b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
                .to_vec(),
        ),
        (
            "honest: English",
            repeat(
                "We booked two seats near the aisle and selected the evening show; the ushers updated the list from the door. ",
                38,
            ),
        ),
        (
            "honest: Hangul",
            repeat("잠실 실내체육관에서 열리는 공연의 좌석을 두 장 예매했습니다. ", 45),
        ),
        (
            "honest: JSON as text",
            repeat(
                r#"{"matchId":20811,"seats":[{"block":"114","row":"C","number":12}],"price":132000,"currency":"KRW"},"#,
                41,
            ),
        ),
        (
            "hostile: SQL",
            repeat("1' or 1=1 union select a,b from c where d=(select 1)-- ", 75),
        ),
        (
            "hostile: markup",
            repeat("<img src=x onerror=alert(1)><svg/onload=eval(a)>", 85),
        ),
        (
            "hostile: paths, commands",
            repeat("../../etc/passwd;cat /etc/shadow|nc -e /bin/sh $(id) ", 77),
        ),
        ("hostile: beginnings only", repeat("unio selec inser wher orde ", 150)),
    ]
}

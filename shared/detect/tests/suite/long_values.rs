//! A long text is read as it came and when it is decoded to the end; between the two, where a decoding changed it.

use backstop_detect::{Findings, ScanOptions, Scanner};
use backstop_http::{Kind, Place};

/// What is found in `text`, with the decodings before it.
fn found(text: &str) -> Vec<(String, String)> {
    let mut findings = Findings::default();
    let place = Place {
        kind: Kind::Json,
        name: b"/note",
    };
    Scanner::new(ScanOptions::default()).inspect(place, text.as_bytes(), &mut findings);
    let rule = |finding: &backstop_detect::Finding| {
        (finding.rule.name.to_owned(), finding.chain.to_string())
    };
    findings.as_slice().iter().map(rule).collect()
}

/// Plain words, about `length` bytes of them.
fn words(length: usize) -> String {
    "the hall opens at seven and the bar at six, ".repeat(length / 44)
}

#[test]
fn an_attack_that_a_later_decoding_hides_is_found_in_a_long_text() {
    // Once references are resolved, what is escaped in markup is shown, not run: no scripts are looked for.
    let attack = "%253Cscript%253Eopen(1)%253C/script%253E";
    for (before, behind) in [(0, 0), (0, 9000), (9000, 0), (30_000, 30_000)] {
        let text = format!("{}{attack}{} Q&amp;A", words(before), words(behind));
        let expected = ("xss-script-tag".to_owned(), "percent>percent".to_owned());
        let found = found(&text);
        assert!(found.contains(&expected), "{before} {behind} {found:?}");
    }
}

#[test]
fn an_attack_that_shows_at_the_end_may_be_far_from_what_was_decoded() {
    for padding in [0, 900, 5000, 40_000] {
        let text = |sign: &str| {
            let blanks = " ".repeat(padding);
            format!("{}seat{sign}{blanks} or row>3 -- ", words(8000))
        };
        let found = found(&text("%2527"));
        let expected = ("sql-or-bypass".to_owned(), "percent>percent".to_owned());
        assert!(found.contains(&expected), "{padding} {found:?}");
        assert_eq!(self::found(&text("%2561")), []);
    }
}

#[test]
fn an_honest_text_stays_one_when_it_is_long() {
    let page = format!(
        "{}\ncat the programme\nls is a folder's content\n{} 100%25 and a\\\\n b &amp;amp; c\n{}",
        words(6000),
        words(500),
        words(6000)
    );
    assert_eq!(found(&page), []);
}

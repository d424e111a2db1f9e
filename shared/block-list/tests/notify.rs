//! What the endpoint is told, and how patiently.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_block_list::notify::{Entry, Fate, Patience, Queue, Source};
use proptest::prelude::*;

const PATIENCE: Patience = Patience {
    queue: 3,
    in_flight: 2,
    attempts: 4,
    backoff: 100,
    max_backoff: 250,
};

#[test]
fn the_legacy_json() {
    let entry = Entry {
        ip: "203.0.113.9",
        source: Source::Waf {
            category: "SQL_INJECTION",
            rule: "sql-union",
            matched: "\" UNION\u{202e} SELECT".as_bytes(),
        },
        path: b"/a?q=1&password=hunter2",
    };
    assert_eq!(
        entry.to_json(),
        r#"{"ip":"203.0.113.9","reason":"waf:SQL_INJECTION:sql-union","source":"waf","category":"SQL_INJECTION","rule":"sql-union","path":"/a?q=1&password=***","matched":"\" UNION\u202e SELECT"}"#
    );
    let long = Entry {
        source: Source::Waf {
            category: "XSS",
            rule: "x",
            matched: &[b'a'; 1000],
        },
        ..entry
    };
    let json: serde_json::Value = serde_json::from_str(&long.to_json()).unwrap();
    assert_eq!(json["matched"].as_str().unwrap().len(), 100);
    let verdict = Entry {
        source: Source::Verdict {
            event_type: "QUEUE_ENTER",
        },
        ..entry
    };
    let json: serde_json::Value = serde_json::from_str(&verdict.to_json()).unwrap();
    assert_eq!(json["reason"], "verdict:BLOCK:QUEUE_ENTER");
    assert_eq!(json["source"], "ext_authz");
    assert_eq!(json["category"], "");
}

#[test]
fn waits_double_up_to_the_longest_and_end() {
    let mut queue = Queue::new(PATIENCE);
    assert!(queue.push(b"a".to_vec(), 0));
    let mut now = 0;
    for wait in [100, 200, 250] {
        let sending = queue.send(now).unwrap();
        assert_eq!(sending.body, b"a");
        let at = now + wait;
        assert_eq!(
            queue.outcome(sending.number, false, now),
            Fate::Again { at }
        );
        assert_eq!(queue.send(at - 1), None);
        now = at;
    }
    let last = queue.send(now).unwrap();
    assert_eq!(queue.outcome(last.number, false, now), Fate::Dropped);
    assert_eq!(queue.outcome(last.number, true, now), Fate::Unknown);
    assert!(queue.is_empty());
}

#[test]
fn there_is_room_for_so_many_and_so_many_go_at_once() {
    let mut queue = Queue::new(PATIENCE);
    for body in [b"a", b"b", b"c"] {
        assert!(queue.push(body.to_vec(), 0));
    }
    assert!(!queue.push(b"d".to_vec(), 0));
    let (first, second) = (queue.send(0).unwrap(), queue.send(0).unwrap());
    assert_eq!(
        (first.body.as_slice(), second.body.as_slice()),
        (&b"a"[..], &b"b"[..])
    );
    assert_eq!(queue.send(0), None);
    assert!(
        !queue.push(b"d".to_vec(), 0),
        "what is on its way takes room"
    );
    assert_eq!(queue.outcome(second.number, true, 0), Fate::Delivered);
    assert!(queue.push(b"d".to_vec(), 0));
    assert_eq!(queue.send(0).unwrap().body, b"c");
}

proptest! {
    /// Whatever happens, each message is delivered or dropped once, or still there; and never more than there is room for.
    #[test]
    fn no_message_is_lost_untold(steps in prop::collection::vec((0_u8..4, 0_u64..120), 0..300)) {
        let mut queue = Queue::new(PATIENCE);
        let (mut now, mut pushed, mut ended) = (0, 0, 0);
        let mut sending = Vec::new();
        for (step, time) in steps {
            now += time;
            match step {
                0 => pushed += usize::from(queue.push(vec![0], now)),
                1 => sending.extend(queue.send(now)),
                _ => {
                    if let Some(message) = sending.pop() {
                        match queue.outcome(message.number, step == 2, now) {
                            Fate::Delivered | Fate::Dropped => ended += 1,
                            Fate::Again { at } => prop_assert!(at > now && at <= now + 250),
                            Fate::Unknown => prop_assert!(false),
                        }
                    }
                }
            }
            prop_assert!(sending.len() <= 2);
            prop_assert!(queue.len() <= 3);
            prop_assert_eq!(queue.len(), pushed - ended);
        }
    }
}

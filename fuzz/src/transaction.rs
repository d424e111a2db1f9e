//! Whole requests through the WAF, in one piece and in many.

use std::cell::Cell;
use std::rc::Rc;

use backstop_http::Headers;
use backstop_waf::report::{Action, Cause};
use backstop_waf::{Answer, Host, Next, Outcome, Policy, Scanner, Transaction, Unreadable};

use crate::cost;

/// Two configurations that differ in nothing but the mode: the rest stands for `%`.
const CONFIGS: [&str; 4] = [
    r#"{"mode":"%"}"#,
    r#"{"mode":"%","sensitivity":3,"requestBody":{"limit":64}}"#,
    r#"{"mode":"%","requestBody":{"limit":200,"onLimit":"reject"},"scoreThreshold":7}"#,
    r#"{"mode":"%","exclusions":[{"path":{"prefix":"/a"},"targets":["json:/a/*","query:q"]},
        {"path":{"template":"/{id:int}/{rest...}"},"categories":["xss"]}],"trustedClients":["10.0.0.0/8"]}"#,
];

thread_local! {
    static POLICIES: Vec<[Rc<Policy>; 2]> = CONFIGS.iter().map(|config| ["block", "detect"].map(|mode| {
        let policy = Policy::from_json(config.replace('%', mode).as_bytes());
        Rc::new(policy.unwrap_or_else(|error| panic!("{error}")))
    })).collect();
}

/// A request: two bytes, the head's lines (`POST /path`, `name: value`), an empty line, the body.
pub fn transaction(data: &[u8]) {
    let Some((&[selector, chunk], text)) = data.split_first_chunk::<2>() else {
        return;
    };
    let (head, body) = split(text, b"\n\n").unwrap_or((text, b""));
    let request = Request::parse(head, body);
    let [block, detect] = POLICIES.with(|policies| policies[usize::from(selector) % 4].clone());
    let trailers = selector & 4 != 0;
    let chunk = usize::from(chunk) + 1;

    let whole = request.run(&block, usize::MAX, trailers);
    let pieces = request.run(&block, chunk, trailers);
    assert_eq!(whole, pieces, "in pieces of {chunk}");
    let seen = request.run(&detect, usize::MAX, trailers);
    assert_eq!(
        seen,
        request.run(&detect, chunk, trailers),
        "in pieces of {chunk}"
    );
    assert_eq!(seen.answer, None);
    assert_eq!(
        whole.answer.is_some(),
        seen.entries
            .iter()
            .any(|(action, _)| *action == Action::Detect),
        "refused in one mode only: {whole:?}, {seen:?}"
    );
    cost::check(body, |long| {
        Request {
            body: long,
            ..request.clone()
        }
        .run(&block, usize::MAX, false);
    });
}

#[derive(Clone)]
struct Request<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
struct Run {
    answer: Option<Answer>,
    entries: Vec<(Action, Cause)>,
    limit_hits: usize,
    lines: Vec<String>,
}

impl<'a> Request<'a> {
    fn parse(head: &'a [u8], body: &'a [u8]) -> Self {
        let mut lines = head.split(|byte| *byte == b'\n');
        let (method, path) =
            split(lines.next().unwrap_or_default(), b" ").unwrap_or((b"GET", b"/"));
        let mut headers: Vec<(&[u8], &[u8])> = vec![
            (b":method", method),
            (b":path", path),
            (b":authority", b"tickets.example"),
        ];
        headers.extend(lines.map(|line| split(line, b": ").unwrap_or((line, b""))));
        Self { headers, body }
    }

    /// As a proxy would: a growing buffer while the body is held, piece after piece where it is not.
    fn run(&self, policy: &Rc<Policy>, chunk: usize, trailers: bool) -> Run {
        let mut scanner = policy.scanner();
        let proxy = Proxy {
            body: self.body,
            visible: Cell::new((0, 0)),
        };
        let headers = Headers::from_pairs(self.headers.iter().copied());
        let end = self.body.is_empty() && !trailers;
        let mut run = Run::default();
        let (mut transaction, outcome) =
            Transaction::begin(policy, &mut scanner, &proxy, headers, end);
        let mut held = run.take(&transaction, outcome);
        let (mut from, mut to) = (0, 0);
        while run.answer.is_none() && to < self.body.len() {
            let next = self.body.len().min(to.saturating_add(chunk));
            if !held {
                from = to;
            }
            proxy.visible.set((from, next));
            let end = next == self.body.len() && !trailers;
            let outcome = step(&mut transaction, &mut scanner, &proxy, next - from, end);
            held = run.take(&transaction, outcome);
            to = next;
        }
        if run.answer.is_none() && trailers {
            let outcome = transaction.on_trailers(&mut scanner, &proxy);
            held = run.take(&transaction, outcome);
        }
        assert!(!held, "held for ever");
        assert!(transaction.is_done() || run.answer.is_some() || end);
        run
    }
}

fn step(
    transaction: &mut Transaction,
    scanner: &mut Scanner,
    proxy: &Proxy<'_>,
    buffered: usize,
    end: bool,
) -> Outcome {
    transaction.on_body(scanner, proxy, buffered, end)
}

impl Run {
    /// Adds a phase's outcome; answers whether the request is held back.
    fn take(&mut self, transaction: &Transaction, outcome: Outcome) -> bool {
        self.limit_hits += usize::from(outcome.limit_hit);
        for report in outcome.reports {
            let line = transaction.log_line(&report, 1_795_366_594_007);
            assert!(!line.contains('\n'));
            serde_json::from_str::<serde_json::Value>(&line).expect("a line of JSON");
            self.lines.push(line);
            self.entries.push((report.action, report.cause));
        }
        match outcome.next {
            Next::Continue => false,
            Next::Pause => true,
            Next::Reply(answer) => {
                self.answer = Some(answer);
                false
            }
        }
    }
}

struct Proxy<'a> {
    body: &'a [u8],
    /// From where to where the body can be read now.
    visible: Cell<(usize, usize)>,
}

impl Host for Proxy<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        Some(b"198.51.100.7:0".to_vec())
    }

    fn body(&self, start: usize, len: usize) -> Result<Vec<u8>, Unreadable> {
        let (from, to) = self.visible.get();
        let visible = self.body.get(from..to).ok_or(Unreadable)?;
        Ok(visible.iter().skip(start).take(len).copied().collect())
    }
}

/// What stands before and behind the first `separator`.
fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes
        .windows(separator.len())
        .position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

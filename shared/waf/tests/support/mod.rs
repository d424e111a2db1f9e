//! A request against a policy, without a proxy.
#![allow(dead_code, reason = "each test file uses its part")]

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;

use backstop_http::Headers;
use backstop_waf::{Host, Next, Outcome, Policy, Report, Transaction, Unreadable};

/// A request, its connection, and how the body arrives.
#[derive(Clone)]
pub struct Case {
    pub method: &'static str,
    pub path: String,
    pub authority: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub chunk: usize,
    pub trailers: bool,
    pub address: &'static str,
    pub readable: bool,
}

pub fn get(path: &str) -> Case {
    Case {
        method: "GET",
        path: path.to_owned(),
        authority: "shop.example.com".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        chunk: usize::MAX,
        trailers: false,
        address: "198.51.100.7:0",
        readable: true,
    }
}

pub fn post(path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Case {
    Case {
        method: "POST",
        body: body.as_ref().to_vec(),
        ..get(path)
    }
    .header("content-type", content_type)
}

impl Case {
    pub fn host(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn from(mut self, address: &'static str) -> Self {
        self.address = address;
        self
    }

    pub fn chunks(mut self, size: usize) -> Self {
        self.chunk = size;
        self
    }

    pub fn trailers(mut self) -> Self {
        self.trailers = true;
        self
    }

    pub fn unreadable(mut self) -> Self {
        self.readable = false;
        self
    }

    /// Runs the request as a proxy would: cumulative buffer while it is held, single chunks otherwise.
    pub fn run(&self, policy: &str) -> Run {
        let policy = Rc::new(Policy::from_json(policy.as_bytes()).unwrap());
        self.run_on(&policy)
    }

    pub fn run_on(&self, policy: &Rc<Policy>) -> Run {
        let mut scanner = policy.scanner();
        let mut pairs: Vec<(String, Vec<u8>)> = [
            (":method", self.method),
            (":path", &self.path),
            (":authority", &self.authority),
            (":scheme", "https"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec();
        pairs.extend(self.headers.iter().cloned());
        let headers = Headers::from_pairs(pairs.iter().map(|(name, value)| (name, value)));
        let proxy = Proxy {
            case: self,
            buffered: Cell::new((0, 0)),
            asked: Cell::new(0),
        };
        let mut run = Run::default();
        let end = self.body.is_empty() && !self.trailers;
        let (mut transaction, outcome) =
            Transaction::begin(policy, &mut scanner, &proxy, headers, end);
        run.take(&transaction, outcome, "headers");
        let mut held_from = 0;
        let mut at = 0;
        while run.status.is_none() && at < self.body.len() {
            let next = self.body.len().min(at.saturating_add(self.chunk));
            proxy.buffered.set((held_from, next));
            let end = next == self.body.len() && !self.trailers;
            let outcome = transaction.on_body(&mut scanner, &proxy, next - held_from, end);
            run.take(&transaction, outcome, "body");
            at = next;
            if !run.held {
                held_from = next;
            }
        }
        if run.status.is_none() && self.trailers {
            let outcome = transaction.on_trailers(&mut scanner, &proxy);
            run.take(&transaction, outcome, "trailers");
        }
        run.asked_address = proxy.asked.get();
        run
    }
}

struct Proxy<'a> {
    case: &'a Case,
    /// Which part of the body can be read now.
    buffered: Cell<(usize, usize)>,
    asked: Cell<usize>,
}

impl Host for Proxy<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        Some(self.case.address.as_bytes().to_vec())
    }

    fn body(&self, start: usize, len: usize) -> Result<Vec<u8>, Unreadable> {
        if !self.case.readable {
            return Err(Unreadable);
        }
        let (from, to) = self.buffered.get();
        let visible = &self.case.body[from..to];
        Ok(visible.iter().skip(start).take(len).copied().collect())
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Run {
    /// The answer's status, if there was one.
    pub status: Option<u32>,
    pub body: String,
    pub details: String,
    pub grpc_status: Option<u32>,
    pub headers: Vec<(String, String)>,
    pub phase: &'static str,
    /// Whether the last phase held the request back.
    pub held: bool,
    /// Whether any phase did.
    pub ever_held: bool,
    pub limit_hits: usize,
    pub custom_limit_hits: usize,
    pub work_limit_hits: usize,
    pub reports: Vec<Report>,
    pub lines: Vec<String>,
    pub asked_address: usize,
}

impl Run {
    fn take(&mut self, transaction: &Transaction, outcome: Outcome, phase: &'static str) {
        self.held = outcome.next == Next::Pause;
        self.ever_held |= self.held;
        self.limit_hits += usize::from(outcome.limit_hit);
        self.custom_limit_hits += usize::from(outcome.custom_limit_hit);
        self.work_limit_hits += usize::from(outcome.work_limit_hit);
        for report in outcome.reports {
            self.lines
                .push(transaction.log_line(&report, 1_795_366_594_007));
            self.reports.push(report);
        }
        if let Next::Reply(answer) = outcome.next {
            self.status = Some(answer.status);
            self.body = answer.body;
            self.details = answer.details;
            self.grpc_status = answer.grpc_status;
            self.headers = answer.headers;
            self.phase = phase;
        }
    }

    /// `SQL_INJECTION:sql-union`, or nothing.
    pub fn blocked_by(&self) -> &str {
        self.details
            .strip_prefix("backstop_waf{")
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or("")
    }

    pub fn passed(&self) -> bool {
        self.status.is_none() && !self.held
    }

    /// The only log line, as JSON.
    pub fn line(&self) -> serde_json::Value {
        assert_eq!(self.lines.len(), 1, "{:?}", self.lines);
        serde_json::from_str(&self.lines[0]).unwrap()
    }
}

/// `bytes` in the gzip coding.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

//! A process without a proxy: shared data with Envoy's rules, a clock that tests set, one client at a time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]
#![allow(dead_code, reason = "each test uses its own part")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use backstop_ext_authz::answer::{Action, Allowed, Decision, Denied, HeaderChange};
use backstop_ext_authz::check::Facts;
use backstop_ext_authz::{
    Effect, Ending, Gate, Host, Policy, Reply, SharedData, Step, Stored, Unavailable, Written,
};
use backstop_http::Headers;

pub const SECOND: u64 = 1_000_000_000;

/// Values by key with their versions, and the next version.
type Values = (HashMap<Vec<u8>, (Vec<u8>, u32)>, u32);

/// Shared data of a process, after proxy-wasm-cpp-host's `shared_data.cc`.
#[derive(Clone, Default)]
pub struct Data(Rc<RefCell<Values>>);

impl Data {
    pub fn bytes(&self) -> usize {
        self.0
            .borrow()
            .0
            .values()
            .map(|(value, _)| value.len())
            .sum()
    }
}

impl SharedData for Data {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        Ok(self.0.borrow().0.get(key).map(|(value, cas)| Stored {
            value: value.clone(),
            cas: *cas,
        }))
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        let (values, next) = &mut *self.0.borrow_mut();
        if let Some((_, current)) = values.get(key)
            && cas != 0
            && cas != *current
        {
            return Ok(Written::Conflict);
        }
        *next += 1;
        values.insert(key.to_vec(), (value.to_vec(), *next));
        Ok(Written::Done)
    }
}

/// One worker.
#[derive(Clone)]
pub struct Worker {
    pub data: Data,
    pub now: Rc<Cell<u64>>,
    pub client: RefCell<String>,
    pub broken: Cell<bool>,
    pub reads: Cell<u32>,
}

impl Worker {
    pub fn new() -> Self {
        Self {
            data: Data::default(),
            now: Rc::new(Cell::new(5000 * SECOND)),
            client: RefCell::new("203.0.113.9:0".to_owned()),
            broken: Cell::new(false),
            reads: Cell::new(0),
        }
    }

    pub fn advance(&self, nanos: u64) {
        self.now.set(self.now.get() + nanos);
    }

    pub fn is(&self, client: &str) -> &Self {
        *self.client.borrow_mut() = client.to_owned();
        self
    }
}

impl SharedData for Worker {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        if self.broken.get() {
            return Err(Unavailable);
        }
        self.reads.set(self.reads.get() + 1);
        self.data.get(key)
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        if self.broken.get() {
            return Err(Unavailable);
        }
        self.data.set(key, value, cas)
    }
}

impl Host for Worker {
    fn source_address(&self) -> Option<Vec<u8>> {
        Some(self.client.borrow().clone().into_bytes())
    }

    fn facts(&self) -> Facts {
        Facts {
            source: self.source_address(),
            ..Facts::default()
        }
    }

    fn clock_nanos(&self) -> u64 {
        self.now.get()
    }
}

pub fn gate(worker: &Worker, json: &str) -> Gate {
    let policy = Policy::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    Gate::open(policy, b"plugin", worker, [7; 16]).unwrap()
}

pub fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Headers {
    let pseudo = [
        (":method", method),
        (":path", path),
        (":authority", "shop.example.com"),
        (":scheme", "https"),
    ];
    Headers::from_pairs(pseudo.into_iter().chain(more.iter().copied()))
}

pub const API: &str = r#""apis": [
    {"eventType": "QUEUE_ENTER", "methods": ["POST"], "path": {"template": "/queue/matches/{n}/enter"}},
    {"eventType": "SEAT_HOLDS", "path": {"prefix": "/hold"}, "requireBotToken": true, "failureMode": "deny",
     "statusOnError": 503, "onAmbiguousPath": "reject"},
    {"eventType": "UPLOAD", "path": {"prefix": "/upload"}, "bodyBytes": 4}
]"#;
pub const GRPC: &str = r#""service": {"grpc": {"cluster": "adapter"}}"#;

pub fn config(more: &str) -> String {
    format!("{{{GRPC}, {API}{more}}}")
}

pub fn enter() -> Headers {
    request(
        "POST",
        "/queue/matches/1/enter",
        &[("cookie", "SID=s1"), ("x-request-id", "id-1")],
    )
}

pub fn allowed(changes: &[(&str, &str)]) -> Vec<u8> {
    Decision::Allowed(Allowed {
        request: changes
            .iter()
            .map(|(name, value)| HeaderChange {
                action: Action::Set,
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        ..Allowed::default()
    })
    .to_bytes()
}

pub fn denied(status: u32, reason: &str) -> Vec<u8> {
    Decision::Denied(Denied {
        status,
        headers: vec![("x-defense-reason".to_owned(), reason.to_owned())],
        body: String::new(),
    })
    .to_bytes()
}

/// Begins, expects a call, and answers it.
pub fn asked(gate: &Gate, worker: &Worker, headers: &Headers, reply: Reply<'_>) -> Ending {
    match gate.begin(worker, headers, true) {
        Step::Call(pending, _) => gate.finish(worker, pending, headers, reply),
        other => panic!("no call: {other:?}"),
    }
}

/// Begins, and expects an end without a call.
pub fn ended(gate: &Gate, worker: &Worker, headers: &Headers) -> Ending {
    match gate.begin(worker, headers, true) {
        Step::End(ending) => ending,
        other => panic!("no end: {other:?}"),
    }
}

pub fn status(ending: &Ending) -> Option<u32> {
    match &ending.effect {
        Effect::Refuse(answer) => Some(answer.status),
        Effect::Pass(_) | Effect::Hold(..) => None,
    }
}

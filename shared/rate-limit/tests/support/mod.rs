//! A process without a proxy: shared data with Envoy's rules, a clock that tests set, one client at a time.
#![allow(dead_code, reason = "each test uses its own part")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use backstop_http::Headers;
use backstop_rate_limit::{
    Decision, Host, Limiter, Policy, SharedData, Stored, Unavailable, Written,
};

pub const SECOND: u64 = 1_000_000_000;
/// 2026-11-22, where clocks of tests begin.
pub const START: u64 = 1_795_366_594 * SECOND;

/// Values by key with their versions, and the next version.
type Values = (HashMap<Vec<u8>, (Vec<u8>, u32)>, u32);

/// Shared data of a process, after proxy-wasm-cpp-host's `shared_data.cc`.
#[derive(Clone, Default)]
pub struct Data {
    values: Arc<Mutex<Values>>,
    pub writes: Arc<AtomicU64>,
    pub conflicts: Arc<AtomicU64>,
}

impl Data {
    fn get(&self, key: &[u8]) -> Option<Stored> {
        let guard = self.values.lock().unwrap();
        guard.0.get(key).map(|(value, cas)| Stored {
            value: value.clone(),
            cas: *cas,
        })
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Written {
        let mut guard = self.values.lock().unwrap();
        let (values, next) = &mut *guard;
        if let Some((_, current)) = values.get(key)
            && cas != 0
            && cas != *current
        {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            return Written::Conflict;
        }
        *next += 1;
        values.insert(key.to_vec(), (value.to_vec(), *next));
        self.writes.fetch_add(1, Ordering::Relaxed);
        Written::Done
    }

    /// Keys, and bytes of all values.
    pub fn size(&self) -> (usize, usize) {
        let guard = self.values.lock().unwrap();
        (
            guard.0.len(),
            guard.0.values().map(|(value, _)| value.len()).sum(),
        )
    }
}

/// A worker.
pub struct Worker {
    pub data: Data,
    pub clock: Cell<u64>,
    pub client: RefCell<String>,
    pub port: Cell<u16>,
    /// Whether shared data fails.
    pub broken: Cell<bool>,
    /// Before so many of the next writes, another worker's decision is made: every one of them then conflicts.
    pub interleave: RefCell<Vec<Box<dyn Fn()>>>,
    pub asked: Cell<u32>,
    /// Whether other threads get a turn between each reading and what is made of it.
    pub yields: Cell<bool>,
    reads: Cell<u32>,
}

impl Worker {
    pub fn new() -> Self {
        Self::on(&Data::default())
    }

    pub fn on(data: &Data) -> Self {
        Self {
            data: data.clone(),
            clock: Cell::new(START),
            client: RefCell::new("203.0.113.7:0".to_owned()),
            port: Cell::new(8080),
            broken: Cell::new(false),
            interleave: RefCell::new(Vec::new()),
            asked: Cell::new(0),
            yields: Cell::new(false),
            reads: Cell::new(0),
        }
    }

    pub fn limiter(&self, json: &str) -> Limiter {
        limiter(self, json, b"plugin")
    }

    pub fn wait(&self, nanos: u64) {
        self.clock.set(self.clock.get() + nanos);
    }

    pub fn from(&self, client: &str) -> &Self {
        *self.client.borrow_mut() = client.to_owned();
        self
    }

    /// How many of `count` requests pass, one after another at the same moment.
    pub fn passing(&self, limiter: &Limiter, count: u32, path: &str) -> u32 {
        let request = get(path);
        let mut passed = 0;
        for _ in 0..count {
            passed += u32::from(!limiter.decide(self, &request).is_limited());
        }
        passed
    }

    pub fn decide(&self, limiter: &Limiter, path: &str) -> Decision {
        limiter.decide(self, &get(path))
    }
}

impl SharedData for Worker {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        if self.broken.get() {
            return Err(Unavailable);
        }
        let stored = self.data.get(key);
        // Not at every read: a worker that always lets the others go first would run out of attempts.
        self.reads.set(self.reads.get().wrapping_add(1));
        if self.yields.get() && self.reads.get().is_multiple_of(8) {
            std::thread::yield_now();
        }
        Ok(stored)
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        if self.broken.get() {
            return Err(Unavailable);
        }
        let other = self.interleave.borrow_mut().pop();
        if let Some(other) = other {
            other();
        }
        Ok(self.data.set(key, value, cas))
    }
}

impl Host for Worker {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        Some(self.client.borrow().clone().into_bytes())
    }

    fn clock_nanos(&self) -> u64 {
        self.clock.get()
    }

    fn listener_port(&self) -> Option<u16> {
        Some(self.port.get())
    }
}

pub fn limiter(worker: &Worker, json: &str, namespace: &[u8]) -> Limiter {
    let policy = Policy::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    Limiter::open(policy, namespace, worker, [7; 16]).unwrap()
}

pub fn get(path: &str) -> Headers {
    request("GET", path, &[])
}

pub fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Headers {
    let pseudo = [
        (":method", method),
        (":path", path),
        (":authority", "shop.example.com"),
    ];
    Headers::from_pairs(pseudo.into_iter().chain(more.iter().copied()))
}

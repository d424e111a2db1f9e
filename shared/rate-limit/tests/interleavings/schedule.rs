//! VMs whose calls to shared data are let through one at a time, in every order.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use backstop_rate_limit::{Host, SharedData, Stored, Unavailable, Written};

use crate::support::{Data, Worker, get, limiter};

/// Who waits for its next call, who may make it, who has finished.
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: Vec<bool>,
    done: Vec<bool>,
    turn: Option<usize>,
}

impl Gate {
    fn of(count: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: vec![false; count],
                done: vec![false; count],
                turn: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, ready: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let guard = self.lock();
        self.changed
            .wait_while(guard, |state| !ready(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A VM waits for its turn.
    fn pass(&self, vm: usize) {
        self.lock().waiting[vm] = true;
        self.changed.notify_all();
        let mut state = self.wait_for(|state| state.turn == Some(vm));
        state.turn = None;
        state.waiting[vm] = false;
    }

    fn finish(&self, vm: usize) {
        self.lock().done[vm] = true;
        self.changed.notify_all();
    }

    /// Lets the VMs make their calls in the order that `choices` says, and notes how many there were to choose from.
    fn schedule(&self, choices: &mut Vec<(usize, usize)>) {
        for step in 0.. {
            let mut state = self.wait_for(|state| {
                let mut all = state.waiting.iter().zip(&state.done);
                state.turn.is_none() && all.all(|(waiting, done)| *waiting || *done)
            });
            let able: Vec<usize> = (0..state.done.len())
                .filter(|vm| !state.done[*vm])
                .collect();
            if able.is_empty() {
                return;
            }
            if step == choices.len() {
                choices.push((0, able.len()));
            }
            state.turn = Some(able[choices[step].0]);
            drop(state);
            self.changed.notify_all();
        }
    }
}

/// A VM whose calls to shared data wait for their turn.
struct Vm<'a> {
    worker: Worker,
    gate: &'a Gate,
    number: usize,
    /// Not while it starts.
    waits: Cell<bool>,
}

impl SharedData for Vm<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        if self.waits.get() {
            self.gate.pass(self.number);
        }
        SharedData::get(&self.worker, key)
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        if self.waits.get() {
            self.gate.pass(self.number);
        }
        SharedData::set(&self.worker, key, value, cas)
    }
}

impl Host for Vm<'_> {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.worker.source_address()
    }

    fn clock_nanos(&self) -> u64 {
        self.worker.clock_nanos()
    }

    fn listener_port(&self) -> Option<u16> {
        self.worker.listener_port()
    }
}

/// What each VM asks for, one request after another.
pub type Requests = &'static [&'static [&'static str]];

/// All orders of the calls of VMs with these requests, after those of `before`: how many orders there are, and for each the
/// requests that passed. After each, `check` gets them, and what is left in the limits' buckets.
pub fn every_order(
    config: &str,
    before: &[&str],
    requests: Requests,
    check: impl Fn(&[&str], &[u32]),
) -> u32 {
    let mut choices: Vec<(usize, usize)> = Vec::new();
    let mut orders = 0;
    loop {
        let data = Data::default();
        let first = Worker::on(&data);
        let limits = limiter(&first, config, b"plugin");
        // Tables are listed at the first request of each VM; no limit that counts is about this one.
        first.decide(&limits, "/start");
        for path in before {
            first.decide(&limits, path);
        }
        let gate = Gate::of(requests.len());
        let passed = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (number, paths) in requests.iter().enumerate() {
                let (gate, passed, data) = (&gate, &passed, &data);
                scope.spawn(move || {
                    let vm = Vm {
                        worker: Worker::on(data),
                        gate,
                        number,
                        waits: Cell::new(false),
                    };
                    let limits = limiter(&vm.worker, config, b"plugin");
                    limits.decide(&vm, &get("/start"));
                    vm.waits.set(true);
                    for path in *paths {
                        if !limits.decide(&vm, &get(path)).is_limited() {
                            passed.lock().unwrap().push(*path);
                        }
                    }
                    gate.finish(number);
                });
            }
            gate.schedule(&mut choices);
        });
        let left: Vec<u32> = first
            .decide(&limits, "/all/look")
            .checks
            .iter()
            .map(|check| limits.tokens(check).unwrap().0)
            .collect();
        check(&passed.into_inner().unwrap(), &left);
        orders += 1;
        // The next order: the last choice that has another one.
        while let Some((chosen, of)) = choices.pop() {
            if chosen + 1 < of {
                choices.push((chosen + 1, of));
                break;
            }
        }
        if choices.is_empty() {
            return orders;
        }
    }
}

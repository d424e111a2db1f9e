//! Order and memory of the pipeline, with a filter of the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::replay::Decision;
use crate::traffic::{Origin, parse_line};

/// Passes everything; the request `/stuck` waits for a sign.
struct Fake {
    judged: AtomicUsize,
    gate: Mutex<Option<Receiver<()>>>,
}

struct FakeJudge<'a>(&'a Fake);

impl Fake {
    fn new(gate: Option<Receiver<()>>) -> Self {
        Self {
            judged: AtomicUsize::new(0),
            gate: Mutex::new(gate),
        }
    }
}

impl<'a> Subject for &'a Fake {
    type Judge = FakeJudge<'a>;

    fn start(&self) -> Result<FakeJudge<'a>, SubjectError> {
        Ok(FakeJudge(self))
    }
}

impl Judge for FakeJudge<'_> {
    fn judge(&mut self, case: &Case) -> Result<Verdict, SubjectError> {
        if case.path == b"/stuck" {
            let gate = self.0.gate.lock().unwrap().take().unwrap();
            gate.recv().unwrap();
        }
        self.0.judged.fetch_add(1, Ordering::SeqCst);
        Ok(Verdict {
            decision: Decision::Passed(None),
            status: 200,
            time: Duration::ZERO,
            fuel: 1,
        })
    }
}

fn item(number: u64, path: &str) -> Item {
    let origin = Origin {
        file: Arc::from("t"),
        line: number,
    };
    let line = format!(r#"{{"id":"{number}","method":"GET","path":"{path}"}}"#);
    Item::Case(Box::new(parse_line(line.as_bytes(), origin).unwrap()))
}

fn id(replayed: &Replayed) -> u64 {
    match replayed {
        Replayed::Case(case, _) => case.id.parse().unwrap(),
        Replayed::Broken(broken) | Replayed::Skipped(broken) => broken.origin.line,
    }
}

#[test]
fn results_come_in_the_order_of_the_input() {
    let fake = Fake::new(None);
    let mut ids = Vec::new();
    let done = replay_from(
        4,
        &&fake,
        &mut |replayed| {
            ids.push(id(&replayed));
            ControlFlow::Continue(())
        },
        |each| {
            for number in 0..1000 {
                let item = match number % 7 {
                    3 => Item::Broken(Broken {
                        origin: Origin {
                            file: Arc::from("t"),
                            line: number,
                        },
                        reason: String::new(),
                    }),
                    _ => item(number, "/"),
                };
                let _ = each(item);
            }
            Ok(())
        },
    );
    assert!(done.is_ok());
    assert_eq!(ids, (0..1000).collect::<Vec<_>>());
}

#[test]
fn one_slow_request_does_not_let_the_recording_into_memory() {
    let (open, gate) = mpsc::channel();
    let fake = Fake::new(Some(gate));
    let read = AtomicUsize::new(0);
    let jobs = 2;
    // All that may be in flight: every permit's batch, and the one being filled.
    let bound = (jobs * WINDOW + 1) * BATCH;
    let total = bound * 20;
    let mut seen = 0;
    let done = replay_from(
        jobs,
        &&fake,
        &mut |_| {
            seen += 1;
            ControlFlow::Continue(())
        },
        |each| {
            for number in 0..total {
                let item = item(number as u64, if number == 0 { "/stuck" } else { "/" });
                let taken = read.fetch_add(1, Ordering::SeqCst) + 1;
                if taken == bound {
                    // The reader has got as far as it can while the first request is stuck: nothing was handed on.
                    open.send(()).unwrap();
                }
                if each(item).is_break() {
                    break;
                }
            }
            Ok(())
        },
    );
    assert!(done.is_ok());
    assert_eq!((seen, fake.judged.load(Ordering::SeqCst)), (total, total));
}

#[test]
fn the_reader_waits_for_the_collector() {
    let fake = Fake::new(None);
    let read = &AtomicUsize::new(0);
    let jobs = 2;
    let bound = (jobs * WINDOW + 1) * BATCH;
    let mut handed_on = 0;
    let done = replay_from(
        jobs,
        &&fake,
        &mut |_| {
            assert!(
                read.load(Ordering::SeqCst) <= handed_on + bound + BATCH,
                "read ahead of the window"
            );
            handed_on += 1;
            ControlFlow::Continue(())
        },
        |each| {
            for number in 0..bound * 20 {
                read.fetch_add(1, Ordering::SeqCst);
                let _ = each(item(number as u64, "/"));
            }
            Ok(())
        },
    );
    assert!(done.is_ok());
    assert_eq!(handed_on, bound * 20);
}

#[test]
fn a_sink_that_has_enough_ends_the_replay() {
    let fake = Fake::new(None);
    let mut seen = 0;
    let done = replay_from(
        2,
        &&fake,
        &mut |_| {
            seen += 1;
            if seen == 10 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
        |each| {
            for number in 0.. {
                if each(item(number, "/")).is_break() {
                    break;
                }
            }
            Ok(())
        },
    );
    assert!(done.is_ok());
    assert_eq!(seen, 10);
}

struct Broke;

impl Subject for Broke {
    type Judge = FakeJudge<'static>;

    fn start(&self) -> Result<FakeJudge<'static>, SubjectError> {
        Err(SubjectError("no module".to_string()))
    }
}

#[test]
fn a_filter_that_does_not_start_is_an_error() {
    let error = replay_from(2, &Broke, &mut |_| ControlFlow::Continue(()), |each| {
        for number in 0..100_000 {
            if each(item(number, "/")).is_break() {
                break;
            }
        }
        Ok(())
    });
    assert_eq!(error.unwrap_err().to_string(), "no module");
}

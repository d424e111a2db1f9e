//! Reader → workers → collector, joined by bounded channels.
//!
//! Records travel in batches. A batch needs a permit before it is read, and gives it back when the collector has
//! handed it on in order: so at most `WINDOW` batches per worker exist at any time, however long the recording
//! and however slow one of its requests.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Judge, Subject, SubjectError, Verdict};
use crate::traffic::{self, Broken, Case, Input, Item, OpenError, ReadProgress};

/// Most records of one batch.
const BATCH: usize = 64;
/// Bytes of paths, headers and bodies after which a batch is full.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches in flight per worker.
const WINDOW: usize = 4;

/// One record with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// A request and its verdict.
    Case(Box<Case>, Verdict),
    /// A record that cannot be read.
    Broken(Broken),
    /// A record that is no HTTP request to a gateway.
    Skipped(Broken),
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An input cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The filter does not start.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

struct Batch<T> {
    number: u64,
    records: Vec<T>,
}

/// Replays `inputs` through `jobs` filters and hands every result to `sink` in the order of the input.
///
/// A sink that breaks off (a closed pipe) ends the replay early and without an error.
///
/// # Errors
/// An input cannot be opened, or a filter does not start.
pub fn replay<S: Subject>(
    inputs: &[Input],
    jobs: usize,
    subject: &S,
    progress: &ReadProgress,
    sink: &mut dyn FnMut(Replayed) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    replay_from(jobs, subject, sink, |each| {
        traffic::read(inputs, progress, each)
    })
}

/// As [`replay`], reading from `source`: a function that hands every item to the sink it is given.
fn replay_from<S: Subject>(
    jobs: usize,
    subject: &S,
    sink: &mut dyn FnMut(Replayed) -> ControlFlow<()>,
    source: impl FnOnce(&mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), OpenError> + Send,
) -> Result<(), ReplayError> {
    let jobs = jobs.max(1);
    let window = jobs * WINDOW;
    let (permit, permits) = sync_channel(window);
    for _ in 0..window {
        // The channel has room for exactly these.
        let _ = permit.send(());
    }
    let (work, work_queue) = sync_channel(window);
    let work_queue = &Mutex::new(work_queue);
    let (done, done_queue) = sync_channel(window);
    thread::scope(|scope| {
        let reader = scope.spawn(move || read_batches(source, &permits, &work));
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                let done = done.clone();
                scope.spawn(move || work_batches(subject, work_queue, &done))
            })
            .collect();
        drop(done);
        collect(done_queue, permit, sink);
        let mut result = Ok(());
        for worker in workers {
            match worker.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => result = Err(ReplayError::from(error)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        match reader.join() {
            Ok(read) => result.and(read.map_err(ReplayError::from)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn read_batches(
    source: impl FnOnce(&mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), OpenError>,
    permits: &Receiver<()>,
    work: &SyncSender<Batch<Item>>,
) -> Result<(), OpenError> {
    let mut number = 0;
    let mut records = Vec::new();
    let mut bytes = 0;
    let mut flush = |records: Vec<Item>| -> ControlFlow<()> {
        if permits.recv().is_err() || work.send(Batch { number, records }).is_err() {
            return ControlFlow::Break(());
        }
        number += 1;
        ControlFlow::Continue(())
    };
    let result = source(&mut |item| {
        bytes += match &item {
            Item::Case(case) => case.size(),
            Item::Broken(_) | Item::Skipped(_) => 0,
        };
        records.push(item);
        if records.len() < BATCH && bytes < BATCH_BYTES {
            return ControlFlow::Continue(());
        }
        bytes = 0;
        flush(std::mem::take(&mut records))
    });
    if !records.is_empty() {
        let _ = flush(records);
    }
    result
}

fn work_batches<S: Subject>(
    subject: &S,
    queue: &Mutex<Receiver<Batch<Item>>>,
    done: &SyncSender<Batch<Replayed>>,
) -> Result<(), SubjectError> {
    let mut judge = subject.start()?;
    loop {
        let batch = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return Ok(()),
        };
        let Ok(Batch { number, records }) = batch else {
            return Ok(());
        };
        let mut results = Vec::with_capacity(records.len());
        for item in records {
            results.push(match item {
                Item::Case(case) => {
                    let verdict = judge.judge(&case)?;
                    Replayed::Case(case, verdict)
                }
                Item::Broken(broken) => Replayed::Broken(broken),
                Item::Skipped(skipped) => Replayed::Skipped(skipped),
            });
        }
        if done
            .send(Batch {
                number,
                records: results,
            })
            .is_err()
        {
            return Ok(());
        }
    }
}

/// Hands batches on in order and gives their permits back. Dropping the queue and the permits ends the others.
fn collect(
    done: Receiver<Batch<Replayed>>,
    permit: SyncSender<()>,
    sink: &mut dyn FnMut(Replayed) -> ControlFlow<()>,
) {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for batch in done {
        early.insert(batch.number, batch.records);
        while let Some(records) = early.remove(&next) {
            for replayed in records {
                if sink(replayed).is_break() {
                    return;
                }
            }
            next += 1;
            if permit.send(()).is_err() {
                // The reader is done; there may still be results.
                continue;
            }
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;

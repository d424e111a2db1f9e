//! The breaker as one worker sees it, and every interleaving of several.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use backstop_ext_authz::breaker::{Breaker, CallOutcome, Settings, State, Ticket, Transition};

mod support;
use support::{SECOND, Worker};

const SETTINGS: Settings = Settings {
    failures: 3,
    open_for: Duration::from_secs(5),
    probe_for: Duration::from_secs(2),
};

fn breaker() -> Breaker {
    Breaker::new(b"breaker".to_vec(), SETTINGS)
}

#[test]
fn opens_after_failures_in_a_row_probes_once_and_closes() {
    let (worker, breaker) = (Worker::new(), breaker());
    let now = worker.now.get();
    let ask = |now| breaker.admit(&worker, now).unwrap();
    let tell = |ticket, outcome, now| breaker.report(&worker, ticket, outcome, now).unwrap();

    // A success in between starts the row anew.
    for outcome in [
        CallOutcome::Failure,
        CallOutcome::Failure,
        CallOutcome::Success,
        CallOutcome::Failure,
    ] {
        assert_eq!(tell(ask(now).unwrap(), outcome, now), None);
    }
    assert_eq!(tell(ask(now).unwrap(), CallOutcome::Failure, now), None);
    let late = ask(now).unwrap();
    assert_eq!(
        tell(ask(now).unwrap(), CallOutcome::Failure, now),
        Some(Transition::Opened)
    );

    let reads = worker.reads.get();
    assert_eq!(ask(now), None);
    assert_eq!(
        worker.reads.get(),
        reads + 1,
        "an open breaker costs one read"
    );
    assert_eq!(ask(now + 5 * SECOND - 1), None);
    // What began before it opened says nothing any more.
    assert_eq!(tell(late, CallOutcome::Success, now), None);

    let now = now + 5 * SECOND;
    let probe = ask(now).unwrap();
    assert!(probe.probe);
    assert_eq!(ask(now), None, "one probe");
    assert_eq!(
        tell(probe, CallOutcome::Failure, now + 1),
        Some(Transition::Opened)
    );
    assert_eq!(
        ask(now + 5 * SECOND),
        None,
        "another while, from the failure on"
    );

    let now = now + 5 * SECOND + 1;
    let probe = ask(now).unwrap();
    assert_eq!(
        tell(probe, CallOutcome::Success, now),
        Some(Transition::Closed)
    );
    assert!(ask(now).is_some_and(|ticket| !ticket.probe));
    assert_eq!(
        tell(probe, CallOutcome::Failure, now),
        None,
        "a ticket counts once"
    );
}

#[test]
fn a_probe_that_is_lost_or_left_makes_room_for_the_next() {
    let (worker, breaker) = (Worker::new(), breaker());
    let mut now = worker.now.get();
    for _ in 0..3 {
        let ticket = breaker.admit(&worker, now).unwrap().unwrap();
        breaker
            .report(&worker, ticket, CallOutcome::Failure, now)
            .unwrap();
    }
    now += 5 * SECOND;
    let lost = breaker.admit(&worker, now).unwrap().unwrap();
    assert_eq!(breaker.admit(&worker, now + 2 * SECOND - 1), Ok(None));
    now += 2 * SECOND;
    let left = breaker.admit(&worker, now).unwrap().unwrap();
    assert!(left.probe);
    // The lost one comes back after all: too late.
    assert_eq!(
        breaker.report(&worker, lost, CallOutcome::Success, now),
        Ok(None)
    );
    assert_eq!(breaker.admit(&worker, now), Ok(None));
    assert_eq!(
        breaker.report(&worker, left, CallOutcome::Abandoned, now),
        Ok(None)
    );
    assert!(
        breaker
            .admit(&worker, now)
            .unwrap()
            .is_some_and(|ticket| ticket.probe)
    );
}

#[test]
fn records_are_read_as_they_were_written_and_nonsense_is_closed() {
    let mut state = State::default();
    let mut seen = vec![state];
    for _ in 0..3 {
        let (ticket, _) = state.admit(0, &SETTINGS).unwrap();
        (state, _) = state
            .report(ticket, CallOutcome::Failure, 7, &SETTINGS)
            .unwrap();
        seen.push(state);
    }
    seen.push(state.admit(u64::MAX, &SETTINGS).unwrap().1.unwrap());
    for state in seen {
        assert_eq!(State::read(&state.to_bytes()), state);
    }
    for nonsense in [&b""[..], b"x", &[0; 32], &[0xff; 32], &[0; 33]] {
        assert!(State::read(nonsense).is_closed());
    }
}

/// A worker in the model: each of its steps is one access to shared data, or the passing of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    Idle,
    /// Has read this version to ask.
    Asking(State, u32),
    /// Has a ticket and waits for the service.
    Calling(Ticket),
    /// Has read this version to report.
    Reporting(Ticket, CallOutcome, State, u32),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct World {
    state: State,
    version: u32,
    now: u64,
    workers: Vec<Step>,
    /// Calls that each worker still makes.
    left: Vec<u8>,
}

/// All worlds that one step of one worker, or of time, leads to.
fn next(world: &World) -> Vec<World> {
    let mut worlds = Vec::new();
    for at in 0..world.workers.len() {
        let mut become_ = |step: Step, stored: Option<State>, left: u8| {
            let mut next = world.clone();
            next.workers[at] = step;
            next.left[at] = left;
            if let Some(state) = stored {
                next.state = state;
                next.version += 1;
            }
            worlds.push(next);
        };
        let left = world.left[at];
        match world.workers[at] {
            Step::Idle if left > 0 => {
                become_(Step::Asking(world.state, world.version), None, left - 1)
            }
            Step::Idle => {}
            Step::Asking(read, version) => match read.admit(world.now, &SETTINGS_OF_MODEL) {
                None => become_(Step::Idle, None, left),
                Some((ticket, None)) => become_(Step::Calling(ticket), None, left),
                Some((ticket, Some(state))) if version == world.version => {
                    become_(Step::Calling(ticket), Some(state), left);
                }
                Some(_) => become_(Step::Asking(world.state, world.version), None, left),
            },
            Step::Calling(ticket) => {
                for outcome in [
                    CallOutcome::Success,
                    CallOutcome::Failure,
                    CallOutcome::Abandoned,
                ] {
                    become_(
                        Step::Reporting(ticket, outcome, world.state, world.version),
                        None,
                        left,
                    );
                }
            }
            Step::Reporting(ticket, outcome, read, version) => {
                match read.report(ticket, outcome, world.now, &SETTINGS_OF_MODEL) {
                    None => become_(Step::Idle, None, left),
                    Some((state, _)) if version == world.version => {
                        become_(Step::Idle, Some(state), left);
                    }
                    Some(_) => become_(
                        Step::Reporting(ticket, outcome, world.state, world.version),
                        None,
                        left,
                    ),
                }
            }
        }
    }
    if world.now < 2 {
        let mut later = world.clone();
        later.now += 1;
        worlds.push(later);
    }
    worlds
}

/// A probe is not given up within the model's time, so that two probes at once would be a fault.
const SETTINGS_OF_MODEL: Settings = Settings {
    failures: 2,
    open_for: Duration::from_nanos(1),
    probe_for: Duration::from_secs(1),
};

#[test]
fn in_every_interleaving_there_is_one_probe() {
    let start = World {
        state: State::default(),
        version: 1,
        now: 0,
        workers: vec![Step::Idle; 3],
        left: vec![2; 3],
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    let (mut probing, mut opened, mut closed_again) = (0_u32, 0_u32, 0_u32);
    while let Some(world) = open.pop() {
        // Worlds that differ by the version alone behave alike: it is made small again.
        let probes = world
            .workers
            .iter()
            .filter(|step| matches!(step, Step::Calling(ticket) if ticket.probe))
            .count();
        assert!(probes <= 1, "{world:?}");
        probing += u32::from(probes == 1);
        for next in next(&world) {
            let next = canonical(next);
            match (world.state.is_closed(), next.state.is_closed()) {
                (true, false) => opened += 1,
                (false, true) => closed_again += 1,
                _ => {}
            }
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    // The model has been everywhere that it is about.
    assert!(
        probing > 100 && opened > 100 && closed_again > 100,
        "{probing} {opened} {closed_again}"
    );
    assert!(seen.len() > 10_000, "{}", seen.len());
}

/// Versions matter only by whether a worker's is the current one; workers are alike.
fn canonical(mut world: World) -> World {
    let current = world.version;
    for step in &mut world.workers {
        if let Step::Asking(_, version) | Step::Reporting(_, _, _, version) = step {
            *version = u32::from(*version == current);
        }
    }
    world.version = 1;
    let mut order: Vec<usize> = (0..world.workers.len()).collect();
    let rank: HashMap<usize, String> = order
        .iter()
        .map(|at| (*at, format!("{:?}{}", world.workers[*at], world.left[*at])))
        .collect();
    order.sort_by(|a, b| rank[a].cmp(&rank[b]));
    world.workers = order.iter().map(|at| world.workers[*at]).collect();
    world.left = order.iter().map(|at| world.left[*at]).collect();
    world
}

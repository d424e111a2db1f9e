//! What holds for every sequence of arrivals, clocks and interleavings.

#[cfg(test)]
mod support;

use std::cell::RefCell;
use std::rc::Rc;

use backstop_rate_limit::{Limiter, Outcome};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Data, SECOND, START, Worker, get, limiter};

fn one_limit(tokens: u32, fill_millis: u64, max: u32, cost: u32) -> String {
    format!(
        r#"{{"limits":[{{"name":"all","tokensPerFill":{tokens},"fillInterval":"{fill_millis}ms","maxTokens":{max},"cost":{cost}}}]}}"#
    )
}

fn admitted(worker: &Worker, limiter: &Limiter) -> bool {
    !limiter.decide(worker, &get("/")).is_limited()
}

/// A token bucket in exact integers, written down the other way round: the level, in units of 1/`fill` token.
struct Reference {
    tokens: u128,
    fill: u128,
    max: u128,
    level: u128,
    last: u64,
}

impl Reference {
    fn take(&mut self, now: u64, cost: u128) -> bool {
        let grown = self.level + u128::from(now - self.last) * self.tokens;
        self.level = grown.min(self.max * self.fill);
        self.last = now;
        let enough = self.level >= cost * self.fill;
        if enough {
            self.level -= cost * self.fill;
        }
        enough
    }
}

/// Times between arrivals: bursts, waits of about a token, long silence.
fn gaps() -> impl Strategy<Value = Vec<u64>> {
    vec(
        prop_oneof![
            3 => Just(0),
            3 => 0..1_000_000_u64,
            3 => 0..SECOND,
            1 => 0..100 * SECOND,
        ],
        1..120,
    )
}

proptest! {
    #[test]
    fn decisions_are_those_of_an_exact_token_bucket(
        tokens in 1..1000_u32,
        fill_millis in 1..100_000_u64,
        max in 1..50_u32,
        cost in 1..4_u32,
        gaps in gaps(),
    ) {
        prop_assume!(cost <= max);
        let worker = Worker::new();
        let limiter = worker.limiter(&one_limit(tokens, fill_millis, max, cost));
        let fill = u128::from(fill_millis) * 1_000_000;
        let mut reference = Reference {
            tokens: u128::from(tokens),
            fill,
            max: u128::from(max),
            level: u128::from(max) * fill,
            last: START,
        };
        let mut passed: Vec<u64> = Vec::new();
        for gap in gaps {
            worker.wait(gap);
            let now = worker.clock.get();
            let expected = reference.take(now, u128::from(cost));
            prop_assert_eq!(admitted(&worker, &limiter), expected);
            if expected {
                passed.push(now);
            }
        }
        // In any window: not more than the bucket holds and what comes back meanwhile.
        for (from, start) in passed.iter().enumerate() {
            for (to, end) in passed.iter().enumerate().skip(from) {
                let taken = (to - from + 1) as u128 * u128::from(cost);
                let allowed = u128::from(max) * fill + u128::from(end - start) * u128::from(tokens);
                prop_assert!(taken * fill <= allowed);
            }
        }
    }

    #[test]
    fn the_wait_that_is_told_is_the_wait(
        tokens in 1..1000_u32,
        fill_millis in 1..100_000_u64,
        max in 1..20_u32,
        start in 0..SECOND,
    ) {
        let worker = Worker::new();
        worker.wait(start);
        let limiter = worker.limiter(&one_limit(tokens, fill_millis, max, 1));
        let decision = loop {
            let decision = limiter.decide(&worker, &get("/"));
            if decision.is_limited() {
                break decision;
            }
        };
        let wait = decision.refusing().unwrap().wait_nanos;
        worker.wait(wait - 1);
        prop_assert!(!admitted(&worker, &limiter));
        worker.wait(1);
        prop_assert!(admitted(&worker, &limiter));
    }

    #[test]
    fn clocks_that_are_set_neither_free_nor_starve(
        steps in vec((any::<bool>(), 0..7200 * SECOND, 0..200 * SECOND), 1..80),
    ) {
        let worker = Worker::new();
        // One a minute, five at once.
        let limiter = worker.limiter(&one_limit(1, 60_000, 5, 1));
        let (mut passed, mut forward) = (0_u64, 0_u64);
        for (set_back, by, wait) in steps {
            if set_back {
                worker.clock.set(worker.clock.get().saturating_sub(by));
            }
            passed += u64::from(admitted(&worker, &limiter));
            worker.wait(wait);
            forward += wait;
            passed += u64::from(admitted(&worker, &limiter));
            prop_assert!(passed <= 5 + forward / (60 * SECOND), "{passed} in {forward}");
        }
        // However it was set: a minute and the tolerance of a second later there is a token.
        admitted(&worker, &limiter);
        worker.wait(61 * SECOND);
        prop_assert!(admitted(&worker, &limiter));
    }

    #[test]
    fn any_client_text_has_a_decision(
        path in vec(any::<u8>(), 0..60),
        values in vec((0..4_usize, vec(any::<u8>(), 0..60)), 0..6),
        client in "\\PC{0,40}",
    ) {
        let worker = Worker::new();
        let limiter = worker.limiter(
            r#"{"limits":[{"name":"all","match":{"path":{"template":"/{a}/{b...}"}},"key":[
                {"clientAddress":{}},{"header":{"name":"x"}},{"cookie":{"name":"c"}},{"jwtClaim":{"claim":"sub"}},
                {"pathVariable":{"name":"b"}}],"tokensPerFill":1,"fillInterval":"1h"},
                {"name":"any","key":[{"header":{"name":"x"}}],"tokensPerFill":1,"fillInterval":"1h"}],
                "headers":{"rateLimit":true,"onAllowed":true}}"#,
        );
        let names = ["x", "cookie", "authorization", "content-type"];
        let mut headers = backstop_http::Headers::from_pairs([(":method", "POST")]);
        headers.push(b":path", &path);
        for (name, value) in &values {
            headers.push(names[*name].as_bytes(), value);
        }
        worker.from(&client);
        let first = limiter.decide(&worker, &headers);
        prop_assert!(!first.is_limited());
        prop_assert!(!limiter.response_headers(&first).is_empty());
        let second = limiter.decide(&worker, &headers);
        prop_assert!(second.is_limited(), "the same request has the same key");
        prop_assert!(limiter.answer(&second, &headers).is_some());
        let line = limiter.log_line(&second, &headers, &worker, 0).unwrap();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{}", line);
    }
}

/// A request of one worker, and the requests of other workers that come in before its writes.
#[derive(Clone, Debug)]
struct Scene {
    path: usize,
    before_writes: Vec<Scene>,
}

const PATHS: [&str; 3] = ["/a", "/b", "/a/b"];
const CONTENDED: &str = r#"{"limits":[
    {"name":"a","match":{"path":{"prefix":"/a"}},"tokensPerFill":6,"fillInterval":"1h"},
    {"name":"deep","match":{"path":{"exact":"/a/b"}},"tokensPerFill":4,"fillInterval":"1h"},
    {"name":"b","match":{"path":{"exact":"/b"}},"tokensPerFill":5,"fillInterval":"1h"},
    {"name":"all","tokensPerFill":8,"fillInterval":"1h"},
    {"name":"trial","tokensPerFill":6,"fillInterval":"1h","mode":"shadow"}]}"#;

fn scenes() -> impl Strategy<Value = Scene> {
    let leaf = (0..PATHS.len()).prop_map(|path| Scene {
        path,
        before_writes: Vec::new(),
    });
    leaf.prop_recursive(5, 40, 6, |inner| {
        (0..PATHS.len(), vec(inner, 0..6)).prop_map(|(path, before_writes)| Scene {
            path,
            before_writes,
        })
    })
}

/// A request that passed: its path, and whether the shadow limit had tokens for it.
type Passed = Rc<RefCell<Vec<(usize, bool)>>>;

/// Plays a scene on a worker of its own; notes every request that passes.
#[cfg(test)]
fn play(scene: &Scene, data: &Data, passed: &Passed) {
    let worker = Worker::on(data);
    let limiter = limiter(&worker, CONTENDED, b"plugin");
    for other in &scene.before_writes {
        let (other, data, passed) = (other.clone(), data.clone(), Rc::clone(passed));
        worker
            .interleave
            .borrow_mut()
            .push(Box::new(move || play(&other, &data, &passed)));
    }
    let decision = limiter.decide(&worker, &get(PATHS[scene.path]));
    if !decision.is_limited() {
        let trial = decision
            .checks
            .iter()
            .any(|check| limiter.name(check) == "trial" && check.outcome == Outcome::Allowed);
        passed.borrow_mut().push((scene.path, trial));
    }
}

proptest! {
    #[test]
    fn however_workers_interleave_no_token_is_lost_or_given_twice(scenes in vec(scenes(), 1..6)) {
        let data = Data::default();
        let passed = Passed::default();
        for scene in &scenes {
            play(scene, &data, &passed);
        }
        let passed = passed.borrow();
        let of = |paths: &[usize]| passed.iter().filter(|(path, _)| paths.contains(path)).count();
        let taken = [
            ("a", 6, of(&[0, 2])),
            ("deep", 4, of(&[2])),
            ("b", 5, of(&[1])),
            ("all", 8, passed.len()),
            ("trial", 6, passed.iter().filter(|(_, trial)| *trial).count()),
        ];
        // What is left in every bucket is what those that passed did not take: nothing was lost, nothing given twice.
        let worker = Worker::on(&data);
        let limiter = limiter(&worker, CONTENDED, b"plugin");
        for path in ["/a/b", "/b"] {
            let decision = limiter.decide(&worker, &get(path));
            for check in &decision.checks {
                let name = limiter.name(check);
                let (_, max, taken) = taken.iter().find(|(limit, ..)| *limit == name).unwrap();
                let own = usize::from(check.outcome == Outcome::Allowed);
                let (left, _) = limiter.tokens(check).unwrap();
                prop_assert_eq!(left as usize + taken + own, *max, "{} after {}", name, path);
            }
            if !decision.is_limited() {
                // Its own tokens are not among those counted above.
                break;
            }
        }
    }
}

//! What requests cost: quantiles of time and fuel, and the slowest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;

use super::Verdict;

/// How many of the slowest requests are kept.
const SLOWEST: usize = 5;

/// One of the slowest requests. Ordered by fuel, where it is counted: on a busy machine the time of a single request says
/// little.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Slow {
    /// Fuel.
    pub fuel: u64,
    /// Time, in nanoseconds.
    pub ns: u64,
    /// The request's id.
    pub id: String,
    /// Method and path.
    pub request: String,
}

/// Quantiles of one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of the requests cost no more.
    pub p50: f64,
    /// 99 of 100 requests cost no more.
    pub p99: f64,
    /// The dearest request.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

/// The cost of all requests that reached the filter.
#[derive(Debug)]
pub struct Cost {
    time: Histogram<u64>,
    fuel: Histogram<u64>,
    slowest: BinaryHeap<Reverse<Slow>>,
}

impl Cost {
    /// No request yet.
    ///
    /// # Errors
    /// None in practice: the histogram's precision is fixed.
    pub fn new() -> Result<Self, CreationError> {
        Ok(Self {
            time: Histogram::new(3)?,
            fuel: Histogram::new(3)?,
            slowest: BinaryHeap::new(),
        })
    }

    /// Counts one request that reached the filter.
    pub fn add(&mut self, verdict: &Verdict, id: &str, request: impl FnOnce() -> String) {
        let ns = nanos(verdict.time);
        // A histogram that resizes itself refuses no value.
        let _ = self.time.record(ns);
        let _ = self.fuel.record(verdict.fuel);
        let dear = self.slowest.len() < SLOWEST
            || self
                .slowest
                .peek()
                .is_some_and(|Reverse(least)| (verdict.fuel, ns) > (least.fuel, least.ns));
        if dear {
            self.slowest.push(Reverse(Slow {
                ns,
                fuel: verdict.fuel,
                id: id.to_string(),
                request: request(),
            }));
            if self.slowest.len() > SLOWEST {
                self.slowest.pop();
            }
        }
    }

    /// How many requests were counted.
    pub fn count(&self) -> u64 {
        self.time.len()
    }

    /// Time per request, in microseconds.
    pub fn time_us(&self) -> Quantiles {
        quantiles(&self.time, 1000.0)
    }

    /// Fuel per request.
    pub fn fuel(&self) -> Quantiles {
        quantiles(&self.fuel, 1.0)
    }

    /// The requests that used most fuel, most first.
    pub fn slowest(&self) -> Vec<Slow> {
        let mut slowest: Vec<Slow> = self
            .slowest
            .iter()
            .map(|Reverse(slow)| slow.clone())
            .collect();
        slowest.sort_by(|a, b| b.cmp(a));
        slowest
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn quantiles(histogram: &Histogram<u64>, unit: f64) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    let at = |q| histogram.value_at_quantile(q) as f64 / unit;
    Quantiles {
        p50: at(0.5),
        p99: at(0.99),
        max: histogram.max() as f64 / unit,
        mean: histogram.mean() / unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Decision;

    fn verdict(us: u64) -> Verdict {
        Verdict {
            decision: Decision::Passed(None),
            status: 200,
            time: Duration::from_micros(us),
            fuel: us * 10,
        }
    }

    #[test]
    fn quantiles_and_the_slowest() {
        let mut cost = Cost::new().unwrap();
        for us in (1..=100).rev() {
            cost.add(&verdict(us), &us.to_string(), || format!("GET /{us}"));
        }
        let time = cost.time_us();
        assert_eq!(
            (time.p50.round(), time.p99.round(), time.max.round()),
            (50.0, 99.0, 100.0)
        );
        assert_eq!(cost.fuel().max, 1000.0);
        let slowest: Vec<String> = cost.slowest().into_iter().map(|slow| slow.id).collect();
        assert_eq!(slowest, ["100", "99", "98", "97", "96"]);
    }

    #[test]
    fn no_request_costs_nothing() {
        assert_eq!(Cost::new().unwrap().time_us(), Quantiles::default());
    }
}

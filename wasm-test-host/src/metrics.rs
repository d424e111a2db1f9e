//! Metrics of the process by name, and each VM's own numbers for them.

use std::collections::{BTreeMap, HashMap};

use crate::abi::Status;

/// Kinds of metric in the ABI; the two low bits of a metric's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Records single values.
    Histogram,
}

impl MetricKind {
    fn from_abi(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::Counter,
            1 => Self::Gauge,
            2 => Self::Histogram,
            _ => return None,
        })
    }
}

/// All metrics of a gateway. Names are the guest's own; Envoy shows them as `wasmcustom.<name>`. Envoy's own
/// statistics about VMs are here too, by their full names (`wasm.<plugin>.vm_reload`).
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, u64>,
    histograms: BTreeMap<String, Vec<u64>>,
}

/// A histogram keeps this many values and then drops the oldest: memory stays bounded over long replays.
const HISTOGRAM_CAPACITY: usize = 4096;

impl Metrics {
    /// Value of a counter; 0 when nobody defined it.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// Value of a gauge; 0 when nobody defined it.
    pub fn gauge(&self, name: &str) -> u64 {
        self.gauges.get(name).copied().unwrap_or(0)
    }

    /// Values a histogram recorded, oldest first, at most the last 4096.
    pub fn histogram(&self, name: &str) -> &[u64] {
        self.histograms.get(name).map_or(&[], Vec::as_slice)
    }

    /// All counters by name.
    pub fn counters(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counters
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }

    /// All gauges by name.
    pub fn gauges(&self) -> impl Iterator<Item = (&str, u64)> {
        self.gauges
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }

    /// Sum of all counters whose name starts so: a metric with labels, over all its labels.
    pub fn counter_sum(&self, prefix: &str) -> u64 {
        self.counters
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, value)| value)
            .sum()
    }

    pub(crate) fn count(&mut self, name: &str, by: u64) {
        add(&mut self.counters, name, by);
    }

    fn define(&mut self, kind: MetricKind, name: &str) {
        match kind {
            MetricKind::Counter => drop(self.counters.entry(name.to_owned()).or_default()),
            MetricKind::Gauge => drop(self.gauges.entry(name.to_owned()).or_default()),
            MetricKind::Histogram => drop(self.histograms.entry(name.to_owned()).or_default()),
        }
    }
}

fn add(map: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    match map.get_mut(name) {
        Some(value) => *value = value.wrapping_add(by),
        None => drop(map.insert(name.to_owned(), by)),
    }
}

/// The numbers one VM knows its metrics by. Envoy 1.37 (`context.cc`): each `define` gives a new number, also
/// for a name it has; numbers grow by 4, the low bits are the kind.
#[derive(Debug, Default)]
pub(crate) struct MetricIds {
    names: HashMap<u32, (MetricKind, String)>,
    last: [u32; 3],
}

const KIND_MASK: u32 = 3;
const STEP: u32 = 4;

impl MetricIds {
    pub(crate) fn define(
        &mut self,
        metrics: &mut Metrics,
        kind: u32,
        name: &[u8],
    ) -> Result<u32, Status> {
        let kind = MetricKind::from_abi(kind).ok_or(Status::BadArgument)?;
        let name = String::from_utf8_lossy(name).into_owned();
        metrics.define(kind, &name);
        let last = &mut self.last[kind as usize];
        *last += STEP;
        let id = *last | kind as u32;
        self.names.insert(id, (kind, name));
        Ok(id)
    }

    /// A counter takes only positive steps; a gauge any; a histogram none (`Context::incrementMetric`).
    pub(crate) fn increment(
        &self,
        metrics: &mut Metrics,
        id: u32,
        offset: i64,
    ) -> Result<(), Status> {
        match id & KIND_MASK {
            0 => {
                let (_, name) = self.names.get(&id).ok_or(Status::NotFound)?;
                if offset <= 0 {
                    return Err(Status::BadArgument);
                }
                add(&mut metrics.counters, name, offset as u64);
            }
            1 => {
                let (_, name) = self.names.get(&id).ok_or(Status::NotFound)?;
                add(&mut metrics.gauges, name, offset as u64);
            }
            _ => return Err(Status::BadArgument),
        }
        Ok(())
    }

    /// On a counter this adds, on a gauge it sets, on a histogram it records (`Context::recordMetric`).
    pub(crate) fn record(&self, metrics: &mut Metrics, id: u32, value: u64) -> Result<(), Status> {
        let (kind, name) = self.names.get(&id).ok_or(Status::NotFound)?;
        match kind {
            MetricKind::Counter => add(&mut metrics.counters, name, value),
            MetricKind::Gauge => drop(metrics.gauges.insert(name.clone(), value)),
            MetricKind::Histogram => {
                let values = metrics.histograms.entry(name.clone()).or_default();
                if values.len() == HISTOGRAM_CAPACITY {
                    values.remove(0);
                }
                values.push(value);
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, metrics: &Metrics, id: u32) -> Result<u64, Status> {
        match id & KIND_MASK {
            0 | 1 => {
                let (kind, name) = self.names.get(&id).ok_or(Status::NotFound)?;
                Ok(if *kind == MetricKind::Counter {
                    metrics.counter(name)
                } else {
                    metrics.gauge(name)
                })
            }
            _ => Err(Status::BadArgument),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defining_twice_gives_a_new_number_for_the_same_metric() {
        let (mut ids, mut metrics) = (MetricIds::default(), Metrics::default());
        let first = ids.define(&mut metrics, 0, b"hits").unwrap();
        let second = ids.define(&mut metrics, 0, b"hits").unwrap();
        assert_ne!(first, second);
        ids.increment(&mut metrics, first, 2).unwrap();
        ids.increment(&mut metrics, second, 3).unwrap();
        assert_eq!(metrics.counter("hits"), 5);
    }

    #[test]
    fn a_counter_refuses_to_stand_still_or_fall() {
        let (mut ids, mut metrics) = (MetricIds::default(), Metrics::default());
        let id = ids.define(&mut metrics, 0, b"hits").unwrap();
        assert_eq!(ids.increment(&mut metrics, id, 0), Err(Status::BadArgument));
        assert_eq!(
            ids.increment(&mut metrics, id, -1),
            Err(Status::BadArgument)
        );
    }

    #[test]
    fn histograms_record_and_cannot_be_read_or_incremented() {
        let (mut ids, mut metrics) = (MetricIds::default(), Metrics::default());
        let id = ids.define(&mut metrics, 2, b"time").unwrap();
        ids.record(&mut metrics, id, 7).unwrap();
        assert_eq!(metrics.histogram("time"), [7]);
        assert_eq!(ids.get(&metrics, id), Err(Status::BadArgument));
        assert_eq!(ids.increment(&mut metrics, id, 1), Err(Status::BadArgument));
    }

    #[test]
    fn unknown_kinds_and_numbers() {
        let (mut ids, mut metrics) = (MetricIds::default(), Metrics::default());
        assert_eq!(ids.define(&mut metrics, 3, b"x"), Err(Status::BadArgument));
        assert_eq!(ids.increment(&mut metrics, 400, 1), Err(Status::NotFound));
        assert_eq!(ids.record(&mut metrics, 402, 1), Err(Status::NotFound));
    }
}

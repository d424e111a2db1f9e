//! Metrics with bounded labels.
//!
//! Envoy makes a new id at each definition, so a name is defined once per VM and its id kept, over every configuration
//! that the VM will see. Labels go into the name in Istio's tag syntax, before its last part:
//! `backstop_waf.category=.=XSS;.;mode=.=block;.;findings_total` becomes
//! `backstop_waf_findings_total{category="XSS",mode="block"}`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::host::{self, MetricKind};

thread_local! {
    /// Ids by name; names that the host refused have none.
    static IDS: RefCell<HashMap<String, Option<u32>>> = RefCell::new(HashMap::new());
}

/// The most names that a VM defines: labels are bounded sets, this bounds mistakes.
const MAX_NAMES: usize = 4096;

fn id_of(kind: MetricKind, name: &str) -> Option<u32> {
    IDS.with(|ids| {
        let mut ids = ids.try_borrow_mut().ok()?;
        if let Some(id) = ids.get(name) {
            return *id;
        }
        if ids.len() >= MAX_NAMES {
            return None;
        }
        let id = host::define_metric(kind, name).ok();
        ids.insert(name.to_owned(), id);
        id
    })
}

/// A counter, defined at its first use.
#[derive(Debug)]
pub struct Counter {
    name: Cow<'static, str>,
    id: Cell<Option<u32>>,
}

impl Counter {
    /// A counter of that name, without labels.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            id: Cell::new(None),
        }
    }

    /// The counter `prefix` + labels + `name`, for what is counted at each request: its name is made once. Label values
    /// as for [`count_labelled`].
    pub fn labelled(prefix: &str, labels: &[(&str, &str)], name: &str) -> Self {
        Self {
            name: Cow::Owned(labelled(prefix, labels, name)),
            id: Cell::new(None),
        }
    }

    /// Adds one.
    pub fn increment(&self) {
        let id = self
            .id
            .get()
            .or_else(|| id_of(MetricKind::Counter, &self.name));
        self.id.set(id);
        if let Some(id) = id {
            // A metric that the host refuses is lost: a request must not fail for it.
            let _ = host::increment_metric(id, 1);
        }
    }
}

/// A histogram without labels, defined at its first use.
#[derive(Debug)]
pub struct Histogram {
    name: &'static str,
    id: Cell<Option<u32>>,
}

impl Histogram {
    /// A histogram of that name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            id: Cell::new(None),
        }
    }

    /// Records a sample.
    pub fn record(&self, value: u64) {
        let id = self
            .id
            .get()
            .or_else(|| id_of(MetricKind::Histogram, self.name));
        self.id.set(id);
        if let Some(id) = id {
            let _ = host::record_metric(id, value);
        }
    }
}

/// Adds one to the counter `prefix` + labels + `name`. Label values come from sets that are known when the filter is
/// built or configured (categories, rules, modes, names of limits), never from a request.
pub fn count_labelled(prefix: &str, labels: &[(&str, &str)], name: &str) {
    if let Some(id) = id_of(MetricKind::Counter, &labelled(prefix, labels, name)) {
        let _ = host::increment_metric(id, 1);
    }
}

/// The name with its labels in Istio's tag syntax.
fn labelled(prefix: &str, labels: &[(&str, &str)], name: &str) -> String {
    let mut text = String::with_capacity(96);
    text.push_str(prefix);
    text.push('.');
    for (label, value) in labels {
        text.push_str(label);
        text.push_str("=.=");
        text.push_str(value);
        text.push_str(";.;");
    }
    text.push_str(name);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_before_the_last_part_of_the_name() {
        assert_eq!(
            labelled(
                "backstop_waf",
                &[("category", "XSS"), ("mode", "block")],
                "findings_total"
            ),
            "backstop_waf.category=.=XSS;.;mode=.=block;.;findings_total"
        );
    }
}

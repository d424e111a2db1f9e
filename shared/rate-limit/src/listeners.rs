//! The tables of each listener.
//!
//! A proxy runs one root context for all listeners whose plugin has the same configuration, and that context cannot see
//! them: what tells a listener is the port that a request came to.

use std::cell::RefCell;
use std::rc::Rc;

use crate::limiter::Counter;

/// The most ports that are told apart; requests to more of them share buckets.
const MAX_PORTS: usize = 64;

/// A port, if requests are told apart by it.
type Port = Option<u16>;

/// The tables that requests have needed so far, by port.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    known: RefCell<Vec<(Port, Rc<[Counter]>)>>,
}

impl Listeners {
    /// The tables of a port; made when it is first seen, with the port that they are to belong to.
    pub(crate) fn counters(
        &self,
        port: Port,
        make: impl FnOnce(Port) -> Rc<[Counter]>,
    ) -> Rc<[Counter]> {
        let find = |port: Port| {
            let known = self.known.borrow();
            let found = known.iter().find(|(other, _)| *other == port);
            (found.map(|(_, counters)| counters.clone()), known.len())
        };
        let port = match find(port) {
            (Some(counters), _) => return counters,
            (None, known) if known < MAX_PORTS => port,
            _ => None,
        };
        if let (Some(counters), _) = find(port) {
            return counters;
        }
        let counters = make(port);
        self.known.borrow_mut().push((port, counters.clone()));
        counters
    }

    /// All tables so far.
    pub(crate) fn all(&self) -> Vec<Rc<[Counter]>> {
        let known = self.known.borrow();
        known.iter().map(|(_, counters)| counters.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_has_tables_until_there_are_too_many() {
        let listeners = Listeners::default();
        let mut made = Vec::new();
        for port in (1..=200).chain(1..=200) {
            listeners.counters(Some(port), |port| {
                made.push(port);
                Rc::from([])
            });
        }
        let mut expected: Vec<Port> = (1..=64).map(Some).collect();
        expected.push(None);
        assert_eq!(made, expected);
        assert_eq!(listeners.all().len(), 65);
    }
}

//! Requests that are held for a while, in bounded number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Requests of one worker that are held by a THROTTLE verdict. A tick lets go those whose time has come.
#[derive(Clone, Debug, Default)]
pub struct Held {
    max: usize,
    /// When each request is let go. What is in the heap and not here has left.
    due: BTreeMap<u32, u64>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Held {
    /// Holds at most `max` requests.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            ..Self::default()
        }
    }

    /// Holds a request, by its context's id, until `due`. `false`: there are too many already, and it is not held.
    pub fn hold(&mut self, request: u32, due: u64) -> bool {
        if self.due.len() >= self.max {
            return false;
        }
        // Requests that left stay in the heap until they are due, so that it may be twice as long, but no longer.
        if self.heap.len() >= self.max.saturating_mul(2) {
            self.heap = self
                .due
                .iter()
                .map(|(request, due)| Reverse((*due, *request)))
                .collect();
        }
        self.due.insert(request, due);
        self.heap.push(Reverse((due, request)));
        true
    }

    /// The request has left: its client is gone.
    pub fn leave(&mut self, request: u32) {
        self.due.remove(&request);
    }

    /// The next request whose time has come at `now`, the earliest first; it is held no longer.
    pub fn release(&mut self, now: u64) -> Option<u32> {
        while let Some(Reverse((due, request))) = self.heap.peek().copied() {
            if due > now && self.due.get(&request) == Some(&due) {
                return None;
            }
            self.heap.pop();
            if self.due.get(&request) == Some(&due) {
                self.due.remove(&request);
                return Some(request);
            }
        }
        None
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_go_in_the_order_of_their_time() {
        let mut held = Held::new(3);
        assert!(held.hold(1, 30) && held.hold(2, 10) && held.hold(3, 20));
        assert!(!held.hold(4, 5), "three are held");
        assert_eq!(held.release(9), None);
        assert_eq!(held.release(10), Some(2));
        assert_eq!(held.release(10), None);
        held.leave(3);
        assert!(held.hold(5, 30));
        assert_eq!(held.release(30), Some(1));
        assert_eq!(held.release(30), Some(5));
        assert_eq!(held.release(u64::MAX), None);
        assert!(held.is_empty());
    }

    proptest! {
        /// Each request that is held goes once, not before its time, unless it left; memory stays bounded.
        #[test]
        fn each_goes_once(
            max in 1_usize..8,
            steps in prop::collection::vec((0_u32..12, 0_u64..20, any::<bool>()), 0..200),
        ) {
            let mut held = Held::new(max);
            let mut model: BTreeMap<u32, u64> = BTreeMap::new();
            for (now, (request, delay, leaves)) in steps.into_iter().enumerate() {
                let now = now as u64;
                if leaves {
                    held.leave(request);
                    model.remove(&request);
                } else if !model.contains_key(&request) {
                    let taken = held.hold(request, now + delay);
                    prop_assert_eq!(taken, model.len() < max);
                    if taken {
                        model.insert(request, now + delay);
                    }
                }
                while let Some(released) = held.release(now) {
                    let due = model.remove(&released);
                    prop_assert!(due.is_some_and(|due| due <= now));
                }
                prop_assert!(model.values().all(|due| *due > now));
                prop_assert_eq!(held.len(), model.len());
                prop_assert!(held.heap.len() <= 2 * max + 1);
            }
        }
    }
}

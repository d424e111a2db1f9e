//! Shared queues (proxy-wasm-cpp-host `shared_queue.cc`): named per `vm_id`, first in first out; each enqueue
//! calls `proxy_on_queue_ready` on the one context that registered last.

use std::collections::{HashMap, VecDeque};

use crate::abi::Status;

/// The root context that a queue tells about new entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) vm: u64,
    pub(crate) context: u32,
}

#[derive(Debug, Default)]
pub(crate) struct SharedQueues {
    tokens: HashMap<(Vec<u8>, Vec<u8>), u32>,
    queues: HashMap<u32, Queue>,
    last_token: u32,
    ready: VecDeque<(Listener, u32)>,
}

#[derive(Debug)]
struct Queue {
    listener: Listener,
    entries: VecDeque<Vec<u8>>,
}

impl SharedQueues {
    /// Registers, or takes an existing queue over: its entries stay, the listener changes.
    pub(crate) fn register(&mut self, vm_id: &[u8], name: &[u8], listener: Listener) -> u32 {
        let token = *self
            .tokens
            .entry((vm_id.to_vec(), name.to_vec()))
            .or_insert_with(|| {
                self.last_token += 1;
                self.last_token
            });
        let queue = self.queues.entry(token).or_insert_with(|| Queue {
            listener,
            entries: VecDeque::new(),
        });
        queue.listener = listener;
        token
    }

    pub(crate) fn resolve(&self, vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
        self.tokens
            .get(&(vm_id.to_vec(), name.to_vec()))
            .copied()
            .ok_or(Status::NotFound)
    }

    pub(crate) fn enqueue(&mut self, token: u32, value: &[u8]) -> Result<(), Status> {
        let queue = self.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.entries.push_back(value.to_vec());
        self.ready.push_back((queue.listener, token));
        Ok(())
    }

    pub(crate) fn dequeue(&mut self, token: u32) -> Result<Vec<u8>, Status> {
        let queue = self.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.entries.pop_front().ok_or(Status::Empty)
    }

    /// The next `proxy_on_queue_ready` that is due.
    pub(crate) fn next_ready(&mut self) -> Option<(Listener, u32)> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Listener = Listener { vm: 1, context: 1 };
    const SECOND: Listener = Listener { vm: 2, context: 1 };

    #[test]
    fn registering_again_keeps_the_entries_and_moves_the_listener() {
        let mut queues = SharedQueues::default();
        let token = queues.register(b"", b"jobs", FIRST);
        queues.enqueue(token, b"a").unwrap();
        assert_eq!(queues.register(b"", b"jobs", SECOND), token);
        queues.enqueue(token, b"b").unwrap();
        assert_eq!(queues.next_ready(), Some((FIRST, token)));
        assert_eq!(queues.next_ready(), Some((SECOND, token)));
        assert_eq!(queues.dequeue(token), Ok(b"a".to_vec()));
        assert_eq!(queues.dequeue(token), Ok(b"b".to_vec()));
        assert_eq!(queues.dequeue(token), Err(Status::Empty));
    }

    #[test]
    fn unknown_queues_are_not_found() {
        let mut queues = SharedQueues::default();
        assert_eq!(queues.resolve(b"", b"none"), Err(Status::NotFound));
        assert_eq!(queues.enqueue(9, b"x"), Err(Status::NotFound));
        assert_eq!(queues.dequeue(9), Err(Status::NotFound));
    }
}

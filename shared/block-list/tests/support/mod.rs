//! Shared data of a process without a proxy.

#![allow(dead_code, reason = "each test uses its own part")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use backstop_block_list::{SharedData, Stored, Unavailable, Written};

pub const SECOND: u64 = 1_000_000_000;

/// Values by key with their versions, and the next version.
type Values = (HashMap<Vec<u8>, (Vec<u8>, u32)>, u32);

/// Shared data of a process, after proxy-wasm-cpp-host's `shared_data.cc`.
#[derive(Clone, Default)]
pub struct Data(Rc<RefCell<Values>>);

impl Data {
    pub fn bytes(&self) -> usize {
        self.0
            .borrow()
            .0
            .values()
            .map(|(value, _)| value.len())
            .sum()
    }
}

impl SharedData for Data {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        Ok(self.0.borrow().0.get(key).map(|(value, cas)| Stored {
            value: value.clone(),
            cas: *cas,
        }))
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        let (values, next) = &mut *self.0.borrow_mut();
        if let Some((_, current)) = values.get(key)
            && cas != 0
            && cas != *current
        {
            return Ok(Written::Conflict);
        }
        *next += 1;
        values.insert(key.to_vec(), (value.to_vec(), *next));
        Ok(Written::Done)
    }
}

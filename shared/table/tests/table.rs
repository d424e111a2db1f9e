//! The table against a model, and against other workers' writes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use backstop_table::{
    Change, Changed, Layout, Record, Seed, SharedData, Stored, Table, Unavailable, Written,
};
use proptest::prelude::*;

/// Values with the number that compare-and-swap asks for.
type Numbered = HashMap<Vec<u8>, (Vec<u8>, u32)>;

/// Shared data of a process, by the rules of proxy-wasm-cpp-host's `shared_data.cc`.
#[derive(Default)]
struct Data {
    values: RefCell<Numbered>,
    next: Cell<u32>,
    /// How many of the next writes come too late.
    lose: Cell<u32>,
    writes: Cell<u32>,
    broken: Cell<bool>,
}

impl SharedData for Data {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        if self.broken.get() {
            return Err(Unavailable);
        }
        Ok(self.values.borrow().get(key).map(|(value, cas)| Stored {
            value: value.clone(),
            cas: *cas,
        }))
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        let mut values = self.values.borrow_mut();
        self.next.set(self.next.get() + 1);
        if self.lose.get() > 0
            && let Some(stored) = values.get_mut(key)
        {
            self.lose.set(self.lose.get() - 1);
            stored.1 = self.next.get();
        }
        if let Some((_, current)) = values.get(key)
            && cas != 0
            && cas != *current
        {
            return Ok(Written::Conflict);
        }
        self.writes.set(self.writes.get() + 1);
        values.insert(key.to_vec(), (value.to_vec(), self.next.get()));
        Ok(Written::Done)
    }
}

fn hash(number: u64) -> u128 {
    thread_local! {
        static SEED: Seed = Seed::agree(&Data::default(), b"seed", [3; 16]).unwrap();
    }
    SEED.with(|seed| {
        let mut hasher = seed.hasher();
        hasher.field(1, &number.to_le_bytes());
        hasher.finish()
    })
}

fn put(value: u8, until: u64) -> Change<2> {
    Change::Put(Record {
        until,
        value: [value, 0],
    })
}

fn table(slots: u32, places: u32) -> Table<2> {
    Table::new(b"test/", Layout::of(slots, places), |value| value[0])
}

#[test]
fn a_change_that_met_another_one_is_made_again_and_in_the_end_given_up() {
    let (data, table) = (Data::default(), table(8, 4));
    data.lose.set(3);
    let mut asked = 0;
    let changed = table.change(&data, hash(1), 0, |_| {
        asked += 1;
        put(7, 10)
    });
    assert_eq!(changed, Ok(Changed::Written { displaced: None }));
    assert_eq!(asked, 4);
    data.lose.set(u32::MAX);
    assert_eq!(
        table.change(&data, hash(1), 0, |_| put(8, 10)),
        Ok(Changed::Contended)
    );
    assert_eq!(table.get(&data, hash(1), 0).unwrap().unwrap().value, [7, 0]);
}

#[test]
fn looking_and_keeping_write_nothing() {
    let (data, table) = (Data::default(), table(8, 4));
    assert_eq!(table.get(&data, hash(1), 0), Ok(None));
    assert_eq!(data.writes.get(), 0);
    let _ = table.change(&data, hash(1), 0, |_| put(1, 10));
    let writes = data.writes.get();
    assert_eq!(
        table.change(&data, hash(1), 0, |_| Change::Keep),
        Ok(Changed::Kept)
    );
    assert_eq!(data.writes.get(), writes);
    data.broken.set(true);
    assert_eq!(table.get(&data, hash(1), 0), Err(Unavailable));
}

#[test]
fn the_seed_is_the_first_workers() {
    let data = Data::default();
    let ask = |candidate| {
        let seed = Seed::agree(&data, b"seed", candidate).unwrap();
        seed.hasher().finish()
    };
    assert_eq!(ask([1; 16]), ask([2; 16]));
}

proptest! {
    /// Whatever is put: memory stays what the layout says, a record is found with its last value or was reported as
    /// displaced, and none is found after its time.
    #[test]
    fn nothing_is_lost_untold(
        slots in 1_u32..40,
        places in 1_u32..9,
        puts in prop::collection::vec((0_u64..60, any::<u8>(), 1_u64..100), 1..200),
    ) {
        let (data, table) = (Data::default(), table(slots, places));
        let mut model: HashMap<u64, Record<2>> = HashMap::new();
        let mut displaced_in_all = 0;
        for (now, (key, value, ttl)) in puts.iter().enumerate() {
            let now = now as u64;
            let record = Record { until: now + ttl, value: [*value, 1] };
            let changed = table.change(&data, hash(*key), now, |_| Change::Put(record)).unwrap();
            let Changed::Written { displaced } = changed else { panic!("{changed:?}") };
            model.insert(*key, record);
            if let Some(displaced) = displaced {
                displaced_in_all += 1;
                prop_assert!(model.values().any(|record| *record == displaced));
            }
            prop_assert_eq!(table.get(&data, hash(*key), now).unwrap(), Some(record));
            prop_assert_eq!(table.get(&data, hash(*key), record.until).unwrap(), None);
        }
        let now = puts.len() as u64;
        let live = model.values().filter(|record| record.until > now).count();
        let mut found = 0;
        for (key, record) in &model {
            if let Some(seen) = table.get(&data, hash(*key), now).unwrap() {
                prop_assert_eq!(seen, *record);
                found += 1;
            }
        }
        prop_assert_eq!(table.live(&data, now).unwrap(), found);
        prop_assert!(live <= found + displaced_in_all);
        let bytes: usize = data.values.borrow().values().map(|(value, _)| value.len()).sum();
        prop_assert!(bytes <= table.bytes());
    }
}

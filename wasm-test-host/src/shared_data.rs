//! Shared data: one key space per `vm_id`, for every worker and every plugin of the process.

use std::collections::{BTreeMap, HashMap};

use crate::abi::Status;

/// Shared data of a process, with the rules of proxy-wasm-cpp-host `shared_data.cc`, which are odd:
/// a CAS of 0 writes always; on a key that does not exist yet the CAS is ignored (Envoy 1.37, verified);
/// "removing" stores an empty value, and the key with its CAS number stays (Envoy 1.37, verified).
#[derive(Debug)]
pub(crate) struct SharedData {
    spaces: HashMap<Vec<u8>, BTreeMap<Vec<u8>, Entry>>,
    next_cas: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Vec<u8>,
    cas: u32,
}

impl Default for SharedData {
    fn default() -> Self {
        Self {
            spaces: HashMap::new(),
            next_cas: 1,
        }
    }
}

impl SharedData {
    pub(crate) fn get(&self, vm_id: &[u8], key: &[u8]) -> Result<(&[u8], u32), Status> {
        let entry = self
            .spaces
            .get(vm_id)
            .and_then(|space| space.get(key))
            .ok_or(Status::NotFound)?;
        Ok((&entry.value, entry.cas))
    }

    pub(crate) fn set(
        &mut self,
        vm_id: &[u8],
        key: &[u8],
        value: &[u8],
        cas: u32,
    ) -> Result<(), Status> {
        if !self.spaces.contains_key(vm_id) {
            self.spaces.insert(vm_id.to_vec(), BTreeMap::new());
        }
        let space = self.spaces.entry(vm_id.to_vec()).or_default();
        match space.get_mut(key) {
            Some(entry) if cas != 0 && cas != entry.cas => return Err(Status::CasMismatch),
            Some(entry) => {
                entry.value.clear();
                entry.value.extend_from_slice(value);
                entry.cas = self.next_cas;
            }
            None => {
                space.insert(
                    key.to_vec(),
                    Entry {
                        value: value.to_vec(),
                        cas: self.next_cas,
                    },
                );
            }
        }
        self.next_cas = self.next_cas.checked_add(1).unwrap_or(1);
        Ok(())
    }

    pub(crate) fn snapshot(&self, vm_id: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let space = self.spaces.get(vm_id);
        space
            .into_iter()
            .flatten()
            .map(|(key, entry)| (key.clone(), entry.value.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cas_zero_writes_always() {
        let mut data = SharedData::default();
        data.set(b"", b"k", b"1", 0).unwrap();
        data.set(b"", b"k", b"2", 0).unwrap();
        assert_eq!(data.get(b"", b"k").unwrap(), (b"2".as_slice(), 2));
    }

    #[test]
    fn cas_is_ignored_when_the_key_is_created() {
        let mut data = SharedData::default();
        assert_eq!(data.set(b"", b"new", b"1", 77), Ok(()));
    }

    #[test]
    fn a_stale_cas_is_refused() {
        let mut data = SharedData::default();
        data.set(b"", b"k", b"1", 0).unwrap();
        let cas = data.get(b"", b"k").unwrap().1;
        data.set(b"", b"k", b"2", cas).unwrap();
        assert_eq!(data.set(b"", b"k", b"3", cas), Err(Status::CasMismatch));
    }

    #[test]
    fn spaces_are_apart_and_cas_numbers_are_not() {
        let mut data = SharedData::default();
        data.set(b"a", b"k", b"1", 0).unwrap();
        data.set(b"b", b"k", b"2", 0).unwrap();
        assert_eq!(data.get(b"a", b"k").unwrap(), (b"1".as_slice(), 1));
        assert_eq!(data.get(b"b", b"k").unwrap(), (b"2".as_slice(), 2));
        assert_eq!(data.get(b"c", b"k"), Err(Status::NotFound));
    }
}

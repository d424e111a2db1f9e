//! What the tables live in: values that all workers of the proxy see.

/// The proxy could not do it: it has no shared data, or refused the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// A value and the number that names its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value; empty where it was never more than created.
    pub value: Vec<u8>,
    /// Its version, never 0.
    pub cas: u32,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there.
    Done,
    /// Somebody else wrote meanwhile: nothing changed.
    Conflict,
}

/// Shared data with Envoy's rules (proxy-wasm-cpp-host `shared_data.cc`): a write with the version of what was read fails if
/// that has changed, a write with version 0 always succeeds, and **a write of a key that does not exist succeeds whatever
/// its version**. There is no removal.
pub trait SharedData {
    /// The value at `key`, if it exists.
    ///
    /// # Errors
    /// When the host has no shared data.
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable>;

    /// Writes `value` if `key` is still at version `cas`.
    ///
    /// # Errors
    /// When the host has no shared data.
    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable>;
}

/// A version that no existing key has but for one write in four thousand million.
const NEVER: u32 = u32::MAX;

/// The value at `key`, which is created as `initial` if it does not exist.
///
/// Two workers may find it missing at once. A write with version 0 would let the second undo what the first has put
/// there meanwhile; with a version that cannot be right, the second write fails on Envoy, and both go on from
/// the first one's.
///
/// # Errors
/// When the host has no shared data.
pub fn load_or_create(
    shared: &impl SharedData,
    key: &[u8],
    initial: &[u8],
) -> Result<Stored, Unavailable> {
    // The last resort is for a host that, unlike Envoy, does not create a key with a version.
    for version in [NEVER, 0] {
        if let Some(stored) = shared.get(key)? {
            return Ok(stored);
        }
        shared.set(key, initial, version)?;
    }
    shared.get(key)?.ok_or(Unavailable)
}

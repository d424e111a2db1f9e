//! Time as an oracle: an input repeated to a fixed size must be done within a bound that a square would miss by far.

/// The size that inputs are repeated to.
const SIZE: usize = 32 * 1024;
/// The most CPU time for that many bytes, in nanoseconds. Coverage counters and overflow checks included, linear work takes
/// a few milliseconds to a few tens of them, on a busy machine some hundreds; 32 K steps squared take more than a second.
const BOUND: u64 = 800_000_000;
/// One input in this many is repeated, by a hash of it: a finding is found again.
const ONE_IN: u64 = 256;

/// Runs `work` over `input`, repeated, for one input in many.
pub fn check(input: &[u8], mut work: impl FnMut(&[u8])) {
    if input.is_empty() || input.len() > 512 || !hash(input).is_multiple_of(ONE_IN) {
        return;
    }
    let long = input.repeat(SIZE.div_ceil(input.len()));
    let mut fastest = u64::MAX;
    // A slow round may be the machine's; three are the input's.
    for _ in 0..3 {
        let before = cpu_nanos();
        work(&long);
        fastest = fastest.min(cpu_nanos().saturating_sub(before));
        if fastest <= BOUND {
            return;
        }
    }
    panic!(
        "{fastest} ns for {} bytes of {}",
        long.len(),
        input.escape_ascii()
    );
}

/// Nanoseconds that this thread has run, not those it waited.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let running = text.split_ascii_whitespace().next();
    running
        .and_then(|nanos| nanos.parse().ok())
        .unwrap_or_default()
}

/// FNV-1a, with its high bits folded down.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

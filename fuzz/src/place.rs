//! Where a fuzzed value is said to stand.

use backstop_detect::Level;
use backstop_http::{Kind, Place};

/// Every kind of place.
const KINDS: [Kind; 19] = Kind::ALL;

/// Names that some rule looks at, and some that none does.
const NAMES: [&[u8]; 17] = [
    b"",
    b"q",
    b"query",
    b"url",
    b"file",
    b"user-agent",
    b"referer",
    b"authorization",
    b"accept",
    b"x-forwarded-for",
    b"host",
    b"a[$ne]",
    b"$where",
    b"/query",
    b"/queries/0/expr",
    b"callback",
    b"\xff\0",
];

/// Reads two bytes: kind and sensitivity, name. The rest is the value.
pub fn place(data: &[u8]) -> Option<(Place<'static>, Level, &[u8])> {
    let (&[kind, name], value) = data.split_first_chunk::<2>()?;
    let levels = [Level::One, Level::Two, Level::Three];
    let place = Place::new(
        KINDS[usize::from(kind) % KINDS.len()],
        NAMES[usize::from(name) % NAMES.len()],
    );
    let level = levels[usize::from(kind) / KINDS.len() % levels.len()];
    Some((place, level, value))
}

/// The two bytes that [`place`] reads as the given place, as far as the name is one of ours, at level 1.
pub fn bytes_of(place: Place<'_>) -> [u8; 2] {
    let position = |found: Option<usize>| found.unwrap_or_default() as u8;
    [
        position(KINDS.iter().position(|kind| *kind == place.kind)),
        position(NAMES.iter().position(|name| *name == place.name)),
    ]
}

//! Quotes alone, as a first probe sends them. Only the stricter levels look at them.

use super::rules;
use crate::{Hits, Input, Level};

/// The longest value that is taken for a probe, in bytes.
const SHORT: usize = 32;

/// Judges the quotes of the value.
pub fn judge(input: &Input<'_>, hits: &mut Hits) {
    if input.level < Level::Two {
        return;
    }
    let bytes = input.bytes;
    let body = bytes.trim_ascii();
    let closed = body
        .iter()
        .rposition(|b| !matches!(b, b')' | b'(' | b';' | b'\'' | b'"'));
    let tail = body.get(closed.map_or(0, |i| i + 1)..).unwrap_or_default();
    let quoted = tail.contains(&b'\'') || tail.contains(&b'"');
    let plain = !body.iter().any(u8::is_ascii_whitespace);
    if quoted && plain && body.len() <= SHORT && is_odd(body) {
        hits.push(&rules::QUOTE_PROBE, 0..bytes.len());
    }
    if is_odd(body) {
        let at = bytes
            .iter()
            .position(|b| matches!(b, b'\'' | b'"'))
            .unwrap_or(0);
        hits.push(&rules::ANY_QUOTE, at..(at + 1).min(bytes.len()));
    }
}

fn is_odd(bytes: &[u8]) -> bool {
    let count = |quote: u8| bytes.iter().filter(|b| **b == quote).count();
    count(b'\'') % 2 == 1 || count(b'"') % 2 == 1
}

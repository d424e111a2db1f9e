//! One pass over a value that says which detectors deserve to look at it and which decodings may change it.
//!
//! A dense DFA over every category's anchors, built by `build.rs`: one table look-up per byte, whatever the
//! number of rules. It is a superset of the detectors: what it lets pass unmarked, none of them finds.

use crate::Category;

#[allow(clippy::unreadable_literal)]
mod tables {
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

/// What one pass saw: six bits for each category, four decoding triggers above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Features(u64);

impl Features {
    /// The six bits of `category`, as its `anchors.rs` assigns them.
    pub const fn of(self, category: Category) -> u8 {
        ((self.0 >> (6 * category as u32)) & 0x3f) as u8
    }

    /// The decoding triggers, as `triggers.rs` assigns them.
    pub const fn triggers(self) -> u8 {
        (self.0 >> 60) as u8
    }

    /// Whether any category's anchor was seen.
    pub const fn any_category(self) -> bool {
        self.0 << 4 != 0
    }

    /// Whether nothing was seen: not an attack in any form.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Sweeps `bytes` once.
pub fn features(bytes: &[u8]) -> Features {
    let mut state = 0usize;
    let mut seen = 0;
    for byte in bytes {
        // Neither look-up can miss; `get` keeps that from being a panic if the tables were ever wrong.
        let class = tables::CLASSES
            .get(usize::from(*byte))
            .copied()
            .unwrap_or(0);
        state = usize::from(
            tables::NEXT
                .get(state << tables::SHIFT | usize::from(class))
                .copied()
                .unwrap_or(0),
        );
        if state >= usize::from(tables::FIRST_MATCH) {
            seen |= tables::OUT
                .get(state - usize::from(tables::FIRST_MATCH))
                .copied()
                .unwrap_or(0);
        }
    }
    Features(seen)
}

/// Every literal that the tables were built from, folded.
#[cfg(test)]
pub fn literals() -> &'static [&'static [u8]] {
    &tables::LITERALS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triggers;

    #[test]
    fn a_plain_value_has_no_features_and_a_sign_has_its_trigger() {
        assert_eq!(features(b"").0, 0);
        for (bytes, bits) in [
            (&b"100%"[..], triggers::PERCENT),
            (b"a&b", triggers::ENTITY),
            (b"x+ADw-y", triggers::ENTITY),
            (b"a\\b", triggers::BACKSLASH),
            (b"a\0b", triggers::WIDE),
            ("한글".as_bytes(), triggers::WIDE),
            (&[0xff], triggers::WIDE),
        ] {
            assert_eq!(features(bytes).triggers(), bits, "{bytes:?}");
        }
    }

    /// The automaton against a naive search, for every literal embedded in noise, in both cases.
    #[test]
    fn every_literal_is_seen_wherever_it_stands() {
        for literal in literals() {
            let alone = features(literal);
            assert!(!alone.is_empty(), "{:?}", literal.escape_ascii());
            for wrapped in [
                [b"~~", *literal].concat(),
                [*literal, b"~~"].concat(),
                [&literal[..literal.len() / 2], *literal].concat(),
                literal.to_ascii_uppercase(),
            ] {
                let seen = features(&wrapped);
                assert_eq!(seen.0 & alone.0, alone.0, "{:?}", wrapped.escape_ascii());
            }
        }
    }
}

//! Which kinds of bytes a value holds: one look-up per byte answers what several checks ask.

/// A set of kinds of bytes, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape(u16);

impl Shape {
    /// Letters and digits.
    pub(crate) const ALNUM: Shape = Shape(1);
    const HYPHEN: Shape = Shape(1 << 1);
    const DOT: Shape = Shape(1 << 2);
    const UNDERSCORE: Shape = Shape(1 << 3);
    const SLASH: Shape = Shape(1 << 4);
    /// `:` and `,`.
    const COLON: Shape = Shape(1 << 5);
    /// `~` and `@`.
    const TILDE: Shape = Shape(1 << 6);
    const SPACE: Shape = Shape(1 << 7);
    const PLUS: Shape = Shape(1 << 8);
    const SEMICOLON: Shape = Shape(1 << 9);
    /// Tab, `=`, `*`, `"`, `!` and `?`.
    const LISTED: Shape = Shape(1 << 10);
    /// `[` and `]`.
    const BRACKET: Shape = Shape(1 << 11);
    /// `(` and `)`.
    const PARENTHESIS: Shape = Shape(1 << 12);
    const BACKSLASH: Shape = Shape(1 << 13);
    /// Whatever has no kind of its own.
    const OTHER: Shape = Shape(1 << 15);

    /// Names as programs give them.
    pub(crate) const WORD: Shape = Self::ALNUM.or(Self::UNDERSCORE);
    /// What the segments of an ordinary path are made of.
    pub(crate) const PATH: Shape = Self::ALNUM
        .or(Self::HYPHEN)
        .or(Self::DOT)
        .or(Self::UNDERSCORE)
        .or(Self::SLASH)
        .or(Self::COLON)
        .or(Self::TILDE);
    /// Products of a user agent, and its comments without their parentheses and semicolons.
    const AGENT: Shape = Self::ALNUM
        .or(Self::HYPHEN)
        .or(Self::DOT)
        .or(Self::UNDERSCORE)
        .or(Self::SLASH)
        .or(Self::COLON)
        .or(Self::SPACE)
        .or(Self::PLUS);
    /// What header fields of known grammar hold (RFC 9110, RFC 8941, RFC 9112; W3C Trace Context).
    pub(crate) const LIST: Shape = Self::AGENT
        .or(Self::TILDE)
        .or(Self::SEMICOLON)
        .or(Self::LISTED)
        .or(Self::BRACKET);
    /// The same of Client Hints. Greased brands hold any sign that a token may not: `"Not(A:Brand";v="8"`, `" Not;A Brand"`.
    pub(crate) const BRANDS: Shape = Self::AGENT
        .or(Self::TILDE)
        .or(Self::SEMICOLON)
        .or(Self::LISTED)
        .or(Self::PARENTHESIS)
        .or(Self::BACKSLASH);

    /// The kinds that `bytes` holds.
    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let (fours, tail) = bytes.as_chunks::<4>();
        let mut seen = 0;
        for [a, b, c, d] in fours {
            seen |= kind(*a) | kind(*b) | kind(*c) | kind(*d);
        }
        for byte in tail {
            seen |= kind(*byte);
        }
        Self(seen)
    }

    /// Whether all of its kinds are among `others`.
    pub(crate) const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn of_byte(byte: u8) -> Self {
        match byte {
            b'-' => Self::HYPHEN,
            b'.' => Self::DOT,
            b'_' => Self::UNDERSCORE,
            b'/' => Self::SLASH,
            b':' | b',' => Self::COLON,
            b'~' | b'@' => Self::TILDE,
            b' ' => Self::SPACE,
            b'+' => Self::PLUS,
            b';' => Self::SEMICOLON,
            b'\t' | b'=' | b'*' | b'"' | b'!' | b'?' => Self::LISTED,
            b'[' | b']' => Self::BRACKET,
            b'(' | b')' => Self::PARENTHESIS,
            b'\\' => Self::BACKSLASH,
            _ if byte.is_ascii_alphanumeric() => Self::ALNUM,
            _ => Self::OTHER,
        }
    }
}

static KINDS: [u16; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut byte = 0;
    while let [cell, tail @ ..] = rest {
        *cell = Shape::of_byte(byte).0;
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
};

#[inline(always)]
fn kind(byte: u8) -> u16 {
    KINDS
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Shape::OTHER.0)
}

/// Whether a user agent is products and comments (RFC 9110 section 10.1.5) of plain characters: semicolons in comments
/// only, a comment after white space, every comment closed. No quote, no sign of a shell, a tag or a look-up.
pub(crate) fn is_plain_user_agent(value: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut previous = b' ';
    let (eights, tail) = value.as_chunks::<8>();
    for eight in eights {
        // Most of a user agent is words: eight look-ups and no decision.
        let kinds = eight.iter().fold(0, |kinds, byte| kinds | kind(*byte));
        if kinds & !Shape::AGENT.0 != 0 && !nests(eight, previous, &mut depth) {
            return false;
        }
        let [.., last] = eight;
        previous = *last;
    }
    nests(tail, previous, &mut depth) && depth == 0
}

/// Whether `bytes`, behind `previous`, keeps to the grammar of a plain user agent; counts the comments that are open.
fn nests(bytes: &[u8], mut previous: u8, depth: &mut usize) -> bool {
    for byte in bytes {
        if kind(*byte) & !Shape::AGENT.0 != 0 {
            match byte {
                b'(' if matches!(previous, b' ' | b'(') => *depth += 1,
                b')' if *depth > 0 => *depth -= 1,
                b';' if *depth > 0 => {}
                _ => return false,
            }
        }
        previous = *byte;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_what_any_byte_of_the_value_adds() {
        assert!(Shape::of(b"").is_within(Shape::ALNUM));
        for (bytes, within, beyond) in [
            (&b"abcXYZ019"[..], Shape::ALNUM, None),
            (b"/a/b-c.d_e,f:g~h@i", Shape::PATH, Some(Shape::AGENT)),
            (b"a/1 b,c:d+e-f_g.h", Shape::AGENT, Some(Shape::PATH)),
            (b"\t a;b=c/*+\"~!?@[]", Shape::LIST, Some(Shape::BRANDS)),
            (b"\"Not(A:Brand\\", Shape::BRANDS, Some(Shape::LIST)),
        ] {
            assert!(Shape::of(bytes).is_within(within), "{bytes:?}");
            assert!(
                beyond.is_none_or(|set| !Shape::of(bytes).is_within(set)),
                "{bytes:?}"
            );
            // Wherever the odd byte stands, in a group of four or behind the last.
            for at in 0..=bytes.len() {
                let mut odd = bytes.to_vec();
                odd.insert(at, b'<');
                assert!(!Shape::of(&odd).is_within(within), "{odd:?}");
            }
        }
        for byte in 128..=255 {
            assert_eq!(Shape::of(&[byte]), Shape::OTHER);
        }
    }
}

//! Dot segments in every spelling that some decoder between the client and the file reads as one.

use super::super::ascii::{at, before, from, has};

/// How a dot or a slash was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spelling {
    /// As itself.
    Plain,
    /// A backslash.
    Backslash,
    /// With bytes in between that a lenient reader drops, or as a path parameter (`..;/`).
    Padded,
    /// In an encoding that was not decoded yet or is not valid (`%2e`, overlong UTF-8, fullwidth, `0x2f`).
    Encoded,
}

/// Forms of one sign, lower case.
type Forms = &'static [&'static [u8]];

/// Encoded dots that are left when every valid decoding is done, by their first two bytes.
fn dot_forms(first: u8, second: u8) -> Forms {
    match (first, second | 0x20) {
        (b'%', b'2') => &[b"%2e", b"%252e", b"%2%e"],
        (b'%', b'u') => &[b"%u002e", b"%uff0e"],
        (b'%', b'c') => &[b"%c0%2e", b"%c0%ae"],
        (b'%', b'e') => &[b"%e0%80%ae"],
        (b'%', b'%') => &[b"%%32%65", b"%%32%%65"],
        (b'0', b'x') => &[b"0x2e"],
        (b'\\', b'u') => &[b"\\u002e"],
        (b'\\', b'x') => &[b"\\x2e"],
        (b'&', b'#') => &[b"&#46;"],
        (b'&', b'p') => &[b"&period;"],
        (0xef, _) => &[b"\xef\xbc\x8e"],
        (0xe3, _) => &[b"\xe3\x80\x82"],
        _ => &[],
    }
}

/// Encoded slashes and backslashes, by their first two bytes.
fn slash_forms(first: u8, second: u8) -> Forms {
    match (first, second | 0x20) {
        (b'%', b'2') => &[b"%2f", b"%252f", b"%2%f"],
        (b'%', b'5') => &[b"%5c", b"%255c", b"%5%c"],
        (b'%', b'u') => &[
            b"%u2215", b"%u2216", b"%uefc8", b"%uf025", b"%u002f", b"%u005c",
        ],
        (b'%', b'b') => &[b"%bg%qf"],
        (b'%', b'c') => &[
            b"%c0%af", b"%c1%9c", b"%c1%pc", b"%c0%9v", b"%c0%qf", b"%c1%8s", b"%c1%1c", b"%c1%af",
        ],
        (b'%', b'e') => &[b"%e0%80%af"],
        (b'%', b'%') => &[b"%%32%66", b"%%35%63", b"%%32%%66", b"%%35%%63"],
        (b'0', b'x') => &[b"0x2f", b"0x5c"],
        (b'\\', b'u') => &[b"\\u002f"],
        (b'\\', b'x') => &[b"\\x2f", b"\\x5c"],
        (b'&', b'#') => &[b"&#47;"],
        (b'&', b's') => &[b"&sol;"],
        (b'&', b'b') => &[b"&bsol;"],
        (0xe2, _) => &[b"\xe2\x88\x95", b"\xe2\x81\x84", b"\xe2\x88\x96"],
        // With U+F025 and U+EFC8, which Windows' best fit has for a slash.
        (0xef, _) => &[b"\xef\xbc\x8f", b"\xef\xbc\xbc", b"\xef\x80\xa5"],
        (0xee, _) => &[b"\xee\xbf\x88"],
        _ => &[],
    }
}

/// The length of the encoded form at `i`.
fn encoded(bytes: &[u8], i: usize, forms: fn(u8, u8) -> Forms) -> Option<(usize, Spelling)> {
    forms(at(bytes, i), at(bytes, i + 1))
        .iter()
        .find(|form| has(bytes, i, form))
        .map(|form| (form.len(), Spelling::Encoded))
}

/// Whether [`slash`] may find something that starts with `byte`.
pub const fn may_be_slash(byte: u8) -> bool {
    matches!(byte, b'/' | 0xe2 | 0xee) || may_be_either(byte)
}

/// Whether [`dot`] may find something that starts with `byte`.
pub const fn may_be_dot(byte: u8) -> bool {
    matches!(byte, b'.' | 0xe3) || may_be_either(byte)
}

const fn may_be_either(byte: u8) -> bool {
    matches!(
        byte,
        b'%' | b'0' | b'\\' | b'&' | 0xef | 0xc0 | 0xc1 | 0xe0 | 0xf0 | 0xf8 | 0xfc
    )
}

/// The length of a byte sequence that no valid UTF-8 has, as overlong forms start: `c0`, `e0 80`, `f0 80 80` and longer.
fn overlong_lead(bytes: &[u8], i: usize) -> usize {
    match at(bytes, i) {
        0xc0 | 0xc1 => 1,
        0xe0 if at(bytes, i + 1) == 0x80 => 2,
        0xf0 if at(bytes, i + 1) == 0x80 => 3,
        0xf8 if at(bytes, i + 1) == 0x80 => 4,
        0xfc if at(bytes, i + 1) == 0x80 => 5,
        _ => 0,
    }
}

/// A dot at `i`: its length and spelling.
pub fn dot(bytes: &[u8], i: usize) -> Option<(usize, Spelling)> {
    let first = at(bytes, i);
    match first {
        b'.' => return Some((1, Spelling::Plain)),
        b'%' | b'0' | b'\\' | b'&' | 0xe3 | 0xef => return encoded(bytes, i, dot_forms),
        0x20..=0x7f => return None,
        _ => {}
    }
    let lead = overlong_lead(bytes, i);
    // The six bits that carry the dot, whatever a sloppy decoder ignores above them.
    (lead > 0 && at(bytes, i + lead) & 0x3f == 0x2e).then_some((lead + 1, Spelling::Encoded))
}

/// A slash or backslash at `i`: its length and spelling.
pub fn slash(bytes: &[u8], i: usize) -> Option<(usize, Spelling)> {
    match at(bytes, i) {
        b'/' => Some((1, Spelling::Plain)),
        b'\\' => encoded(bytes, i, slash_forms).or(Some((1, Spelling::Backslash))),
        b'%' | b'0' | b'&' | 0xe2 | 0xee | 0xef => encoded(bytes, i, slash_forms),
        0x20..=0x7f => None,
        _ => {
            let lead = overlong_lead(bytes, i);
            if lead == 0 {
                return None;
            }
            let next = at(bytes, i + lead);
            if next & 0x3f == 0x2f || next & 0x3f == 0x1c && next != 0 {
                return Some((lead + 1, Spelling::Encoded));
            }
            // `%c0%9v`: digits that are none, which a sloppy decoder computes with.
            (next == b'%'
                && at(bytes, i + lead + 1).is_ascii_alphanumeric()
                && at(bytes, i + lead + 2).is_ascii_alphanumeric())
            .then_some((lead + 3, Spelling::Encoded))
        }
    }
}

/// A segment of dots.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// How many dots.
    pub dots: usize,
    /// Where it ends, the slash behind it included.
    pub end: usize,
    /// The most unusual spelling of its dots.
    pub dot: Spelling,
    /// The spelling of the slash behind it; `None` at the end of a path.
    pub slash: Option<Spelling>,
}

/// A segment of two or more dots that starts at `i`, where a segment can start.
pub fn segment(bytes: &[u8], i: usize, after_slash: bool) -> Option<Segment> {
    segment_or_rest(bytes, i, after_slash).ok()
}

/// As [`segment`]; where there is none, the position up to which looking again is of no use.
pub fn segment_or_rest(bytes: &[u8], i: usize, after_slash: bool) -> Result<Segment, usize> {
    let (mut k, mut dots, mut worst) = (i, 0, Spelling::Plain);
    // A backslash among the dots starts a segment, too.
    let mut backslash = false;
    while k - i < 256 {
        if let Some((length, spelling)) = dot(bytes, k) {
            dots += 1;
            worst = worst.max(spelling);
            k += length;
        } else if dots == 1 && at(bytes, k) == b'?' && slash(bytes, k + 1).is_some() {
            // A wildcard of Windows that matches a dot.
            dots += 1;
            worst = worst.max(Spelling::Padded);
            k += 1;
        } else if dots > 0 && padding(bytes, k) {
            worst = worst.max(Spelling::Padded);
            backslash |= at(bytes, k) == b'\\';
            k += 1;
        } else {
            break;
        }
    }
    if dots < 2 {
        return Err(i);
    }
    // A path parameter, which some servers drop after and some before they look at the dots: `..;x/`.
    if at(bytes, k) == b';' {
        let parameter = from(bytes, k)
            .iter()
            .take(24)
            .position(|byte| matches!(byte, b'/' | b'\\'))
            .ok_or(k)?;
        k += parameter;
        worst = worst.max(Spelling::Padded);
    }
    if let Some((length, spelling)) = slash(bytes, k) {
        return Ok(Segment {
            dots,
            end: k + length,
            dot: worst,
            slash: Some(spelling),
        });
    }
    let ends = matches!(
        at(bytes, k),
        0 | b'?' | b'#' | b'&' | b'"' | b'\'' | b' ' | b'\n'
    );
    if after_slash && ends {
        return Ok(Segment {
            dots,
            end: k,
            dot: worst,
            slash: None,
        });
    }
    // A later start in the same run ends where this one does; only behind a slash could the value's end make it one, and
    // the only slash within a run is a backslash.
    Err(if ends && backslash { i } else { k })
}

/// A byte between dots, or between dots and a slash, that a reader may drop.
fn padding(bytes: &[u8], k: usize) -> bool {
    match at(bytes, k) {
        0x01..=0x1f | b'?' | b'^' => dot(bytes, k + 1).is_some() || slash(bytes, k + 1).is_some(),
        0 => k < bytes.len() && (dot(bytes, k + 1).is_some() || slash(bytes, k + 1).is_some()),
        // `.\.\/`: a backslash that escapes the dot behind it.
        b'\\' => {
            before(bytes, k) == b'.'
                && at(bytes, k + 1) == b'.'
                && matches!(at(bytes, k + 2), b'\\' | b'/')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_in_every_spelling() {
        for text in [
            &b"../x"[..],
            b"..\\x",
            b"..;/x",
            b"..;a=b/x",
            b"%2e%2e/x",
            b"..%2fx",
            b"..0x2fx",
            b"0x2e0x2e0x5cx",
            b"..\0/x",
            b".\0./x",
            b"....//x",
            b"\xc0\xae\xc0\xae/x",
            b"\xc0..\xc0/x",
            b"..\xc0\xafx",
            b"..\xc1%pcx",
            b"\xe0\x80\xae\xe0\x80\xae/x",
            b"%uff0e%uff0e/x",
            "．．／x".as_bytes(),
        ] {
            assert!(segment(text, 0, false).is_some(), "{}", text.escape_ascii());
        }
        assert!(segment(b"..", 0, true).is_some());
        for text in [
            &b".."[..],
            b"./x",
            b"..x",
            b"...",
            b".. what",
            b".git/x",
            b"1..5",
        ] {
            assert!(segment(text, 0, false).is_none(), "{}", text.escape_ascii());
        }
    }
}

//! UTF-7 shifts (RFC 2152): `+ADw-script+AD4-`. Old browsers sniffed it, XML and mail parsers read it by declaration.

use super::push_scalar;

/// Decodes each `+…-` shift that holds whole UTF-16 units once; `+-` and a plain plus stay.
pub fn utf7(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut rest = bytes;
    let mut changed = false;
    while let Some((first, tail)) = rest.split_first() {
        let taken = if *first == b'+' {
            shift(tail, out)
        } else {
            None
        };
        match taken {
            Some(length) => {
                changed = true;
                rest = tail.get(length..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    changed
}

/// The longest shift that is read: attackers shift a sign or a few, and a bound keeps a run of pluses linear.
const LONGEST: usize = 256;

/// Decodes the shift behind a plus; answers its length. Nothing is written unless all of it decodes.
fn shift(tail: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    // The unit of an ASCII character starts with `AA` to `AH`: anything else behind a plus is a sum, not a shift.
    if !matches!(tail, [b'A', b'A'..=b'H', ..]) {
        return None;
    }
    let length = tail
        .iter()
        .take(LONGEST + 1)
        .take_while(|byte| sextet(**byte).is_some())
        .count();
    if !(3..=LONGEST).contains(&length) {
        return None;
    }
    let start = out.len();
    let (mut bits, mut held) = (0u32, 0u32);
    for value in tail.iter().take(length).filter_map(|byte| sextet(*byte)) {
        bits = bits << 6 | value;
        held += 6;
        if held >= 16 {
            held -= 16;
            push_scalar(out, bits >> held & 0xffff);
            bits &= (1 << held) - 1;
        }
    }
    let taken = length + usize::from(tail.get(length) == Some(&b'-'));
    // Eight letters are three units, which may be nine bytes of UTF-8: a text of some other script, not signs.
    if bits != 0 || held >= 6 || out.len() - start > taken + 1 {
        out.truncate(start);
        return None;
    }
    Some(taken)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn utf7_table() {
        check(
            utf7,
            &[
                (b"+ADw-script+AD4-", Some(b"<script>")),
                (b"+ADwAIQ-ENTITY", Some(b"<!ENTITY")),
                (b"+ACI-", Some(b"\"")),
                (b"x+AHw-id", Some(b"x|id")),
                (b"+A+A#4", None),                            // U+0F80
                (b"+ADxOAE4BTgJOA04ETgVOBk4HTghOCU4K", None), // grows
                (b"1+1-2", None),
                (b"a+b", None),
                (b"C++", None),
                (b"+AD", None),
                (b"+ADx-", None),
                (b"+", None),
            ],
        );
    }
}

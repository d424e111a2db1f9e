//! UTF-7 shifts (RFC 2152): `+ADw-script+AD4-`. Old browsers sniffed it, XML and mail parsers read it by declaration.

use backstop_http::scan::find;

use super::push_scalar;

/// Decodes each `+…-` shift that holds whole UTF-16 units once; `+-` and a plain plus stay.
pub fn utf7(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut plain = bytes;
    let mut seen = 0;
    // Where the run of base64 signs ends that was measured last, from the end of `bytes`: a plus is one of them, so a run
    // of shifts that do not decode would else be measured from each.
    let mut run_ends = usize::MAX;
    let mut changed = false;
    while let Some(found) = plain.get(seen..).and_then(|tail| find(b'+', tail)) {
        seen += found;
        let Some((before, [_, tail @ ..])) = plain.split_at_checked(seen) else {
            break;
        };
        if tail.len() < run_ends {
            let run = tail
                .iter()
                .position(|byte| sextet(*byte).is_none())
                .unwrap_or(tail.len());
            run_ends = tail.len() - run;
        }
        let Some(shifted) = tail
            .get(..tail.len() - run_ends)
            .filter(|run| is_shift(run))
        else {
            seen += 1;
            continue;
        };
        let start = out.len();
        out.extend_from_slice(before);
        push_units(shifted, out);
        let behind = tail.get(shifted.len()..).unwrap_or_default();
        let behind = behind.strip_prefix(b"-").unwrap_or(behind);
        // Eight letters are three units, which may be nine bytes of UTF-8: a text of some other script, not signs.
        if out.len() - start + behind.len() > plain.len() {
            out.truncate(start);
            seen += 1;
            continue;
        }
        changed = true;
        plain = behind;
        seen = 0;
        run_ends = usize::MAX;
    }
    if changed {
        out.extend_from_slice(plain);
    }
    changed
}

/// The longest shift that is read: attackers shift a sign, a few, or a short line.
const LONGEST: usize = 128;

/// Whether a run of base64 signs behind a plus is whole UTF-16 units: of the bits beyond them there are less than six, all zero.
fn is_shift(run: &[u8]) -> bool {
    // The unit of an ASCII character starts with `AA` to `AH`: anything else behind a plus is a sum, not a shift.
    if !matches!(run, [b'A', b'A'..=b'H', ..]) || !(3..=LONGEST).contains(&run.len()) {
        return false;
    }
    let over = run.len() * 6 % 16;
    let last = run.last().and_then(|byte| sextet(*byte)).unwrap_or(0);
    over < 6 && last & ((1 << over) - 1) == 0
}

/// Appends the units of a shift.
fn push_units(run: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u32, 0u32);
    for value in run.iter().filter_map(|byte| sextet(*byte)) {
        bits = bits << 6 | value;
        held += 6;
        if held >= 16 {
            held -= 16;
            push_scalar(out, bits >> held & 0xffff);
            bits &= (1 << held) - 1;
        }
    }
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

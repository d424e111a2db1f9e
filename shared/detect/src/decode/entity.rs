//! HTML character references (WHATWG HTML, section 13.5 and "named character references").
//!
//! Numeric ones with or without the semicolon, as browsers read them. Of the named ones those that stand for a sign
//! with a meaning in some attack grammar, or for white space; the rest are letters that hide nothing.

use super::{Sign, digit, rewrite};

/// Name (without `&` and `;`), code, and whether browsers accept it without the semicolon.
const NAMED: &[(&[u8], u32, bool)] = &[
    (b"AMP", 0x26, true),
    (b"DiacriticalGrave", 0x60, false),
    (b"GT", 0x3e, true),
    (b"Hat", 0x5e, false),
    (b"LT", 0x3c, true),
    (b"NewLine", 0x0a, false),
    (b"NonBreakingSpace", 0xa0, false),
    (b"OpenCurlyQuote", 0x2018, false),
    (b"QUOT", 0x22, true),
    (b"Tab", 0x09, false),
    (b"UnderBar", 0x5f, false),
    (b"VerticalLine", 0x7c, false),
    (b"amp", 0x26, true),
    (b"apos", 0x27, false),
    (b"ast", 0x2a, false),
    (b"bsol", 0x5c, false),
    (b"colon", 0x3a, false),
    (b"comma", 0x2c, false),
    (b"commat", 0x40, false),
    (b"dollar", 0x24, false),
    (b"equals", 0x3d, false),
    (b"excl", 0x21, false),
    (b"grave", 0x60, false),
    (b"gt", 0x3e, true),
    (b"lbrace", 0x7b, false),
    (b"lbrack", 0x5b, false),
    (b"lcub", 0x7b, false),
    (b"lowbar", 0x5f, false),
    (b"lpar", 0x28, false),
    (b"lsqb", 0x5b, false),
    (b"lt", 0x3c, true),
    (b"midast", 0x2a, false),
    (b"nbsp", 0xa0, true),
    (b"num", 0x23, false),
    (b"percnt", 0x25, false),
    (b"period", 0x2e, false),
    (b"plus", 0x2b, false),
    (b"quest", 0x3f, false),
    (b"quot", 0x22, true),
    (b"rbrace", 0x7d, false),
    (b"rbrack", 0x5d, false),
    (b"rcub", 0x7d, false),
    (b"rpar", 0x29, false),
    (b"rsqb", 0x5d, false),
    (b"semi", 0x3b, false),
    (b"shy", 0xad, true),
    (b"sol", 0x2f, false),
    (b"verbar", 0x7c, false),
    (b"vert", 0x7c, false),
];

/// Decodes character references once.
pub fn entity(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(bytes, out, (b'&', b'&'), |marked| {
        let (code, length) = match marked {
            [_, b'#', number @ ..] => numeric(number),
            [_, tail @ ..] => named(tail),
            [] => None,
        }?;
        Some((Sign::Scalar(code), length))
    })
}

/// The code and full length (`&#` included) of the reference whose digits start `number`. Leading zeros are free, so the
/// digits are counted, not limited; the value saturates.
fn numeric(number: &[u8]) -> Option<(u32, usize)> {
    let (radix, digits, mark) = match number.strip_prefix(b"x").or(number.strip_prefix(b"X")) {
        Some(digits) => (16, digits, 3),
        None => (10, number, 2),
    };
    let mut value = 0u32;
    let mut count = 0;
    for digit in digits.iter().map_while(|byte| digit(*byte, radix)) {
        value = value.saturating_mul(radix).saturating_add(digit);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let semicolon = usize::from(digits.get(count) == Some(&b';'));
    // `&#0;` is U+FFFD; so is what no scalar value has.
    let code = if value == 0 { 0xfffd } else { value };
    // U+FFFD takes three bytes: no shorter than the shortest reference to it, `&#0`.
    Some((code, mark + count + semicolon))
}

fn named(tail: &[u8]) -> Option<(u32, usize)> {
    let first = *tail.first().filter(|byte| byte.is_ascii_alphabetic())?;
    // The names are sorted by their first letter.
    let start = NAMED.partition_point(|(name, _, _)| name.first() < Some(&first));
    let candidates = NAMED.get(start..)?;
    let candidates = candidates
        .iter()
        .take_while(|(name, _, _)| name.first() == Some(&first));
    let mut bare = None;
    for (name, code, is_bare) in candidates {
        let Some(after) = tail.strip_prefix(*name) else {
            continue;
        };
        if after.first() == Some(&b';') {
            return Some((*code, name.len() + 2));
        }
        if *is_bare {
            bare = Some((*code, name.len() + 1));
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn entity_table() {
        check(
            entity,
            &[
                (b"a & b", None),
                (b"fish &chips;", None),
                (b"&lt;b&gt;", Some(b"<b>")),
                (b"&ltscript&GT", Some(b"<script>")),
                (
                    b"java&Tab;script&colon;x&lpar;1&rpar;",
                    Some(b"java\tscript:x(1)"),
                ),
                (b"a&NewLine;b", Some(b"a\nb")),
                (b"&newline;", None),
                (b"&#60;&#x3E;&#X3e", Some(b"<>>")),
                (b"&#0000060script", Some(b"<script")),
                (b"&#106;&#97", Some(b"ja")),
                (b"&#x0;", Some("\u{fffd}".as_bytes())),
                (b"&#99999999999999999999;", Some("\u{fffd}".as_bytes())),
                (b"&#;&#x;", None),
                (b"&amp;lt;", Some(b"&lt;")),
                (b"&colon", None),
                (b"&", None),
            ],
        );
    }

    #[test]
    fn the_names_are_sorted_by_their_first_letter() {
        assert!(NAMED.is_sorted_by_key(|(name, _, _)| name[0]));
    }
}

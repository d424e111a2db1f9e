//! Escapes that belong to a format itself: of JSON and GraphQL strings, of forms, of XML text. One decoding each;
//! what is encoded once more is the business of detection.

use backstop_http::scan::{self, find_either};

/// Value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends `code` as UTF-8; what is no scalar value (a lone surrogate) becomes U+FFFD.
pub(crate) fn push_scalar(out: &mut Vec<u8>, code: u32) {
    let scalar = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Decodes percent-escapes and `+` as a form reader does. An escape that is none stays as it is.
///
/// The value itself when there is nothing to decode; else it is decoded into `out`.
pub(crate) fn form_decoded<'a>(raw: &'a [u8], out: &'a mut Vec<u8>) -> &'a [u8] {
    if find_either(b'%', b'+', raw).is_none() {
        return raw;
    }
    percent_decode(raw, true, out);
    out
}

/// Decodes percent-escapes, and `+` to a space if `plus`, into `out`.
pub(crate) fn percent_decode(raw: &[u8], plus: bool, out: &mut Vec<u8>) {
    out.clear();
    let plus = if plus { b'+' } else { b'%' };
    let mut rest = raw;
    while let Some((plain, escape)) =
        find_either(b'%', plus, rest).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        let (byte, length) = match escape {
            [b'%', high, low, ..] => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (high << 4 | low, 3),
                None => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            _ => (b'%', 1),
        };
        out.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Decodes the escapes of a JSON string (RFC 8259 section 7), and `\u{…}` of GraphQL and JavaScript, into `out`.
/// Unknown escapes stay as they are, backslash included; a lone surrogate becomes U+FFFD.
pub(crate) fn unescape_json(raw: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = raw;
    while let Some(at) = scan::find(b'\\', rest) {
        let Some((plain, escape)) = rest.split_at_checked(at) else {
            break;
        };
        out.extend_from_slice(plain);
        let (decoded, length) = match escape {
            [_, b'u', tail @ ..] => match unicode_escape(tail) {
                Some((code, length)) => {
                    push_scalar(out, code);
                    (None, 2 + length)
                }
                None => (Some(b'\\'), 1),
            },
            [_, byte, ..] => match byte {
                b'"' | b'\\' | b'/' => (Some(*byte), 2),
                b'b' => (Some(8), 2),
                b'f' => (Some(12), 2),
                b'n' => (Some(b'\n'), 2),
                b'r' => (Some(b'\r'), 2),
                b't' => (Some(b'\t'), 2),
                _ => (Some(b'\\'), 1),
            },
            _ => (Some(b'\\'), 1),
        };
        out.extend(decoded);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// What follows `\u`: the code point and the length of its spelling. A pair of surrogates is one code point.
fn unicode_escape(tail: &[u8]) -> Option<(u32, usize)> {
    if let Some(braced) = tail.strip_prefix(b"{") {
        let digits = braced
            .iter()
            .take(7)
            .position(|byte| *byte == b'}')
            .filter(|digits| *digits > 0)?;
        let code = hex_number(braced.get(..digits)?)?;
        return Some((code, digits + 2));
    }
    let high = hex_number(tail.get(..4)?)?;
    if (0xd800..0xdc00).contains(&high)
        && let Some([b'\\', b'u', low @ ..]) = tail.get(4..10)
        && let Some(low @ 0xdc00..0xe000) = hex_number(low)
    {
        return Some((0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 10));
    }
    Some((high, 4))
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        Some(number << 4 | u32::from(hex(*digit)?))
    })
}

/// Appends `raw` with XML's five entities and numeric character references decoded; others stay as they are.
pub(crate) fn push_xml_text(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = scan::find(b'&', rest) {
        let Some((plain, reference)) = rest.split_at_checked(at) else {
            break;
        };
        out.extend_from_slice(plain);
        // The longest reference of use is `&#x0010ffff;`, leading zeros within reason.
        let end = reference.iter().take(16).position(|byte| *byte == b';');
        let code = end.and_then(|end| entity(reference.get(1..end)?));
        match (code, end) {
            (Some(code), Some(end)) => {
                push_scalar(out, code);
                rest = reference.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push(b'&');
                rest = reference.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
}

fn entity(name: &[u8]) -> Option<u32> {
    match name {
        b"amp" => Some(u32::from(b'&')),
        b"lt" => Some(u32::from(b'<')),
        b"gt" => Some(u32::from(b'>')),
        b"quot" => Some(u32::from(b'"')),
        b"apos" => Some(u32::from(b'\'')),
        [b'#', b'x' | b'X', digits @ ..] if !digits.is_empty() => {
            digits.iter().try_fold(0_u32, |code, digit| {
                code.checked_mul(16)?.checked_add(u32::from(hex(*digit)?))
            })
        }
        [b'#', digits @ ..] if !digits.is_empty() => {
            digits.iter().try_fold(0_u32, |code, digit| {
                let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
                code.checked_mul(10)?.checked_add(digit)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"plain", b"plain"),
            (br#"\"\\\/\b\f\n\r\t"#, b"\"\\/\x08\x0c\n\r\t"),
            (br"\u0027 or 1=1", b"' or 1=1"),
            (br"a\u00e9\uD83D\uDE00b", "a\u{e9}\u{1f600}b".as_bytes()),
            (br"\ud83d", "\u{fffd}".as_bytes()),
            (br"\ud83dx\ude00", "\u{fffd}x\u{fffd}".as_bytes()),
            (br"\ud83d\u0041", "\u{fffd}A".as_bytes()),
            (br"\u{1F600}\u{27}", "\u{1f600}'".as_bytes()),
            (br"\u{}\u{110000}", "\\u{}\u{fffd}".as_bytes()),
            (br"\x41\'\u12", br"\x41\'\u12"),
            (br"end\", br"end\"),
            (b"\xff\\n", b"\xff\n"),
        ];
        let mut out = Vec::new();
        for (raw, expected) in cases {
            unescape_json(raw, &mut out);
            assert_eq!(
                out.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn form_escapes() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"a+b%20c", b"a b c"),
            (b"%2527", b"%27"),
            (b"%zz%4%", b"%zz%4%"),
            (b"%%41", b"%A"),
            (b"%u0027", b"%u0027"),
            (b"%ff%00", b"\xff\0"),
            (b"plain", b"plain"),
        ];
        for (raw, expected) in cases {
            assert_eq!(form_decoded(raw, &mut Vec::new()), *expected);
        }
    }

    #[test]
    fn xml_references() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"&lt;a&gt;&amp;&quot;&apos;", b"<a>&\"'"),
            (b"&#39;&#x27;&#X27;&#x1F600;", "'''\u{1f600}".as_bytes()),
            (b"&#xD800;&#x110000;", "\u{fffd}\u{fffd}".as_bytes()),
            (b"&custom;&;&#;&#x;&#xzz;& &", b"&custom;&;&#;&#x;&#xzz;& &"),
            (b"&#99999999999;", b"&#99999999999;"),
            (b"&amp;lt;", b"&lt;"),
        ];
        for (raw, expected) in cases {
            let mut out = Vec::new();
            push_xml_text(raw, &mut out);
            assert_eq!(
                out.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }
}

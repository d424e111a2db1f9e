//! Backslash escapes of JSON (RFC 8259 section 7) and JavaScript (ECMA-262 section 12.9.4), octal ones included.
//!
//! Only escapes that those grammars name: `\d` of a regular expression stays. A Windows path may still be mangled,
//! which is why detectors see the form before as well.

use super::{Sign, digit, hex, rewrite, utf16};

/// Decodes backslash escapes once.
pub fn escape(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(bytes, out, (b'\\', b'\\'), one)
}

/// The escape at the start of `marked`, and how many bytes it takes.
fn one(marked: &[u8]) -> Option<(Sign, usize)> {
    let [_, kind, after @ ..] = marked else {
        return None;
    };
    let plain = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'/' | b'"' | b'\'' | b'`' | b'\\' => *kind,
        b'x' | b'X' => return Some((Sign::Scalar(hex(after, 2)?), 4)),
        b'u' | b'U' => {
            let (code, length) = utf16(marked, b"\\u").or_else(|| braced(after))?;
            return Some((Sign::Scalar(code), length));
        }
        b'0'..=b'7' => return Some(octal(marked.get(1..)?)),
        _ => return None,
    };
    Some((Sign::Byte(plain), 2))
}

/// `\u{…}`: one to six digits (more only as leading zeros, at most sixteen in all); `after` starts at the brace.
fn braced(after: &[u8]) -> Option<(u32, usize)> {
    let inner = after.strip_prefix(b"{")?;
    let length = inner.iter().take(17).position(|byte| *byte == b'}')?;
    if length == 0 {
        return None;
    }
    Some((hex(inner, length)?, length + 4))
}

/// One to three octal digits up to `\377`, as sloppy-mode JavaScript and C read them.
fn octal(tail: &[u8]) -> (Sign, usize) {
    let mut value = 0u32;
    let mut length = 0;
    for digit in tail.iter().take(3).map_while(|byte| digit(*byte, 8)) {
        if value * 8 + digit > 0o377 {
            break;
        }
        value = value * 8 + digit;
        length += 1;
    }
    (Sign::Scalar(value), length + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn escape_table() {
        check(
            escape,
            &[
                (b"plain", None),
                (b"\\u0027 or", Some(b"' or")),
                (b"\\u{3c}a\\u{00003e}", Some(b"<a>")),
                (b"\\u{}", None),
                (b"\\u{110000}", Some("\u{fffd}".as_bytes())),
                (b"\\ud83d\\ude00", Some("😀".as_bytes())),
                (b"\\ud83d", Some("\u{fffd}".as_bytes())),
                (b"\\x3cscript\\x3E", Some(b"<script>")),
                (b"\\74script\\76", Some(b"<script>")),
                (b"\\0", Some(b"\0")),
                (b"\\400", Some(b" 0")),
                (b"<\\/script>", Some(b"</script>")),
                (b"a\\r\\nb", Some(b"a\r\nb")),
                (b"\\\\", Some(b"\\")),
                (b"\\d+\\s\\.", None),
                (b"\\", None),
                (b"\\xg1", None),
                (b"\\u12", None),
            ],
        );
    }
}

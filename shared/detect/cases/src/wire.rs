//! Bytes in the spelling of a row, of a URL, of JSON and of XML.

use backstop_http::Kind;

/// The value as it stands on the wire there: what a query, a path and a cookie percent-encode, others take as it is.
pub fn value(kind: Kind, input: &[u8]) -> Vec<u8> {
    let keeps: &[u8] = match kind {
        Kind::Path => b"-._~/!$&'()*+,;=:@",
        Kind::Query | Kind::QueryName => b"-._~!$'()*,;:@/?",
        Kind::Cookie | Kind::CookieName => b"-._~!#$&'()*+/:<=>?@[]^`{|}",
        _ => return input.to_vec(),
    };
    percent(input, keeps)
}

/// Percent-encodes what is neither a letter, a digit, nor in `keeps`.
pub fn percent(input: &[u8], keeps: &[u8]) -> Vec<u8> {
    input
        .iter()
        .flat_map(|byte| {
            if byte.is_ascii_alphanumeric() || keeps.contains(byte) {
                vec![*byte]
            } else {
                format!("%{byte:02X}").into_bytes()
            }
        })
        .collect()
}

/// A JSON string. What is no UTF-8 stays as it is: that is how it arrives.
pub fn json_string(input: &[u8]) -> Vec<u8> {
    let escaped = input.iter().flat_map(|byte| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        0..0x20 => format!("\\u{byte:04x}").into_bytes(),
        _ => vec![*byte],
    });
    std::iter::once(b'"')
        .chain(escaped)
        .chain(std::iter::once(b'"'))
        .collect()
}

/// XML character data, also fit for an attribute in double quotes.
pub fn xml_text(input: &[u8]) -> Vec<u8> {
    input
        .iter()
        .flat_map(|byte| match byte {
            b'<' | b'>' | b'&' | b'"' | 0..0x20 => format!("&#{byte};").into_bytes(),
            _ => vec![*byte],
        })
        .collect()
}

/// What a row writes as `\r`, `\n`, `\t`, `\0`, `\xNN` and `\\`.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let (kind, tail) = tail.split_first().expect("a backslash needs a sign");
        rest = tail;
        out.push(match kind {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let (digits, tail) = rest.split_at(2);
                rest = tail;
                u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{} is not an escape", other.escape_ascii()),
        });
    }
    out
}

//! JSON strings from arbitrary bytes, safe to show in a terminal and in a log viewer.

use std::fmt::Write;

/// Appends `bytes` as a JSON string, quotes included. Control characters, C1 controls, line and paragraph separators and
/// bidirectional marks are escaped (`\u202e`); bytes that are not UTF-8 appear as the text `\x80`.
pub fn push_string(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        push_text(out, chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\\\x{byte:02x}");
        }
    }
    out.push('"');
}

/// Runs of what needs no escape are copied whole: most of a log line is such.
fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest
            .bytes()
            .position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))
            .unwrap_or(rest.len());
        // What ends a run of ASCII begins a character.
        let (run, after) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(run);
        let mut characters = after.chars();
        if let Some(character) = characters.next() {
            push_char(out, character);
        }
        rest = characters.as_str();
    }
}

fn push_char(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\x1f'
        | '\x7f'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
        plain => out.push(plain),
    }
}

/// Appends `,"name":"value"`, or without the comma at the start of an object.
pub fn push_field(out: &mut String, name: &str, value: &[u8]) {
    push_name(out, name);
    push_string(out, value);
}

/// Appends `,"name":value` for a value that is JSON as it is displayed (a number, a boolean).
pub fn push_plain(out: &mut String, name: &str, value: impl std::fmt::Display) {
    push_name(out, name);
    let _ = write!(out, "{value}");
}

/// Appends `,"name":`, or without the comma at the start of an object.
pub fn push_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_byte_makes_valid_json() {
        let every: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        push_string(&mut text, &every);
        let read: String = serde_json::from_str(&text).unwrap();
        assert!(read.starts_with("\0\u{1}"));
        assert!(read.ends_with("\\xfe\\xff"));
    }

    #[test]
    fn what_would_fool_a_reader_is_escaped() {
        for (bytes, json) in [
            ("a\u{202e}b", r#""a\u202eb""#),
            ("\u{1b}[31m", r#""\u001b[31m""#),
            ("\u{85}", r#""\u0085""#),
            ("한\"글\\", r#""한\"글\\""#),
            ("a\r\nb", r#""a\r\nb""#),
        ] {
            let mut text = String::new();
            push_string(&mut text, bytes.as_bytes());
            assert_eq!(text, json);
        }
    }
}

//! JSON strings from arbitrary bytes, safe to show in a terminal and in a log viewer.

use std::fmt::Write;

/// Appends `bytes` as a JSON string, quotes included. Control characters, C1 controls, line and paragraph separators and
/// bidirectional marks are escaped (`\u202e`); bytes that are not UTF-8 appear as the text `\x80`.
pub fn push_string(out: &mut String, bytes: &[u8]) {
    out.push('"');
    // Most values are plain from end to end, and ASCII is told to be UTF-8 by the word.
    if plain_len(bytes) == bytes.len() {
        out.push_str(str::from_utf8(bytes).unwrap_or_default());
        out.push('"');
        return;
    }
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
        let plain = plain_len(rest.as_bytes());
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

/// Whether a byte stands for itself in a JSON string and in a terminal.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// How many bytes from the start need no escape, told eight at a time.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if !is_plain_word(u64::from_le_bytes(*word)) {
            let within = word.iter().take_while(|byte| is_plain(**byte)).count();
            return index * 8 + within;
        }
    }
    words.len() * 8 + rest.iter().take_while(|byte| is_plain(**byte)).count()
}

/// Whether all eight bytes are plain. Each test sets the high bit of a byte that fails it; a borrow or a carry between
/// bytes only comes out of a byte that has failed already.
const fn is_plain_word(word: u64) -> bool {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    const HIGH: u64 = all(0x80);
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(all(1)) & !word
    }
    let control = word.wrapping_sub(all(b' ')) & !word;
    let delete = zero_bytes(word ^ all(0x7f));
    let quote = zero_bytes(word ^ all(b'"'));
    let backslash = zero_bytes(word ^ all(b'\\'));
    (word | control | delete | quote | backslash) & HIGH == 0
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
    fn a_byte_is_found_wherever_it_is_in_a_word() {
        for byte in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = *b"every seat is taken.";
                bytes[at] = byte;
                let expected = if is_plain(byte) { bytes.len() } else { at };
                assert_eq!(plain_len(&bytes), expected, "{byte:#x} at {at}");
                // And beside one that is the next higher or lower.
                if let Some(neighbour) = bytes.get_mut(at + 1) {
                    *neighbour = byte.wrapping_add(1);
                    let expected = bytes.iter().take_while(|byte| is_plain(**byte)).count();
                    assert_eq!(plain_len(&bytes), expected, "{byte:#x} at {at}");
                }
            }
        }
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

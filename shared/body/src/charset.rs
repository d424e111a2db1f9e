//! Charsets: what is not UTF-8 or another superset of ASCII is converted before reading.
//!
//! A server converts by the declared charset, by a byte order mark or, for JSON and XML, by the pattern of NUL bytes
//! or the XML declaration. A filter that reads such bytes as they are sees nothing (coreruleset issues 4097 and
//! 2571; bodies in `ibm037`, `utf-16`, `utf-7`). Output is at most two times the input.

use crate::cursor::find;
use crate::escape::push_scalar;

/// How a body's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8, or another charset in which ASCII bytes mean ASCII. ISO 8859-1 is not converted on purpose: its other
    /// characters are no attack, while a body that declares it falsely would hide its UTF-8 from detection.
    Ascii,
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
    /// RFC 2152.
    Utf7,
    /// IBM037 and IBM500, EBCDIC for Western Europe.
    Ebcdic,
    /// A name that is not known here.
    Unknown,
}

/// Whether bytes are to be read as they are, without conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsciiReading {
    No,
    Also,
    Only,
}

impl Charset {
    /// The charset of that name (IANA names and usual aliases).
    pub(crate) fn named(name: &[u8]) -> Self {
        let mut folded = [0_u8; 16];
        let mut length = 0;
        for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
            let Some(slot) = folded.get_mut(length) else {
                return Self::Unknown;
            };
            *slot = byte.to_ascii_lowercase();
            length += 1;
        }
        match folded.get(..length).unwrap_or_default() {
            b"" | b"utf8" | b"usascii" | b"ascii" | b"unicode11utf8" => Self::Ascii,
            b"latin1" | b"l1" | b"cp1252" => Self::Ascii,
            b"utf16" | b"utf16be" | b"ucs2" | b"iso10646ucs2" | b"unicodefffe" => Self::Utf16Be,
            b"utf16le" | b"unicode" => Self::Utf16Le,
            b"utf32" | b"utf32be" | b"ucs4" | b"iso10646ucs4" => Self::Utf32Be,
            b"utf32le" => Self::Utf32Le,
            b"utf7" | b"unicode11utf7" | b"csunicode11utf7" => Self::Utf7,
            b"ibm037" | b"cp037" | b"ibm500" | b"cp500" | b"ibm01140" | b"cp1140"
            | b"ebcdiccpus" => Self::Ebcdic,
            // Lead bytes are not ASCII; trail bytes may be, which at worst hides a quote behind a letter.
            b"euckr" | b"ksc56011987" | b"cp949" | b"ms949" | b"windows949" | b"eucjp"
            | b"shiftjis" | b"windows31j" | b"gbk" | b"gb2312" | b"gb18030" | b"big5"
            | b"koi8r" | b"tis620" => Self::Ascii,
            other if other.starts_with(b"iso8859") || other.starts_with(b"windows125") => {
                Self::Ascii
            }
            _ => Self::Unknown,
        }
    }

    /// The charset that the bytes themselves show: byte order mark, NUL pattern, XML declaration. With it, the
    /// length of the byte order mark.
    pub(crate) fn shown(body: &[u8]) -> Option<(Self, usize)> {
        match body {
            [0xef, 0xbb, 0xbf, ..] => Some((Self::Ascii, 3)),
            [0xff, 0xfe, 0, 0, ..] => Some((Self::Utf32Le, 4)),
            [0, 0, 0xfe, 0xff, ..] => Some((Self::Utf32Be, 4)),
            [0xff, 0xfe, ..] => Some((Self::Utf16Le, 2)),
            [0xfe, 0xff, ..] => Some((Self::Utf16Be, 2)),
            // `+/v8`, `+/v9`, `+/v+`, `+/v/`: U+FEFF in UTF-7.
            [b'+', b'/', b'v', b'8' | b'9' | b'+' | b'/', ..] => Some((Self::Utf7, 0)),
            [lead, 0, 0, 0, ..] if *lead != 0 => Some((Self::Utf32Le, 0)),
            [0, 0, 0, last, ..] if *last != 0 => Some((Self::Utf32Be, 0)),
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some((Self::Utf16Le, 0)),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some((Self::Utf16Be, 0)),
            // The one character that is sure to be ASCII (RFC 4627 section 3, XML appendix F).
            [b'{' | b'[' | b'"' | b'<', 0, ..] => Some((Self::Utf16Le, 0)),
            [0, b'{' | b'[' | b'"' | b'<', ..] => Some((Self::Utf16Be, 0)),
            // `<?xm` in EBCDIC.
            [0x4c, 0x6f, 0xa7, 0x94, ..] => Some((Self::Ebcdic, 0)),
            [b'<', b'?', b'x', b'm', b'l', ..] => xml_declared(body).map(|charset| (charset, 0)),
            _ => None,
        }
    }

    /// Whether `bytes` may be text to a reader that does not know of this charset, be it that the declaration is
    /// false, that the marks at the beginning are a disguise, or that the charset is that of the bytes behind
    /// percent-escapes. UTF-7 is such text always.
    pub(crate) fn reads_as_ascii(self, bytes: &[u8]) -> AsciiReading {
        const RUN: usize = 4;
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        match self {
            Self::Ascii | Self::Unknown => AsciiReading::Only,
            Self::Utf7 => AsciiReading::Also,
            _ if bytes.is_ascii() && !bytes.contains(&0) => AsciiReading::Only,
            _ if bytes
                .chunk_by(|a, b| printable(a) && printable(b))
                .any(|run| run.len() >= RUN) =>
            {
                AsciiReading::Also
            }
            _ => AsciiReading::No,
        }
    }

    /// `bytes` as UTF-8; `None` when they can be read as they are. Total: what cannot be decoded becomes U+FFFD.
    pub(crate) fn converted(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ascii | Self::Unknown => None,
            Self::Ebcdic => Some(ebcdic(bytes)),
            Self::Utf16Le => Some(utf16(bytes, u16::from_le_bytes)),
            Self::Utf16Be => Some(utf16(bytes, u16::from_be_bytes)),
            Self::Utf32Le => Some(utf32(bytes, u32::from_le_bytes)),
            Self::Utf32Be => Some(utf32(bytes, u32::from_be_bytes)),
            Self::Utf7 => Some(utf7(bytes)),
        }
    }
}

/// The encoding in an XML declaration that can be read as ASCII, where it is one that matters.
fn xml_declared(body: &[u8]) -> Option<Charset> {
    let declaration = body.get(..body.len().min(200))?;
    let declaration = declaration.get(..find(declaration, b"?>")?)?;
    let after = declaration
        .get(find(declaration, b"encoding")? + 8..)?
        .trim_ascii_start();
    let value = after.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let end = value.iter().position(|byte| byte == quote)?;
    match Charset::named(value.get(..end)?) {
        charset @ (Charset::Utf7 | Charset::Unknown) => Some(charset),
        // UTF-16 and EBCDIC would not have let the declaration be read.
        _ => None,
    }
}

fn ebcdic(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    for byte in bytes {
        push_scalar(
            &mut out,
            u32::from(IBM037.get(usize::from(*byte)).copied().unwrap_or_default()),
        );
    }
    out
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 16);
    let (pairs, rest) = bytes.as_chunks::<2>();
    for scalar in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        push_scalar(&mut out, scalar.map_or(0xfffd, u32::from));
    }
    out.extend_from_slice(rest);
    out
}

fn utf32(bytes: &[u8], unit: impl Fn([u8; 4]) -> u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 + 16);
    let (units, rest) = bytes.as_chunks::<4>();
    for bytes in units {
        push_scalar(&mut out, unit(*bytes));
    }
    out.extend_from_slice(rest);
    out
}

/// UTF-7: `+` opens a run of base64 that holds UTF-16, `-` or any other character closes it, `+-` is a plus.
fn utf7(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'+') {
        let Some((plain, run)) = rest.split_at_checked(at) else {
            break;
        };
        out.extend_from_slice(plain);
        let run = run.get(1..).unwrap_or_default();
        let length = run
            .iter()
            .position(|byte| sextet(*byte).is_none())
            .unwrap_or(run.len());
        let (encoded, after) = run.split_at_checked(length).unwrap_or((run, b""));
        if encoded.is_empty() {
            out.push(b'+');
        } else {
            push_base64_utf16(encoded, &mut out);
        }
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    out.extend_from_slice(rest);
    out
}

fn push_base64_utf16(encoded: &[u8], out: &mut Vec<u8>) {
    let mut bits = 0_u32;
    let mut count = 0_u32;
    let mut sextets = encoded.iter().filter_map(|byte| sextet(*byte));
    let units = std::iter::from_fn(|| {
        while count < 16 {
            bits = bits << 6 | u32::from(sextets.next()?);
            count += 6;
        }
        count -= 16;
        let unit = (bits >> count) as u16;
        bits &= (1 << count) - 1;
        Some(unit)
    });
    for scalar in char::decode_utf16(units) {
        push_scalar(out, scalar.map_or(0xfffd, u32::from));
    }
}

/// Value of a base64 digit.
pub(crate) fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// IBM037 to ISO 8859-1.
#[rustfmt::skip]
const IBM037: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x0a, 0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07,
    0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a,
    0x20, 0xa0, 0xe2, 0xe4, 0xe0, 0xe1, 0xe3, 0xe5, 0xe7, 0xf1, 0xa2, 0x2e, 0x3c, 0x28, 0x2b, 0x7c,
    0x26, 0xe9, 0xea, 0xeb, 0xe8, 0xed, 0xee, 0xef, 0xec, 0xdf, 0x21, 0x24, 0x2a, 0x29, 0x3b, 0xac,
    0x2d, 0x2f, 0xc2, 0xc4, 0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xd1, 0xa6, 0x2c, 0x25, 0x5f, 0x3e, 0x3f,
    0xf8, 0xc9, 0xca, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0x60, 0x3a, 0x23, 0x40, 0x27, 0x3d, 0x22,
    0xd8, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0xab, 0xbb, 0xf0, 0xfd, 0xfe, 0xb1,
    0xb0, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0xaa, 0xba, 0xe6, 0xb8, 0xc6, 0xa4,
    0xb5, 0x7e, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xa1, 0xbf, 0xd0, 0xdd, 0xde, 0xae,
    0x5e, 0xa3, 0xa5, 0xb7, 0xa9, 0xa7, 0xb6, 0xbc, 0xbd, 0xbe, 0x5b, 0x5d, 0xaf, 0xa8, 0xb4, 0xd7,
    0x7b, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xad, 0xf4, 0xf6, 0xf2, 0xf3, 0xf5,
    0x7d, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0xb9, 0xfb, 0xfc, 0xf9, 0xfa, 0xff,
    0x5c, 0xf7, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xb2, 0xd4, 0xd6, 0xd2, 0xd3, 0xd5,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0xb3, 0xdb, 0xdc, 0xd9, 0xda, 0x9f,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_of(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn names_and_aliases() {
        for (name, expected) in [
            ("", Charset::Ascii),
            ("UTF-8", Charset::Ascii),
            ("\"utf8\"", Charset::Ascii),
            ("ISO-8859-1", Charset::Ascii),
            ("utf-16", Charset::Utf16Be),
            ("UTF_16LE", Charset::Utf16Le),
            ("utf-7", Charset::Utf7),
            ("IBM037", Charset::Ebcdic),
            ("EUC-KR", Charset::Ascii),
            ("iso-8859-15", Charset::Ascii),
            ("x-user-defined", Charset::Unknown),
            ("a-very-long-name-of-no-charset", Charset::Unknown),
        ] {
            assert_eq!(Charset::named(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn bytes_that_show_their_charset() {
        type Shown = Option<(Charset, usize)>;
        let cases: &[(&[u8], Shown)] = &[
            (b"\xef\xbb\xbf{}", Some((Charset::Ascii, 3))),
            (b"\xff\xfe{\0}\0", Some((Charset::Utf16Le, 2))),
            (b"\xfe\xff\0{\0}", Some((Charset::Utf16Be, 2))),
            (b"\xff\xfe\0\0{\0\0\0", Some((Charset::Utf32Le, 4))),
            (b"{\0}\0", Some((Charset::Utf16Le, 0))),
            (b"\0{\0}", Some((Charset::Utf16Be, 0))),
            (b"\0\0\0{", Some((Charset::Utf32Be, 0))),
            (b"{\0\0\0", Some((Charset::Utf32Le, 0))),
            (
                b"<?xml version='1.0' encoding='utf-7'?>",
                Some((Charset::Utf7, 0)),
            ),
            (
                b"<?xml version='1.0' encoding=\"x-odd\"?>",
                Some((Charset::Unknown, 0)),
            ),
            (b"<?xml version='1.0' encoding=\"UTF-16\"?>", None),
            (b"<?xml version='1.0'?><a encoding='utf-7'/>", None),
            (b"{}", None),
            (b"", None),
        ];
        for (body, expected) in cases {
            assert_eq!(Charset::shown(body), *expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn conversion_is_total_and_exact() {
        let text = "a' or 1=1 \u{e9} \u{d55c} \u{1f600}";
        assert_eq!(
            Charset::Utf16Le
                .converted(&utf16_of(text, u16::to_le_bytes))
                .unwrap(),
            text.as_bytes()
        );
        assert_eq!(
            Charset::Utf16Be
                .converted(&utf16_of(text, u16::to_be_bytes))
                .unwrap(),
            text.as_bytes()
        );
        let utf32: Vec<u8> = text
            .chars()
            .flat_map(|scalar| (scalar as u32).to_be_bytes())
            .collect();
        assert_eq!(Charset::Utf32Be.converted(&utf32).unwrap(), text.as_bytes());
        assert_eq!(
            Charset::Ebcdic
                .converted(b"\x7d\x40\x96\x99\x40\xf1\x7e\xf1")
                .unwrap(),
            b"' or 1=1"
        );
        assert_eq!(Charset::Ascii.converted(b"\xff"), None);
        // A lone surrogate and half a unit.
        assert_eq!(
            Charset::Utf16Le.converted(b"\x00\xd8a\0b").unwrap(),
            "\u{fffd}ab".as_bytes()
        );
        assert_eq!(
            Charset::Utf32Le.converted(b"\xff\xff\xff\xff").unwrap(),
            "\u{fffd}".as_bytes()
        );
    }

    #[test]
    fn utf7_runs() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"+ADw-script+AD4-", b"<script>"),
            (b"1+-1", b"1+1"),
            (b"+ACc or", b"' or"),
            (b"+2D3eAA-", "\u{1f600}".as_bytes()),
            (b"+AD", b""),
            (b"a+", b"a+"),
        ];
        for (encoded, expected) in cases {
            assert_eq!(utf7(encoded), *expected, "{}", encoded.escape_ascii());
        }
    }
}

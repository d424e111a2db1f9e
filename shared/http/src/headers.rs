//! The header list of a request, parsed once and kept: in the body phase the proxy no longer has it.
//!
//! Envoy hands a header map over in one piece (Proxy-Wasm ABI 0.2.1, `proxy_get_header_map_pairs`): the number of
//! fields, then the lengths of each name and value, all u32 little-endian, then each name and each value with a
//! NUL byte after it. Order, duplicates and bytes that are not UTF-8 are kept, because attacks live in all three.

use std::fmt;

/// What a serialised header map was found to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedHeaders {
    /// The bytes end before what the counts and lengths announce.
    Truncated,
    /// Bytes are left over after the last value.
    TrailingBytes,
    /// A name or a value does not end with NUL where its length says.
    MissingTerminator,
    /// More than 4 GiB, which no offset can hold.
    TooLarge,
}

impl fmt::Display for MalformedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "header map ends early",
            Self::TrailingBytes => "header map has bytes after its last value",
            Self::MissingTerminator => "header map lacks a NUL after a name or value",
            Self::TooLarge => "header map is larger than 4 GiB",
        })
    }
}

impl std::error::Error for MalformedHeaders {}

/// How often a header occurs. Two `content-type` or `x-origin-verify` fields are a decision, not an accident to
/// be resolved by taking the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence<'a> {
    /// Not there.
    Absent,
    /// There once.
    Once(&'a [u8]),
    /// There more than once; the first value.
    Repeated(&'a [u8]),
}

impl<'a> Occurrence<'a> {
    /// The value of what is there once.
    pub const fn once(self) -> Option<&'a [u8]> {
        match self {
            Self::Once(value) => Some(value),
            Self::Absent | Self::Repeated(_) => None,
        }
    }
}

/// Where one field lies in the buffer: the value follows the name and its NUL.
#[derive(Clone, Copy, Debug)]
struct Field {
    name_start: u32,
    name_len: u32,
    value_len: u32,
}

impl Field {
    fn name(self, raw: &[u8]) -> &[u8] {
        let start = self.name_start as usize;
        raw.get(start..start + self.name_len as usize)
            .unwrap_or_default()
    }

    fn value(self, raw: &[u8]) -> &[u8] {
        let start = self.name_start as usize + self.name_len as usize + 1;
        raw.get(start..start + self.value_len as usize)
            .unwrap_or_default()
    }
}

/// All header fields of a request, pseudo headers included, in the order they came. Names are lower case.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    raw: Vec<u8>,
    fields: Vec<Field>,
}

impl Headers {
    /// Parses a serialised header map. No bytes at all is an empty list, as the host answers for an empty map.
    ///
    /// One allocation (the ranges); the buffer itself is kept. Names are lower-cased in place: Envoy has done so
    /// already, other hosts may not have.
    ///
    /// # Errors
    /// When the bytes are not exactly such a map.
    pub fn parse(mut raw: Vec<u8>) -> Result<Self, MalformedHeaders> {
        if raw.is_empty() {
            return Ok(Self::default());
        }
        let total = u32::try_from(raw.len()).map_err(|_| MalformedHeaders::TooLarge)?;
        let (count, rest) = u32_at(&raw).ok_or(MalformedHeaders::Truncated)?;
        // Checked before allocating: every field takes at least two lengths and two NULs.
        let lengths = (count as usize)
            .checked_mul(8)
            .ok_or(MalformedHeaders::Truncated)?;
        let (mut lengths, data) = rest
            .split_at_checked(lengths)
            .ok_or(MalformedHeaders::Truncated)?;
        if data.len() < (count as usize).saturating_mul(2) {
            return Err(MalformedHeaders::Truncated);
        }
        let mut fields = Vec::with_capacity(count as usize);
        let mut lower = true;
        let mut at = total - data.len() as u32;
        while let Some((name_len, rest)) = u32_at(lengths) {
            let Some((value_len, rest)) = u32_at(rest) else {
                break;
            };
            lengths = rest;
            let field = Field {
                name_start: at,
                name_len,
                value_len,
            };
            let name_end = u64::from(at) + u64::from(name_len);
            let value_end = name_end + 1 + u64::from(value_len);
            if value_end >= u64::from(total) {
                return Err(MalformedHeaders::Truncated);
            }
            if raw.get(name_end as usize) != Some(&0) || raw.get(value_end as usize) != Some(&0) {
                return Err(MalformedHeaders::MissingTerminator);
            }
            lower &= is_lower(field.name(&raw));
            fields.push(field);
            at = value_end as u32 + 1;
        }
        if at != total {
            return Err(MalformedHeaders::TrailingBytes);
        }
        for field in fields.iter().filter(|_| !lower) {
            let start = field.name_start as usize;
            if let Some(name) = raw.get_mut(start..start + field.name_len as usize) {
                name.make_ascii_lowercase();
            }
        }
        Ok(Self { raw, fields })
    }

    /// A list from name and value pairs, for callers without a proxy (replay, tests).
    ///
    /// What would take the list beyond 4 GiB is left out.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }

    /// Adds one field at the end; what would take the list beyond 4 GiB is left out.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let end = self
            .raw
            .len()
            .saturating_add(name.len())
            .saturating_add(value.len())
            .saturating_add(2);
        if u32::try_from(end).is_err() {
            return;
        }
        self.fields.push(Field {
            name_start: self.raw.len() as u32,
            name_len: name.len() as u32,
            value_len: value.len() as u32,
        });
        self.raw.extend(name.iter().map(u8::to_ascii_lowercase));
        self.raw.push(0);
        self.raw.extend_from_slice(value);
        self.raw.push(0);
    }

    /// Takes out every field called `name` (lower case).
    pub fn remove(&mut self, name: &[u8]) {
        let raw = &self.raw;
        self.fields.retain(|field| field.name(raw) != name);
    }

    /// Number of fields, pseudo headers included.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Every field in order, pseudo headers included: lower-case name, value.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|field| (field.name(&self.raw), field.value(&self.raw)))
    }

    /// Every field that is not a pseudo header (`:path` and the like).
    pub fn regular(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter().filter(|(name, _)| name.first() != Some(&b':'))
    }

    /// All values of `name` (lower case), in order.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.iter()
            .filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// The first value of `name` (lower case). Where a second one would change the meaning, use
    /// [`occurrence`](Self::occurrence).
    pub fn first(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// Whether `name` (lower case) is absent, there once, or repeated.
    pub fn occurrence(&self, name: &[u8]) -> Occurrence<'_> {
        let mut values = self
            .iter()
            .filter(|(other, _)| *other == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Occurrence::Absent,
            (Some(only), None) => Occurrence::Once(only),
            (Some(first), Some(_)) => Occurrence::Repeated(first),
        }
    }

    /// `:method`, empty when absent.
    pub fn method(&self) -> &[u8] {
        self.first(b":method").unwrap_or_default()
    }

    /// `:path` as on the wire, with query; empty when absent (CONNECT).
    pub fn path(&self) -> &[u8] {
        self.first(b":path").unwrap_or_default()
    }

    /// `:authority` (Envoy puts HTTP/1's Host there), else `host`, else empty.
    pub fn authority(&self) -> &[u8] {
        self.first(b":authority")
            .or_else(|| self.first(b"host"))
            .unwrap_or_default()
    }

    /// `:scheme`, empty when absent.
    pub fn scheme(&self) -> &[u8] {
        self.first(b":scheme").unwrap_or_default()
    }

    /// Content-Length in bytes. `None` when absent, not a plain decimal number, or repeated with another value.
    pub fn content_length(&self) -> Option<u64> {
        let mut values = self.get_all(b"content-length").map(decimal);
        let first = values.next()??;
        values.all(|other| other == Some(first)).then_some(first)
    }
}

/// Whether a name has no capital letter, as far as one bit tells: it is set in small letters, digits and the hyphen.
fn is_lower(name: &[u8]) -> bool {
    const BIT: u64 = u64::from_le_bytes([0x20; 8]);
    let Some(last) = name.last_chunk::<8>() else {
        return name.iter().fold(0x20, |all, byte| all & byte) != 0;
    };
    let (words, _) = name.as_chunks::<8>();
    let all = words.iter().fold(u64::from_le_bytes(*last), |all, word| {
        all & u64::from_le_bytes(*word)
    });
    all & BIT == BIT
}

fn u32_at(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serialised(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut raw = (pairs.len() as u32).to_le_bytes().to_vec();
        for (name, value) in pairs {
            raw.extend((name.len() as u32).to_le_bytes());
            raw.extend((value.len() as u32).to_le_bytes());
        }
        for (name, value) in pairs {
            raw.extend_from_slice(name);
            raw.push(0);
            raw.extend_from_slice(value);
            raw.push(0);
        }
        raw
    }

    #[test]
    fn keeps_order_duplicates_and_bytes_that_are_not_utf8() {
        let pairs: &[(&[u8], &[u8])] = &[
            (b":path", b"/a?b"),
            (b"X-Bad", b"\xff\xfe"),
            (b"a", b""),
            (b"", b"nameless"),
            (b"a", b"2\0 with NUL"),
            (b":authority", b"h"),
        ];
        let headers = Headers::parse(serialised(pairs)).unwrap();
        let seen: Vec<_> = headers.iter().collect();
        let mut expected = pairs.to_vec();
        expected[1].0 = b"x-bad";
        assert_eq!(seen, expected);
        assert_eq!(
            Headers::from_pairs(pairs.iter().copied())
                .iter()
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(
            headers.get_all(b"a").collect::<Vec<_>>(),
            [&b""[..], b"2\0 with NUL"]
        );
        assert_eq!(headers.first(b"x-bad"), Some(&b"\xff\xfe"[..]));
        assert_eq!(headers.occurrence(b"a"), Occurrence::Repeated(b""));
        assert_eq!(headers.occurrence(b"x-bad"), Occurrence::Once(b"\xff\xfe"));
        assert_eq!(headers.occurrence(b"b"), Occurrence::Absent);
        assert_eq!(headers.path(), b"/a?b");
        assert_eq!(headers.regular().count(), 4);
    }

    #[test]
    fn names_are_lowered_wherever_the_capital_stands() {
        for length in 1..40 {
            for at in 0..length {
                let mut name = vec![b'a'; length];
                name[at] = b'Q';
                let headers = Headers::parse(serialised(&[
                    (b"x-first", b"V"),
                    (&name, b"V"),
                    (b"z", b""),
                ]))
                .unwrap();
                let names: Vec<_> = headers.iter().map(|(name, _)| name.to_vec()).collect();
                name[at] = b'q';
                assert_eq!(names, [b"x-first".to_vec(), name, b"z".to_vec()]);
                assert_eq!(headers.first(b"x-first"), Some(&b"V"[..]));
            }
        }
    }

    #[test]
    fn no_bytes_and_a_count_of_zero_are_empty_lists() {
        assert!(Headers::parse(Vec::new()).unwrap().is_empty());
        assert!(Headers::parse(vec![0; 4]).unwrap().is_empty());
    }

    #[test]
    fn malformed_maps_are_errors() {
        let good = serialised(&[(b"name", b"value"), (b"b", b"")]);
        for cut in 1..good.len() {
            assert!(
                Headers::parse(good[..cut].to_vec()).is_err(),
                "cut at {cut}"
            );
        }
        let mut long = good.clone();
        long.push(0);
        assert_eq!(
            Headers::parse(long).unwrap_err(),
            MalformedHeaders::TrailingBytes
        );
        let mut shifted = good.clone();
        shifted[4] -= 1;
        assert_eq!(
            Headers::parse(shifted).unwrap_err(),
            MalformedHeaders::MissingTerminator
        );
        // A count that would allocate 32 GiB is refused by the bytes that are not there.
        assert_eq!(
            Headers::parse(vec![0xff; 64]).unwrap_err(),
            MalformedHeaders::Truncated
        );
        let mut wrapping = good;
        wrapping[4..12].fill(0xff);
        assert_eq!(
            Headers::parse(wrapping).unwrap_err(),
            MalformedHeaders::Truncated
        );
    }

    #[test]
    fn authority_falls_back_to_host() {
        assert_eq!(Headers::from_pairs([("Host", "a")]).authority(), b"a");
        assert_eq!(
            Headers::from_pairs([("Host", "a"), (":authority", "b")]).authority(),
            b"b"
        );
    }

    #[test]
    fn content_length_is_one_decimal_number_or_nothing() {
        for (values, expected) in [
            (&["0"][..], Some(0)),
            (&["131072"], Some(131_072)),
            (&["7", "7"], Some(7)),
            (&["7", "8"], None),
            (&["7", "x"], None),
            (&[""], None),
            (&["+7"], None),
            (&["0x10"], None),
            (&["99999999999999999999"], None),
            (&[], None),
        ] {
            let headers = Headers::from_pairs(values.iter().map(|value| ("content-length", value)));
            assert_eq!(headers.content_length(), expected, "{values:?}");
        }
    }
}

//! One part of a multipart body: its headers (RFC 7578 section 4.2) and its content.

use std::borrow::Cow;

use backstop_http::media_type::Parameters;
use memchr::memchr;

use crate::charset::sextet;
use crate::escape::{hex, percent_decode};

/// One part.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) headers: &'a [u8],
    /// Everything after the headers' empty line, without the line end before the next delimiter.
    pub(crate) content: &'a [u8],
}

/// What Content-Disposition says about a part. Readers pick the first or the last of what is repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disposition<'a> {
    /// Every `name`.
    pub(crate) names: Vec<Cow<'a, [u8]>>,
    /// Every `filename` and `filename*`, decoded.
    pub(crate) filenames: Vec<Cow<'a, [u8]>>,
    /// Whether every reader takes the part for a file: by a plain `filename` in the only Content-Disposition. With
    /// `filename*` alone, or with a second header, it is a field to some.
    pub(crate) is_file: bool,
}

impl<'a> Part<'a> {
    /// Header fields; a folded line (leading space) belongs to the field before it.
    fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.headers;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let mut end = 0;
            while let Some(line_end) = rest.get(end..).and_then(|tail| memchr(b'\n', tail)) {
                end += line_end + 1;
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let field = if end == 0 { rest } else { rest.get(..end)? };
            rest = rest.get(field.len()..).unwrap_or_default();
            let colon = memchr(b':', field).unwrap_or(field.len());
            let (name, value) = field.split_at_checked(colon)?;
            Some((
                name.trim_ascii(),
                value.get(1..).unwrap_or_default().trim_ascii(),
            ))
        })
    }

    fn values(&self, header: &'static str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.fields()
            .filter(|(name, _)| name.eq_ignore_ascii_case(header.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The part's own Content-Type.
    pub(crate) fn content_type(&self) -> Option<&'a [u8]> {
        self.values("content-type").next()
    }

    /// The part's names and file names.
    pub(crate) fn disposition(&self) -> Disposition<'a> {
        let mut disposition = Disposition::default();
        let mut headers = 0;
        let mut plain = false;
        for value in self.values("content-disposition") {
            headers += 1;
            let start = memchr(b';', value).map_or(value.len(), |at| at + 1);
            for (parameter, value) in Parameters::new(value.get(start..).unwrap_or_default()) {
                // `filename*0`, `filename*1*` (RFC 2231): the pieces of one value, given one by one.
                let star = memchr(b'*', parameter);
                let base = parameter
                    .get(..star.unwrap_or(parameter.len()))
                    .unwrap_or_default();
                let value = if star.is_some() && parameter.ends_with(b"*") {
                    extended(&value)
                } else {
                    value
                };
                if base.eq_ignore_ascii_case(b"name") {
                    disposition.names.push(value);
                } else if base.eq_ignore_ascii_case(b"filename") {
                    plain |= star.is_none() && !value.is_empty();
                    disposition.filenames.push(value);
                }
            }
        }
        disposition.is_file = plain && headers == 1;
        disposition
    }

    /// The content as Content-Transfer-Encoding says it is encoded. Browsers do not send that header and RFC 7578
    /// deprecates it, but Go's reader decodes quoted-printable and Python's base64, too.
    pub(crate) fn transfer_decoded(&self) -> Option<Vec<u8>> {
        self.values("content-transfer-encoding")
            .find_map(|encoding| match () {
                () if encoding.eq_ignore_ascii_case(b"quoted-printable") => {
                    Some(quoted_printable(self.content))
                }
                () if encoding.eq_ignore_ascii_case(b"base64") => Some(base64(self.content)),
                () => None,
            })
    }
}

/// `UTF-8'en'%e2%82%ac` (RFC 8187); without quotes it is percent-encoded all the same.
fn extended<'a>(value: &[u8]) -> Cow<'a, [u8]> {
    let encoded = value
        .splitn(3, |byte| *byte == b'\'')
        .nth(2)
        .unwrap_or(value);
    let mut decoded = Vec::with_capacity(encoded.len());
    percent_decode(encoded, false, &mut decoded);
    Cow::Owned(decoded)
}

/// RFC 2045 section 6.7; what is no escape stays as it is.
fn quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((plain, escape)) = memchr(b'=', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(plain);
        let (byte, length) = match escape {
            [_, b'\r', b'\n', ..] => (None, 3),
            [_, b'\n', ..] => (None, 2),
            [_, high, low, ..] => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (Some(high << 4 | low), 3),
                None => (Some(b'='), 1),
            },
            _ => (Some(b'='), 1),
        };
        out.extend(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// RFC 2045 section 6.8: other characters, line ends among them, are skipped; padding ends nothing.
pub(crate) fn base64(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut count = 0;
    for sextet in encoded.iter().filter_map(|byte| sextet(*byte)) {
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(headers: &'static str, content: &'static str) -> Part<'static> {
        Part {
            headers: headers.as_bytes(),
            content: content.as_bytes(),
        }
    }

    #[test]
    fn a_file_is_what_every_reader_takes_for_one() {
        for (headers, is_file) in [
            ("Content-Disposition: form-data; name=a; filename=x", true),
            (
                "content-disposition : form-data;\r\n\tfilename=\"x\"; name=a\r\n",
                true,
            ),
            ("Content-Disposition: form-data; name=a", false),
            (
                "Content-Disposition: form-data; name=a; filename=\"\"",
                false,
            ),
            (
                "Content-Disposition: form-data; name=a; filename*=utf-8''x",
                false,
            ),
            (
                "Content-Disposition: form-data; name=\"a; filename=x\"",
                false,
            ),
            (
                "Content-Disposition: x; filename=x\r\nContent-Disposition: form-data; name=a",
                false,
            ),
            ("Content-Type: text/plain; filename=x", false),
        ] {
            assert_eq!(
                part(headers, "").disposition().is_file,
                is_file,
                "{headers}"
            );
        }
    }

    #[test]
    fn transfer_encodings() {
        let cases: &[(&str, &str, Option<&[u8]>)] = &[
            (
                "Content-Transfer-Encoding: quoted-printable",
                "=27 or=\r\n 1=3D1=zz=\n=",
                Some(b"' or 1=1=zz="),
            ),
            (
                "content-transfer-encoding: BASE64",
                "JyBv\r\ncg==",
                Some(b"' or"),
            ),
            ("Content-Transfer-Encoding: 8bit", "x", None),
            ("", "x", None),
        ];
        for (headers, content, expected) in cases {
            assert_eq!(
                part(headers, content).transfer_decoded().as_deref(),
                *expected,
                "{headers}"
            );
        }
    }
}

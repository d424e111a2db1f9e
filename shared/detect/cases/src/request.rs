//! The request that carries a row's value to its place, encoded so that it arrives there as the row writes it.

use std::fmt;

use backstop_http::Kind;

use crate::Row;
use crate::wire::{json_string, percent, xml_text};

const BOUNDARY: &str = "case-rows";

/// A request; host and framing are the runner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// GET, or POST with a body.
    pub method: &'static str,
    /// Path and query.
    pub path: Vec<u8>,
    /// Header fields.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Content.
    pub body: Option<Vec<u8>>,
}

/// Why HTTP/1.1 cannot carry a value to its place as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotCarried {
    /// A field value has no control characters but tab (RFC 9110, 5.5); Envoy answers 400.
    ControlInHeader,
    /// Blanks around a field value are not part of it (RFC 9110, 5.5).
    BlankAroundHeader,
    /// Envoy removes a Referer that is no URL before any filter.
    RefererIsNoUrl,
    /// A request's path begins with `/` (RFC 9112, 3.2.1).
    NotAPath,
    /// A multipart header's value ends at a quote or a line break, and has no escape that servers agree on (RFC 7578, 5.1).
    QuoteInDisposition,
    /// An element's or attribute's name that is none in XML.
    NotAnXmlName,
}

impl fmt::Display for NotCarried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlInHeader => "a field value has no control characters but tab",
            Self::BlankAroundHeader => "blanks around a field value are not part of it",
            Self::RefererIsNoUrl => "Envoy removes a Referer that is no URL",
            Self::NotAPath => "a path begins with /",
            Self::QuoteInDisposition => "a multipart name has no quotes and line breaks",
            Self::NotAnXmlName => "not a name in XML",
        })
    }
}

/// The request for `row`.
pub fn carrying(row: &Row) -> Result<Request, NotCarried> {
    let wire = row.on_the_wire();
    let name = percent(&row.name, b"-._~");
    Ok(match row.kind {
        Kind::Path if !row.input.starts_with(b"/") => return Err(NotCarried::NotAPath),
        Kind::Path => get(wire, Vec::new()),
        Kind::Query => get(join(&[b"/?", &name, b"=", &wire]), Vec::new()),
        Kind::QueryName => get(join(&[b"/?", &wire, b"=1"]), Vec::new()),
        Kind::Cookie => cookie(join(&[&row.name, b"=", &wire])),
        Kind::CookieName => cookie(join(&[&wire, b"=1"])),
        Kind::Header => header(row)?,
        Kind::Form => post(
            "application/x-www-form-urlencoded",
            join(&[&name, b"=", &percent(&row.input, b"-._~")]),
        ),
        Kind::FormName => post(
            "application/x-www-form-urlencoded",
            join(&[&percent(&row.input, b"-._~"), b"=1"]),
        ),
        Kind::Json => json(&row.name, json_string(&row.input)),
        Kind::JsonKey => json(&row.name, join(&[b"{", &json_string(&row.input), b":1}"])),
        Kind::Graphql => json(
            b"/query",
            json_string(&join(&[b"{f(a:", &json_string(&row.input), b")}"])),
        ),
        Kind::MultipartName => multipart(&row.input, None, b"1")?,
        Kind::MultipartFilename => multipart(&row.name, Some(&row.input), b"1")?,
        Kind::Multipart => multipart(&row.name, None, &row.input)?,
        Kind::XmlText => {
            let name = xml_name(&row.name)?;
            let text = xml_text(&row.input);
            let document = join(&[b"<r><", name, b">", &text, b"</", name, b"></r>"]);
            post("application/xml", document)
        }
        Kind::XmlAttribute => {
            let name = xml_name(&row.name)?;
            let document = join(&[b"<r ", name, b"=\"", &xml_text(&row.input), b"\"/>"]);
            post("application/xml", document)
        }
        Kind::XmlDocument => post("application/xml", row.input.clone()),
        Kind::TextBody => post("text/plain", row.input.clone()),
        Kind::RawBody => post("application/octet-stream", row.input.clone()),
    })
}

fn get(path: Vec<u8>, headers: Vec<(String, Vec<u8>)>) -> Request {
    Request {
        method: "GET",
        path,
        headers,
        body: None,
    }
}

fn post(content_type: &str, body: Vec<u8>) -> Request {
    Request {
        method: "POST",
        path: b"/".to_vec(),
        headers: vec![("content-type".to_owned(), content_type.as_bytes().to_vec())],
        body: Some(body),
    }
}

fn cookie(pair: Vec<u8>) -> Request {
    get(b"/".to_vec(), vec![("cookie".to_owned(), pair)])
}

fn header(row: &Row) -> Result<Request, NotCarried> {
    let value = &row.input;
    if value
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return Err(NotCarried::ControlInHeader);
    }
    if value.trim_ascii() != value {
        return Err(NotCarried::BlankAroundHeader);
    }
    if row.name == b"referer" && !value.starts_with(b"http://") && !value.starts_with(b"https://") {
        return Err(NotCarried::RefererIsNoUrl);
    }
    let name = String::from_utf8_lossy(&row.name).into_owned();
    Ok(get(b"/".to_vec(), vec![(name, value.clone())]))
}

/// A document with `value` where `pointer` (RFC 6901) says.
fn json(pointer: &[u8], value: Vec<u8>) -> Request {
    let document = pointer
        .split(|byte| *byte == b'/')
        .skip(1)
        .collect::<Vec<_>>()
        .iter()
        .rev()
        .fold(value, |inner, token| {
            let key = String::from_utf8_lossy(token)
                .replace("~1", "/")
                .replace("~0", "~");
            join(&[b"{", &json_string(key.as_bytes()), b":", &inner, b"}"])
        });
    post("application/json", document)
}

fn multipart(name: &[u8], filename: Option<&[u8]>, content: &[u8]) -> Result<Request, NotCarried> {
    let quoted = |text: &[u8]| {
        text.iter()
            .any(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n'))
    };
    if quoted(name) || filename.is_some_and(quoted) {
        return Err(NotCarried::QuoteInDisposition);
    }
    let mut head = join(&[b"content-disposition: form-data; name=\"", name, b"\""]);
    if let Some(filename) = filename {
        head.extend(join(&[
            b"; filename=\"",
            filename,
            b"\"\r\ncontent-type: text/plain",
        ]));
    }
    let edge = BOUNDARY.as_bytes();
    let body = join(&[
        b"--",
        edge,
        b"\r\n",
        &head,
        b"\r\n\r\n",
        content,
        b"\r\n--",
        edge,
        b"--\r\n",
    ]);
    Ok(post(
        &format!("multipart/form-data; boundary={BOUNDARY}"),
        body,
    ))
}

fn xml_name(name: &[u8]) -> Result<&[u8], NotCarried> {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    let starts = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if starts && name.iter().all(plain) {
        Ok(name)
    } else {
        Err(NotCarried::NotAnXmlName)
    }
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

//! A client that sends exact bytes over HTTP/1.1: field order, duplicates, chunk sizes, trailers, bytes that are
//! not UTF-8.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use crate::http1::{self, Fields, Framing, Message};

/// A response as the client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub fields: Fields,
    /// Content.
    pub body: Vec<u8>,
}

impl Response {
    /// The first field called `name` (lower case), as text.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| String::from_utf8_lossy(v).into_owned())
    }
}

/// How a request's content goes over the wire.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// No content and no `content-length`.
    #[default]
    None,
    /// Whole, with `content-length`.
    Whole(Vec<u8>),
    /// In chunks of these bytes each, with these trailers.
    Chunked(Vec<Vec<u8>>, Fields),
}

/// Serialises a request; `host`, `content-length` and `transfer-encoding` are the caller's unless `body` implies them.
pub fn request_bytes(
    method: &str,
    path: &[u8],
    fields: &[(String, Vec<u8>)],
    body: &Body,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
    put(&[method.as_bytes(), b" ", path, b" HTTP/1.1\r\n"]);
    for (name, value) in fields {
        put(&[name.as_bytes(), b": ", value, b"\r\n"]);
    }
    match body {
        Body::None => put(&[b"\r\n"]),
        Body::Whole(bytes) => put(&[
            format!("content-length: {}\r\n\r\n", bytes.len()).as_bytes(),
            bytes,
        ]),
        Body::Chunked(chunks, trailers) => {
            put(&[b"transfer-encoding: chunked\r\n\r\n"]);
            for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                put(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"]);
            }
            put(&[b"0\r\n"]);
            for (name, value) in trailers {
                put(&[name.as_bytes(), b": ", value, b"\r\n"]);
            }
            put(&[b"\r\n"]);
        }
    }
    out
}

/// One keep-alive connection.
pub struct Client {
    writer: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let writer = TcpStream::connect(address)?;
        writer.set_nodelay(true)?;
        let reader = BufReader::new(writer.try_clone()?);
        Ok(Self { writer, reader })
    }

    /// Sends bytes without waiting for an answer.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Reads one response to a request with `method`; interim (1xx) responses are passed over.
    pub fn receive(&mut self, method: &str) -> io::Result<Response> {
        loop {
            let head = http1::read_head(&mut self.reader)?;
            let mut message: Message =
                head.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            let status = message.start_line.split(|b| *b == b' ').nth(1);
            let status = status
                .and_then(|s| std::str::from_utf8(s).ok())
                .and_then(|s| s.parse::<u16>().ok());
            let status = status.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let bodyless = method == "HEAD" || matches!(status, 101 | 204 | 304);
            let framing = if bodyless {
                Framing::None
            } else {
                http1::declared_framing(&message, Framing::UntilClose)
            };
            http1::read_body(&mut self.reader, &mut message, framing)?;
            return Ok(Response {
                status,
                fields: message.fields,
                body: message.body,
            });
        }
    }

    /// Sends a request and reads its response. The answer may come before the request is fully written (413), so
    /// a failed write is not yet an error.
    pub fn exchange(&mut self, method: &str, bytes: &[u8]) -> io::Result<Response> {
        let written = self.send(bytes);
        self.receive(method)
            .map_err(|error| written.err().unwrap_or(error))
    }
}

//! The parts of HTTP/1.1 framing (RFC 9112) that the recording upstream and the exact-bytes client share.

use std::io::{self, BufRead, Read};

/// Header fields in wire order: lower-case name, exact value bytes.
pub type Fields = Vec<(String, Vec<u8>)>;

/// A message as far as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Request or status line without its line end.
    pub start_line: Vec<u8>,
    /// Header fields.
    pub fields: Fields,
    /// Content, chunked coding removed.
    pub body: Vec<u8>,
    /// Trailer fields.
    pub trailers: Fields,
    /// Whether the message ended as its framing says, rather than by a cut connection.
    pub complete: bool,
}

impl Message {
    /// The first field called `name` (lower case).
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_slice())
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(Some(bytes))
}

fn fields(reader: &mut impl BufRead) -> io::Result<Option<Fields>> {
    let mut fields = Fields::new();
    loop {
        let Some(line) = line(reader)? else {
            return Ok(None);
        };
        if line.is_empty() {
            return Ok(Some(fields));
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        let value = line
            .get(colon + 1..)
            .unwrap_or_default()
            .trim_ascii()
            .to_vec();
        fields.push((name, value));
    }
}

/// Reads a start line and header fields; `None` when the connection ended before the first byte or in between.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(start_line) = line(reader)? else {
        return Ok(None);
    };
    let Some(fields) = fields(reader)? else {
        return Ok(None);
    };
    Ok(Some(Message {
        start_line,
        fields,
        ..Message::default()
    }))
}

/// How the content after a head is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No content.
    None,
    /// `content-length` bytes.
    Length(usize),
    /// Chunked transfer coding.
    Chunked,
    /// Until the connection closes (responses only).
    UntilClose,
}

/// Reads the content after a head into `message`; what arrived before a cut is kept and `complete` stays false.
pub fn read_body(
    reader: &mut impl BufRead,
    message: &mut Message,
    framing: Framing,
) -> io::Result<()> {
    match framing {
        Framing::None => message.complete = true,
        Framing::Length(length) => {
            reader
                .by_ref()
                .take(length as u64)
                .read_to_end(&mut message.body)?;
            message.complete = message.body.len() == length;
        }
        Framing::UntilClose => {
            reader.read_to_end(&mut message.body)?;
            message.complete = true;
        }
        Framing::Chunked => loop {
            let Some(size_line) = line(reader)? else {
                return Ok(());
            };
            let digits = size_line.split(|b| *b == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits)
                .ok()
                .and_then(|s| usize::from_str_radix(s.trim(), 16).ok());
            let Some(size) = size else { return Ok(()) };
            if size == 0 {
                if let Some(trailers) = fields(reader)? {
                    message.trailers = trailers;
                    message.complete = true;
                }
                return Ok(());
            }
            let before = message.body.len();
            reader
                .by_ref()
                .take(size as u64)
                .read_to_end(&mut message.body)?;
            if message.body.len() - before < size || line(reader)?.is_none() {
                return Ok(());
            }
        },
    }
    Ok(())
}

/// The framing that `message`'s own fields declare; `default` when they declare none.
pub fn declared_framing(message: &Message, default: Framing) -> Framing {
    if message
        .field("transfer-encoding")
        .is_some_and(|v| v.eq_ignore_ascii_case(b"chunked"))
    {
        return Framing::Chunked;
    }
    match message
        .field("content-length")
        .and_then(|v| std::str::from_utf8(v).ok())
        .and_then(|v| v.parse().ok())
    {
        Some(0) => Framing::None,
        Some(length) => Framing::Length(length),
        None => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Message {
        let mut reader = bytes;
        let mut message = read_head(&mut reader).unwrap().unwrap();
        let framing = declared_framing(&message, Framing::None);
        read_body(&mut reader, &mut message, framing).unwrap();
        message
    }

    #[test]
    fn chunked_content_and_trailers_are_taken_apart() {
        let message = read(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n");
        assert_eq!(message.body, b"abcde");
        assert_eq!(message.trailers, vec![("x-t".to_owned(), b"1".to_vec())]);
        assert!(message.complete);
    }

    #[test]
    fn a_cut_message_keeps_what_arrived_and_is_not_complete() {
        let message = read(b"POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
        assert_eq!(message.body, b"abc");
        assert!(!message.complete);
    }
}

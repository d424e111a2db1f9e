//! A request within a batch: a part of type `application/http` (OData `$batch`, Google's batch endpoints).

use backstop_http::ContentType;

/// A request as a part holds it.
pub(crate) struct Message<'a> {
    head: &'a [u8],
    /// What stands behind the empty line.
    pub(crate) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes a message apart; without an empty line, all of it is head.
    pub(crate) fn parse(message: &'a [u8]) -> Self {
        let message = message.trim_ascii_start();
        let mut end = 0;
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                return Self {
                    head: message.get(..end).unwrap_or_default(),
                    body: message.get(end + line.len()..).unwrap_or_default(),
                };
            }
            end += line.len();
        }
        Self {
            head: message,
            body: b"",
        }
    }

    /// The request line and the header lines, without their ends.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.head
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
    }

    /// The body's type.
    pub(crate) fn content_type(&self) -> ContentType<'a> {
        self.lines()
            .filter_map(|line| line.split_at_checked(b"content-type:".len()))
            .find(|(name, _)| name.eq_ignore_ascii_case(b"content-type:"))
            .map_or(ContentType::Absent, |(_, value)| {
                ContentType::parse(value.trim_ascii())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_lines_and_a_body() {
        let message = Message::parse(
            b"\r\nMERGE a('1') HTTP/1.1\r\ncontent-Type: application/json\r\n\r\n{\"a\":1}\r\n\r\n",
        );
        assert!(message.lines().filter(|line| !line.is_empty()).eq([
            &b"MERGE a('1') HTTP/1.1"[..],
            b"content-Type: application/json"
        ]));
        assert_eq!(message.body, b"{\"a\":1}\r\n\r\n");
        assert!(
            message
                .content_type()
                .media_type()
                .is_some_and(|kind| kind.is("application", "json"))
        );
        assert_eq!(Message::parse(b"GET /a HTTP/1.1").body, b"");
        assert_eq!(Message::parse(b"").lines().count(), 1);
    }
}

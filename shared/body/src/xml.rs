//! XML: text, attribute values, CDATA, comments, processing instructions and literals of the DTD.
//!
//! A tokeniser, not a parser: nothing is resolved, no entity is expanded but the five of XML and characters by
//! number. Text that a reader would put together across comments, CDATA sections and processing instructions is put
//! together here, so `un<!-- -->ion` is one value.

use std::ops::ControlFlow;

use backstop_http::Kind;
use memchr::memchr;

use crate::cursor::Cursor;
use crate::escape::push_xml_text;
use crate::report::{Malformed, Violation};
use crate::sink::Sink;

/// Buffers of the XML reader.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    /// Where the names of the open elements lie in the document.
    open: Vec<(usize, usize)>,
    text: Vec<u8>,
    attribute: Vec<u8>,
}

impl Xml {
    /// Visits the whole document, then its values.
    pub(crate) fn walk(
        &mut self,
        document: &[u8],
        max_depth: usize,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<(), Option<Malformed>> {
        sink.put(Kind::XmlDocument, b"", document)?;
        self.open.clear();
        let mut reading = Reading {
            document,
            cursor: Cursor::new(document),
            max_depth,
            untracked: 0,
            has_element: false,
            malformed: None,
            sink,
        };
        self.text.clear();
        loop {
            let text = reading
                .cursor
                .take(memchr(b'<', reading.cursor.rest()).unwrap_or(usize::MAX));
            push_xml_text(text, &mut self.text);
            let rest = reading.cursor.rest();
            match rest {
                [] => break,
                [_, b'!', b'-', b'-', ..] => reading.markup(4, b"-->", b"!--")?,
                [_, b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => {
                    reading.cursor.skip(9);
                    let (section, closed) = reading.cursor.take_until(b"]]>");
                    self.text.extend_from_slice(section);
                    reading.note_end(closed);
                }
                [_, b'?', ..] => reading.instruction()?,
                [_, b'!', ..] => {
                    self.flush(&mut reading)?;
                    reading.doctype()?;
                }
                [_, b'/', ..] => {
                    self.flush(&mut reading)?;
                    self.end_tag(&mut reading);
                }
                [_, start, ..] if is_name_start(*start) => {
                    self.flush(&mut reading)?;
                    self.start_tag(&mut reading)?;
                }
                _ => {
                    reading.note(Violation::Syntax);
                    self.text.extend_from_slice(reading.cursor.take(1));
                }
            }
        }
        self.flush(&mut reading)?;
        if !reading.has_element {
            reading.note(Violation::Syntax);
        }
        if !self.open.is_empty() || reading.untracked > 0 {
            reading.note(Violation::UnexpectedEnd);
        }
        ControlFlow::Continue(reading.malformed)
    }

    /// Visits the text gathered since the last tag.
    fn flush(&mut self, reading: &mut Reading<'_, '_, '_>) -> ControlFlow<()> {
        let text = self.text.trim_ascii();
        if !text.is_empty() {
            let name = self
                .open
                .last()
                .and_then(|(start, end)| reading.document.get(*start..*end));
            reading
                .sink
                .put(Kind::XmlText, name.unwrap_or_default(), text)?;
        }
        self.text.clear();
        ControlFlow::Continue(())
    }

    fn end_tag(&mut self, reading: &mut Reading<'_, '_, '_>) {
        reading.cursor.skip(2);
        let name = reading.cursor.take_while(is_name);
        let (_, closed) = reading.cursor.take_until(b">");
        reading.note_end(closed);
        if reading.untracked > 0 {
            reading.untracked -= 1;
            return;
        }
        let matches = self
            .open
            .pop()
            .and_then(|(start, end)| reading.document.get(start..end))
            == Some(name);
        if !matches {
            reading.note(Violation::Syntax);
        }
    }

    fn start_tag(&mut self, reading: &mut Reading<'_, '_, '_>) -> ControlFlow<()> {
        reading.has_element = true;
        reading.cursor.skip(1);
        let start = reading.cursor.offset();
        let name = reading.cursor.take_while(is_name);
        loop {
            reading.cursor.take_while(|byte| byte.is_ascii_whitespace());
            match reading.cursor.rest() {
                [b'/', b'>', ..] => {
                    reading.cursor.skip(2);
                    return ControlFlow::Continue(());
                }
                [b'>', ..] => {
                    reading.cursor.skip(1);
                    break;
                }
                [] | [b'<', ..] => {
                    reading.note(Violation::UnexpectedEnd);
                    break;
                }
                [next, ..] if is_name_start(*next) => self.attribute(reading)?,
                _ => {
                    // A slash or a quote astray.
                    reading.note(Violation::Syntax);
                    reading.cursor.skip(1);
                }
            }
        }
        if self.open.len() < reading.max_depth && reading.untracked == 0 {
            self.open.push((start, start + name.len()));
        } else {
            reading.untracked += 1;
            reading.note(Violation::TooDeep);
        }
        ControlFlow::Continue(())
    }

    fn attribute(&mut self, reading: &mut Reading<'_, '_, '_>) -> ControlFlow<()> {
        let name = reading
            .cursor
            .take_while(|byte| is_name(byte) && byte != b'=');
        reading.cursor.take_while(|byte| byte.is_ascii_whitespace());
        if !reading.cursor.skip_if(b"=") {
            reading.note(Violation::NonStandard);
            return ControlFlow::Continue(());
        }
        reading.cursor.take_while(|byte| byte.is_ascii_whitespace());
        let value = match reading.cursor.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                reading.cursor.skip(1);
                let (value, closed) = reading.cursor.take_until(&[quote]);
                reading.note_end(closed);
                value
            }
            _ => {
                reading.note(Violation::NonStandard);
                reading
                    .cursor
                    .take_while(|byte| !byte.is_ascii_whitespace() && byte != b'>')
            }
        };
        self.attribute.clear();
        push_xml_text(value, &mut self.attribute);
        reading.sink.put(Kind::XmlAttribute, name, &self.attribute)
    }
}

/// The state of one reading.
struct Reading<'a, 's, 'v> {
    document: &'a [u8],
    cursor: Cursor<'a>,
    max_depth: usize,
    /// Elements open beyond the depth that is tracked.
    untracked: usize,
    has_element: bool,
    malformed: Option<Malformed>,
    sink: &'s mut Sink<'v>,
}

impl Reading<'_, '_, '_> {
    fn note(&mut self, violation: Violation) {
        let offset = self.cursor.offset();
        self.malformed = self.malformed.or(Some(Malformed { violation, offset }));
    }

    fn note_end(&mut self, closed: bool) {
        if !closed {
            self.note(Violation::UnexpectedEnd);
        }
    }

    /// Visits what lies between an opening of `skip` bytes and `end`.
    fn markup(&mut self, skip: usize, end: &[u8], name: &[u8]) -> ControlFlow<()> {
        self.cursor.skip(skip);
        let (content, closed) = self.cursor.take_until(end);
        self.note_end(closed);
        self.sink.put(Kind::XmlText, name, content.trim_ascii())
    }

    /// `<?target data?>`; the XML declaration is not visited.
    fn instruction(&mut self) -> ControlFlow<()> {
        self.cursor.skip(2);
        let target = self.cursor.take_while(is_name);
        let (data, closed) = self.cursor.take_until(b"?>");
        self.note_end(closed);
        if target == b"xml" && closed {
            return ControlFlow::Continue(());
        }
        self.sink.put(Kind::XmlText, b"?", data.trim_ascii())
    }

    /// `<!DOCTYPE name SYSTEM "uri" [ <!ENTITY a "value"> ]>`: its quoted literals.
    fn doctype(&mut self) -> ControlFlow<()> {
        self.cursor.skip(2);
        let mut subset = false;
        loop {
            self.cursor
                .take_while(|byte| !matches!(byte, b'"' | b'\'' | b'[' | b']' | b'>' | b'<'));
            match self.cursor.peek() {
                Some(quote @ (b'"' | b'\'')) => {
                    self.cursor.skip(1);
                    let (literal, closed) = self.cursor.take_until(&[quote]);
                    self.note_end(closed);
                    self.sink.put(Kind::XmlText, b"!DOCTYPE", literal)?;
                }
                Some(b'<') if self.cursor.rest().starts_with(b"<!--") => {
                    self.markup(4, b"-->", b"!--")?
                }
                Some(b'>') if !subset => {
                    self.cursor.skip(1);
                    return ControlFlow::Continue(());
                }
                Some(byte) => {
                    subset = (subset || byte == b'[') && byte != b']';
                    self.cursor.skip(1);
                }
                None => {
                    self.note(Violation::UnexpectedEnd);
                    return ControlFlow::Continue(());
                }
            }
        }
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

fn is_name(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !matches!(byte, b'<' | b'>' | b'/' | b'=' | b'"' | b'\'' | b'?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::tests::visits;

    fn walk(document: &str) -> (Vec<String>, Option<Violation>) {
        let mut malformed = None;
        let mut seen = visits(|sink| {
            if let ControlFlow::Continue(found) = Xml::default().walk(document.as_bytes(), 3, sink)
            {
                malformed = found;
            }
        });
        if !document.is_empty() {
            assert_eq!(
                seen.remove(0),
                format!("xmlDocument = {}", document.as_bytes().escape_ascii())
            );
        }
        (seen, malformed.map(|malformed| malformed.violation))
    }

    #[test]
    fn values_by_element_and_attribute() {
        let cases: &[(&str, &[&str], Option<Violation>)] = &[
            ("<a>x</a>", &["xml:a = x"], None),
            (
                "<?xml version=\"1.0\"?>\n<a b='1' c = \"2 &amp; 3\"/>",
                &["xmlAttribute:b = 1", "xmlAttribute:c = 2 & 3"],
                None,
            ),
            (
                "<a>1<b>2</b>3</a>",
                &["xml:a = 1", "xml:b = 2", "xml:a = 3"],
                None,
            ),
            (
                "<n:a n:b='1'> &#39; or &lt; </n:a>",
                &["xmlAttribute:n:b = 1", "xml:n:a = \\' or <"],
                None,
            ),
            ("<a><![CDATA[<x>&amp;]]></a>", &["xml:a = <x>&amp;"], None),
            (
                "<a>un<!-- c -->ion<![CDATA[ sel]]>ect</a>",
                &["xml:!-- = c", "xml:a = union select"],
                None,
            ),
            ("<a><?php echo 1 ?></a>", &["xml:? = echo 1"], None),
            (
                "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\"><!ENTITY y '> v'>]><a>&x;</a>",
                &[
                    "xml:!DOCTYPE = file:///etc/passwd",
                    "xml:!DOCTYPE = > v",
                    "xml:a = &x;",
                ],
                None,
            ),
            ("<a>1</b>", &["xml:a = 1"], Some(Violation::Syntax)),
            ("<a>1", &["xml:a = 1"], Some(Violation::UnexpectedEnd)),
            (
                "<a b='1",
                &["xmlAttribute:b = 1"],
                Some(Violation::UnexpectedEnd),
            ),
            (
                "<a b=1 c>2</a>",
                &["xmlAttribute:b = 1", "xml:a = 2"],
                Some(Violation::NonStandard),
            ),
            ("<a>1 < 2</a>", &["xml:a = 1 < 2"], Some(Violation::Syntax)),
            (
                "<a><b><c><d>deep</d></c></b>x</a>",
                &["xml:c = deep", "xml:a = x"],
                Some(Violation::TooDeep),
            ),
            ("text", &["xml = text"], Some(Violation::Syntax)),
            ("", &[], Some(Violation::Syntax)),
        ];
        for (document, expected, malformed) in cases {
            let (seen, violation) = walk(document);
            assert_eq!(seen, *expected, "{document}");
            assert_eq!(violation, *malformed, "{document}");
        }
    }
}

//! Which readers a body gets.

use std::borrow::Cow;
use std::ops::ControlFlow;

use backstop_http::scan::find_either;
use backstop_http::{ContentType, Kind, MediaType};

use crate::batch::Message;
use crate::charset::{AsciiReading, Charset};
use crate::declared::{declared_format, is_form};
use crate::form::Form;
use crate::graphql;
use crate::json::Json;
use crate::multipart::{self, Piece, Pieces};
use crate::part::Part;
use crate::report::{Content, Format, Limits, Malformed, Report, Violation};
use crate::sink::{Passes, Sink, Visit};
use crate::sniff::{looks_like_text, shown_format, shown_in_field};
use crate::xml::Xml;

/// Multipart bodies within parts of multipart bodies that are taken apart; deeper ones are text.
const MAX_MULTIPART_DEPTH: usize = 2;

/// Takes bodies apart. It owns the buffers that values are decoded into: keep one and use it for every body.
#[derive(Debug, Default)]
pub struct Walker {
    limits: Limits,
    form: Form,
    json: Json,
    xml: Xml,
    text: Vec<u8>,
    skips_plain_names: bool,
}

/// What is known about a piece of content: a body, or a part of a multipart body.
#[derive(Clone, Copy)]
struct Context<'a> {
    media_type: Option<MediaType<'a>>,
    complete: bool,
    part: Option<PartContext<'a>>,
    depth: usize,
}

#[derive(Clone, Copy)]
struct PartContext<'a> {
    field: &'a [u8],
    /// Whether it is a file to every reader.
    is_file: bool,
}

impl Context<'_> {
    fn is_readable(&self, format: Format) -> bool {
        match format {
            Format::Multipart => self.depth < MAX_MULTIPART_DEPTH,
            // Within a part, text with `=` is a form only if it is declared as one.
            Format::Form => {
                self.part.is_none()
                    || self
                        .media_type
                        .is_some_and(|media_type| is_form(&media_type))
            }
            _ => true,
        }
    }

    /// Whether this is a file of no format that is read: of such, only the beginning is visited.
    fn is_untyped_file(&self) -> bool {
        let typed = self
            .media_type
            .is_some_and(|media_type| declared_format(&media_type).is_some());
        !typed && self.part.is_some_and(|part| part.is_file)
    }

    /// Whether this is a part without a name, as in a batch of requests: no form has such a field.
    fn is_nameless(&self) -> bool {
        self.part.is_some_and(|part| part.field.is_empty())
    }

    /// Where text goes that no format takes apart.
    fn put_text(&self, text: &[u8], sink: &mut Sink<'_>) -> ControlFlow<()> {
        match self.part {
            Some(part) => sink.put(Kind::Multipart, part.field, text),
            None => sink.put(Kind::TextBody, b"", text),
        }
    }

    /// Where bytes go that are declared as nothing in particular.
    fn put_raw(&self, bytes: &[u8], sink: &mut Sink<'_>) -> ControlFlow<()> {
        match self.part {
            Some(part) => sink.put(Kind::Multipart, part.field, bytes),
            None => sink.put(Kind::RawBody, b"", bytes),
        }
    }
}

impl Walker {
    /// A walker with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Leaves keys of JSON out that are plain names: letters, digits and underscores, none longer than [`MAX_PLAIN_NAME`](crate::MAX_PLAIN_NAME), none
    /// that begins with two underscores. They are counted as values, and stay in the names of what they hold.
    #[must_use]
    pub fn without_plain_names(self) -> Self {
        Self {
            skips_plain_names: true,
            ..self
        }
    }

    /// Visits every value of `body` and reports how it was read. `Break` from `visit` ends the walk at once.
    pub fn walk(&mut self, content: &Content<'_>, body: &[u8], visit: &mut Visit<'_>) -> Report {
        self.walk_into(content, body, Sink::new(visit))
    }

    /// The same, but leaves strings of JSON out that `passes` says need no look, unless they are documents of their own. They
    /// are counted as values. What it is asked about and says no to is visited next.
    pub fn walk_past<'v>(
        &mut self,
        content: &Content<'_>,
        body: &[u8],
        passes: &'v Passes<'v>,
        visit: &'v mut Visit<'v>,
    ) -> Report {
        let mut sink = Sink::new(visit);
        sink.passes = Some(passes);
        self.walk_into(content, body, sink)
    }

    fn walk_into(&mut self, content: &Content<'_>, body: &[u8], mut sink: Sink<'_>) -> Report {
        sink.skips_plain_names = self.skips_plain_names;
        let mut report = Report::default();
        let context = Context {
            media_type: content.content_type.media_type(),
            complete: content.complete,
            part: None,
            depth: 0,
        };
        // Broken off or not, the report says what has been read.
        let _ = self.read(&context, body, &mut sink, &mut report);
        report.values = sink.values;
        report
    }

    /// Reads a body or part: converts it to UTF-8, then reads that.
    fn read(
        &mut self,
        context: &Context<'_>,
        body: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        if body.is_empty() {
            report.declared = context
                .media_type
                .and_then(|media_type| declared_format(&media_type));
            return ControlFlow::Continue(());
        }
        let declared = context
            .media_type
            .and_then(|media_type| media_type.charset());
        let declared = declared.map_or(Charset::Ascii, |name| Charset::named(&name));
        let (charset, mark) = match Charset::shown(body) {
            Some((Charset::Ascii, mark)) => (declared, mark),
            Some(shown) => shown,
            None => (declared, 0),
        };
        if charset == Charset::Unknown {
            report.note(Some(Malformed {
                violation: Violation::Charset,
                offset: 0,
            }));
        }
        let unmarked = body.get(mark..).unwrap_or_default();
        let reading = charset.reads_as_ascii(unmarked);
        let converted = if reading == AsciiReading::Only {
            None
        } else {
            charset.converted(unmarked)
        };
        let Some(text) = converted else {
            return self.read_text(context, charset, unmarked, sink, report);
        };
        self.read_text(context, Charset::Ascii, &text, sink, report)?;
        if reading == AsciiReading::Also {
            self.read_text(context, charset, unmarked, sink, &mut Report::default())?;
        }
        ControlFlow::Continue(())
    }

    /// Reads as declared and, if the first bytes show something else, as that too.
    fn read_text(
        &mut self,
        context: &Context<'_>,
        charset: Charset,
        body: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        let declared = context
            .media_type
            .and_then(|media_type| declared_format(&media_type));
        let declared = declared.map(|format| {
            if context.is_readable(format) {
                format
            } else {
                Format::Text
            }
        });
        // A field of a form, typed or not, is what it is to most readers: the whole of it.
        let is_field = context.part.is_some_and(|part| !part.is_file);
        let shown = if is_field && declared.is_none() {
            shown_in_field(body)
        } else {
            shown_format(body)
        };
        let shown = shown.filter(|shown| context.is_readable(*shown));
        report.declared = declared;
        if let Some(format) = declared {
            if shown == Some(Format::Json) && context.part.is_none() && json_is_all(format, body) {
                report.sniffed = shown;
                if self
                    .read_as(Format::Json, context, charset, body, sink, report)?
                    .is_none()
                {
                    return ControlFlow::Continue(());
                }
            }
            let malformed = self.read_as(format, context, charset, body, sink, report)?;
            report.note(malformed.filter(|malformed| counts(malformed, context.complete)));
            let batch = format == Format::Multipart && context.is_nameless();
            if is_field && !batch && !matches!(format, Format::Json | Format::Text) {
                context.put_text(body, sink)?;
            }
            let other = shown.filter(|shown| is_another(*shown, format, malformed.is_some()));
            if let Some(shown) = other.filter(|_| report.sniffed.is_none()) {
                report.sniffed = Some(shown);
                self.read_as(shown, context, charset, body, sink, report)?;
            }
            return ControlFlow::Continue(());
        }
        let Some(format) = shown else {
            let binary = !is_field && !looks_like_text(body);
            report.sniffed = Some(if binary { Format::Binary } else { Format::Text });
            if binary {
                report.skipped.binary += body.len();
                return ControlFlow::Continue(());
            }
            return self.read_untyped_text(context, body, sink, report);
        };
        report.sniffed = Some(format);
        let malformed = self.read_as(format, context, charset, body, sink, report)?;
        let malformed = malformed.filter(|malformed| counts(malformed, context.complete));
        report.note(malformed);
        if malformed.is_some() || is_field {
            return self.read_untyped_text(context, body, sink, report);
        }
        ControlFlow::Continue(())
    }

    /// Visits text without a format; of a file, its beginning.
    fn read_untyped_text(
        &mut self,
        context: &Context<'_>,
        body: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        if !context.part.is_some_and(|part| part.is_file) {
            return context.put_raw(body, sink);
        }
        if !looks_like_text(body) {
            report.skipped.binary += body.len();
            return ControlFlow::Continue(());
        }
        let prefix = body.get(..self.limits.file_prefix).unwrap_or(body);
        report.skipped.file_rest += body.len() - prefix.len();
        context.put_raw(prefix, sink)
    }

    fn read_as(
        &mut self,
        format: Format,
        context: &Context<'_>,
        charset: Charset,
        body: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<(), Option<Malformed>> {
        let malformed = match format {
            Format::Form => {
                let is_declared = context
                    .media_type
                    .is_some_and(|media_type| is_form(&media_type));
                self.form.walk(body, is_declared, charset, sink)?;
                None
            }
            Format::Json => {
                let outcome = self.json.walk(body, self.limits.max_depth, sink)?;
                if let Some(rest) = outcome.unread.and_then(|at| body.get(at..))
                    && !context.is_untyped_file()
                {
                    context.put_text(rest, sink)?;
                }
                outcome.malformed
            }
            Format::Xml => {
                let malformed = self.xml.walk(body, self.limits.max_depth, sink)?;
                let syntax =
                    malformed.is_some_and(|malformed| malformed.violation == Violation::Syntax);
                if syntax && !context.is_untyped_file() {
                    context.put_text(body, sink)?;
                }
                malformed
            }
            Format::Graphql => {
                if graphql::walk(body, &mut self.text, sink)? {
                    None
                } else {
                    context.put_text(body, sink)?;
                    Some(Malformed {
                        violation: Violation::Syntax,
                        offset: 0,
                    })
                }
            }
            Format::Multipart => {
                return self.read_multipart(context, body, sink, report);
            }
            Format::Text => {
                context.put_text(body, sink)?;
                None
            }
            Format::Binary => {
                report.skipped.binary += body.len();
                None
            }
        };
        ControlFlow::Continue(malformed)
    }

    fn read_multipart(
        &mut self,
        context: &Context<'_>,
        body: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<(), Option<Malformed>> {
        let declared = context
            .media_type
            .as_ref()
            .and_then(multipart::declared_boundary);
        let used = declared.filter(|boundary| multipart::has_boundary(body, boundary));
        let mut malformed = None;
        let boundary = match (used, multipart::sniffed_boundary(body)) {
            (Some(boundary), _) => boundary,
            (None, Some(sniffed)) => {
                // A body that nobody declared as multipart has no boundary to miss.
                let is_declared = context
                    .media_type
                    .is_some_and(|media_type| media_type.is_type("multipart"));
                malformed = is_declared.then_some(Malformed {
                    violation: Violation::Boundary,
                    offset: 0,
                });
                Cow::Borrowed(sniffed)
            }
            (None, None) => {
                context.put_text(body, sink)?;
                return ControlFlow::Continue(Some(Malformed {
                    violation: Violation::Boundary,
                    offset: 0,
                }));
            }
        };
        let mut pieces = Pieces::new(body, &boundary);
        for piece in &mut pieces {
            match piece {
                Piece::Stray(text) => context.put_text(text, sink)?,
                Piece::Part(part) => self.read_part(context, &part, sink, report)?,
            }
        }
        if !pieces.closed {
            let end = Malformed {
                violation: Violation::UnexpectedEnd,
                offset: body.len(),
            };
            malformed = malformed.or(Some(end));
        }
        ControlFlow::Continue(malformed)
    }

    fn read_part(
        &mut self,
        context: &Context<'_>,
        part: &Part<'_>,
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        let disposition = part.disposition();
        let field = disposition
            .names
            .first()
            .map(Cow::as_ref)
            .unwrap_or_default();
        for name in &disposition.names {
            sink.put(Kind::MultipartName, name, name)?;
        }
        for filename in &disposition.filenames {
            sink.put(Kind::MultipartFilename, field, filename)?;
        }
        let content_type = part
            .content_type()
            .map_or(ContentType::Absent, ContentType::parse);
        let inner = Context {
            media_type: content_type.media_type(),
            complete: context.complete,
            part: Some(PartContext {
                field,
                is_file: disposition.is_file,
            }),
            depth: context.depth + 1,
        };
        if inner.is_nameless()
            && inner
                .media_type
                .is_some_and(|kind| kind.is("application", "http"))
        {
            return self.read_message(&inner, part.content, sink, report);
        }
        self.read_content(&inner, part.content, sink, report)?;
        match part.transfer_decoded() {
            Some(decoded) => self.read_content(&inner, &decoded, sink, report),
            None => ControlFlow::Continue(()),
        }
    }

    /// Reads a request within a batch (OData `$batch`, Google's batch endpoints): its lines, then its body.
    fn read_message(
        &mut self,
        context: &Context<'_>,
        message: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        let message = Message::parse(message);
        for line in message.lines() {
            context.put_text(line, sink)?;
        }
        let inner = Context {
            media_type: message.content_type().media_type(),
            ..*context
        };
        self.read_content(&inner, message.body, sink, report)
    }

    /// Reads a part's content, and adds to the body's report what is the body's business.
    fn read_content(
        &mut self,
        context: &Context<'_>,
        content: &[u8],
        sink: &mut Sink<'_>,
        report: &mut Report,
    ) -> ControlFlow<()> {
        let mut part_report = Report::default();
        let flow = self.read(context, content, sink, &mut part_report);
        report.skipped.binary += part_report.skipped.binary;
        report.skipped.file_rest += part_report.skipped.file_rest;
        if part_report.declared.is_some() {
            report.note(part_report.malformed);
        }
        flow
    }
}

/// Whether a body that shows `shown` is to be read as that, too, after it has been read as `declared`.
fn is_another(shown: Format, declared: Format, malformed: bool) -> bool {
    match (shown, declared) {
        // GraphQL begins like JSON, and is not.
        (Format::Json, Format::Graphql) => malformed,
        // Many a text looks like a form.
        (Format::Form, declared) => malformed || declared == Format::Text,
        (shown, declared) => shown != declared,
    }
}

/// Whether a body that turns out to be faultless JSON need not be read as `declared` any more: as text it would be
/// visited whole, quotes and braces together, and as a form it is one long name. Browsers' beacons and command-line
/// clients send JSON in this way all the time.
fn json_is_all(declared: Format, body: &[u8]) -> bool {
    match declared {
        Format::Text => true,
        Format::Form => find_either(b'=', b'&', body).is_none(),
        _ => false,
    }
}

/// A prefix of a body ends anywhere.
fn counts(malformed: &Malformed, complete: bool) -> bool {
    complete || malformed.violation != Violation::UnexpectedEnd
}

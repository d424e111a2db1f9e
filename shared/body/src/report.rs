//! What the walker is told about a body, and what it tells about its reading.

use std::fmt;

use backstop_http::ContentType;

/// What a request says about its body.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// Content-Type.
    pub content_type: ContentType<'a>,
    /// Whether the body is whole. A prefix may end anywhere without being malformed.
    pub complete: bool,
}

impl<'a> Content<'a> {
    /// A whole body of that type.
    pub fn new(content_type: ContentType<'a>) -> Self {
        Self {
            content_type,
            complete: true,
        }
    }

    /// The first bytes of a body of that type.
    pub fn prefix(content_type: ContentType<'a>) -> Self {
        Self {
            content_type,
            complete: false,
        }
    }
}

/// Bounds of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting (JSON, XML) that names keep track of. Values below are still visited, by the name of the
    /// deepest level that is tracked, and the body is reported as too deep.
    pub max_depth: usize,
    /// Bytes visited of an uploaded file that is declared as binary or not at all and looks like text.
    pub file_prefix: usize,
}

impl Default for Limits {
    /// 128 levels (the deepest that Jackson, Go and .NET accept by default are 1000, 10000 and 64), 4 KiB.
    fn default() -> Self {
        Self {
            max_depth: 128,
            file_prefix: 4096,
        }
    }
}

/// A body's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// JSON and what is near it: NDJSON, JSON5, several values in a row.
    Json,
    /// `multipart/form-data` and other multipart types.
    Multipart,
    /// XML.
    Xml,
    /// A GraphQL document (`application/graphql`). A JSON body with a `query` is [`Format::Json`].
    Graphql,
    /// Text of no format.
    Text,
    /// Bytes.
    Binary,
}

impl Format {
    /// The format's name in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Json => "json",
            Self::Multipart => "multipart",
            Self::Xml => "xml",
            Self::Graphql => "graphql",
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

/// What a body breaks of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Something that the format does not allow here; the rest was visited as text.
    Syntax,
    /// Something that some readers allow: comments, single quotes, bare words in JSON; unquoted attributes in XML.
    NonStandard,
    /// The body ends inside a value.
    UnexpectedEnd,
    /// Nested deeper than [`Limits::max_depth`].
    TooDeep,
    /// A multipart body without a boundary parameter, or with one that its parts do not use.
    Boundary,
    /// A charset that cannot be converted and is not a superset of ASCII for certain; read as it is.
    Charset,
}

/// The first thing that a body breaks of its declared format (or, without a declared one, of the sniffed one).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is broken.
    pub violation: Violation,
    /// Where, in bytes from the beginning of the body, or of the part in a multipart body, after conversion to UTF-8.
    pub offset: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.violation {
            Violation::Syntax => "syntax error",
            Violation::NonStandard => "non-standard syntax",
            Violation::UnexpectedEnd => "unexpected end",
            Violation::TooDeep => "nested too deep",
            Violation::Boundary => "missing or unused multipart boundary",
            Violation::Charset => "unknown charset",
        };
        write!(f, "{what} at byte {}", self.offset)
    }
}

/// Content that was not visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Bytes of bodies and parts that are binary: of no text format and not looking like text.
    pub binary: usize,
    /// Bytes beyond [`Limits::file_prefix`] of files that look like text.
    pub file_rest: usize,
}

/// How a body was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The format that Content-Type declares; `None` without a usable one, or for a type of no known format.
    pub declared: Option<Format>,
    /// The format that the first bytes show, where it is not the declared one. The body was read as this, too; as this alone if
    /// it is faultless JSON that was declared as text, or as a form without fields.
    pub sniffed: Option<Format>,
    /// The first violation of the declared format, else of the sniffed one.
    pub malformed: Option<Malformed>,
    /// What was not visited.
    pub skipped: Skipped,
    /// Values visited.
    pub values: usize,
}

impl Report {
    /// The declared format, else the sniffed one.
    pub fn format(&self) -> Option<Format> {
        self.declared.or(self.sniffed)
    }

    pub(crate) fn note(&mut self, malformed: Option<Malformed>) {
        self.malformed = self.malformed.or(malformed);
    }
}

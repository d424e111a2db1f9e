//! Where an inspected value came from, as configuration, logs and detectors name it.

use std::fmt;

/// The part of a request that a value was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The whole path without the query, as on the wire.
    Path,
    /// A query parameter's name.
    QueryName,
    /// A query parameter's value.
    Query,
    /// A cookie's name.
    CookieName,
    /// A cookie's value.
    Cookie,
    /// A header field's value.
    Header,
    /// A form field's name (`application/x-www-form-urlencoded`).
    FormName,
    /// A form field's value.
    Form,
    /// A JSON object's key; the place's name is the pointer of the object that holds it.
    JsonKey,
    /// A JSON string or number; the place's name is its JSON pointer (RFC 6901).
    Json,
    /// A multipart field's name.
    MultipartName,
    /// A multipart part's file name.
    MultipartFilename,
    /// A multipart part's content.
    Multipart,
    /// Character data of an XML element; the place's name is the element's.
    XmlText,
    /// An XML attribute's value; the place's name is the attribute's.
    XmlAttribute,
    /// A whole XML document: what a detector of DTDs and entities reads.
    XmlDocument,
    /// A string in a GraphQL document.
    Graphql,
    /// A text body that no format takes apart.
    TextBody,
    /// A body of an unknown or a binary type.
    RawBody,
}

impl Kind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [Kind; 19] = [
        Kind::Path,
        Kind::QueryName,
        Kind::Query,
        Kind::CookieName,
        Kind::Cookie,
        Kind::Header,
        Kind::FormName,
        Kind::Form,
        Kind::JsonKey,
        Kind::Json,
        Kind::MultipartName,
        Kind::MultipartFilename,
        Kind::Multipart,
        Kind::XmlText,
        Kind::XmlAttribute,
        Kind::XmlDocument,
        Kind::Graphql,
        Kind::TextBody,
        Kind::RawBody,
    ];

    /// The kind that `word` names.
    // Out of line: unrolled into its caller, the nineteen comparisons keep LLVM's constraint elimination busy for minutes.
    #[inline(never)]
    pub fn called(word: &str) -> Option<Kind> {
        static ALL: [Kind; 19] = Kind::ALL;
        ALL.iter().find(|kind| word_of(**kind) == word).copied()
    }

    /// Whether values of this kind have names.
    pub const fn is_named(self) -> bool {
        !matches!(
            self,
            Kind::Path | Kind::XmlDocument | Kind::TextBody | Kind::RawBody
        )
    }

    /// The word before the colon in `query:expr`, also used in configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Path => "path",
            Kind::QueryName => "queryName",
            Kind::Query => "query",
            Kind::CookieName => "cookieName",
            Kind::Cookie => "cookie",
            Kind::Header => "header",
            Kind::FormName => "formName",
            Kind::Form => "form",
            Kind::JsonKey => "jsonKey",
            Kind::Json => "json",
            Kind::MultipartName => "multipartName",
            Kind::MultipartFilename => "filename",
            Kind::Multipart => "multipart",
            Kind::XmlText => "xml",
            Kind::XmlAttribute => "xmlAttribute",
            Kind::XmlDocument => "xmlDocument",
            Kind::Graphql => "graphql",
            Kind::TextBody => "text",
            Kind::RawBody => "body",
        }
    }
}

#[inline(never)]
const fn word_of(kind: Kind) -> &'static str {
    kind.word()
}

/// A value's origin: the kind of place and the name it has there (empty where there is none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The kind of place.
    pub kind: Kind,
    /// Parameter, header (lower case), cookie or field name; JSON pointer; element.
    pub name: &'a [u8],
}

impl<'a> Place<'a> {
    /// A place of `kind` called `name`.
    pub const fn new(kind: Kind, name: &'a [u8]) -> Self {
        Self { kind, name }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        if !self.name.is_empty() {
            write!(f, ":{}", self.name.escape_ascii())?;
        }
        Ok(())
    }
}

//! Which format a media type declares.

use backstop_http::MediaType;

use crate::report::Format;

/// The format that a media type stands for, if it is one that is read.
pub(crate) fn declared_format(media_type: &MediaType<'_>) -> Option<Format> {
    let subtype = media_type.subtype.to_ascii_lowercase();
    let has = |word: &[u8]| subtype.windows(word.len()).any(|window| window == word);
    match () {
        () if is_form(media_type) => Some(Format::Form),
        () if media_type.is_type("multipart") => Some(Format::Multipart),
        () if has(b"json") || has(b"csp-report") => Some(Format::Json),
        () if matches!(subtype.as_slice(), b"xml" | b"x-xml") || subtype.starts_with(b"xml-") => {
            Some(Format::Xml)
        }
        () if media_type.has_suffix("xml") => Some(Format::Xml),
        () if media_type.is("application", "graphql") => Some(Format::Graphql),
        () if media_type.is_type("text") => Some(Format::Text),
        () => None,
    }
}

/// Whether a body of this media type is a form.
pub(crate) fn is_form(media_type: &MediaType<'_>) -> bool {
    media_type.is("application", "x-www-form-urlencoded")
}

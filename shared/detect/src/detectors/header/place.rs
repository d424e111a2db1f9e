//! Where values stand that hold one line, and where lines are their own.

use backstop_http::{Kind, Place};

/// Whether a value has no business holding more than one line.
pub fn is_one_line(place: &Place<'_>) -> bool {
    is_one_line_field(place)
        || matches!(
            place.kind,
            Kind::Path
                | Kind::QueryName
                | Kind::Query
                | Kind::CookieName
                | Kind::Cookie
                | Kind::Header
                | Kind::FormName
                | Kind::MultipartName
                | Kind::MultipartFilename
        )
}

/// Whether a field of a body is called what holds one line: addresses, languages, where to go next.
fn is_one_line_field(place: &Place<'_>) -> bool {
    const NAMES: [&[u8]; 24] = [
        b"callback",
        b"dest",
        b"destination",
        b"email",
        b"goto",
        b"host",
        b"hostname",
        b"lang",
        b"language",
        b"locale",
        b"mail",
        b"next",
        b"redirect",
        b"redirect_to",
        b"redirect_uri",
        b"redirect_url",
        b"referer",
        b"return_to",
        b"return_url",
        b"returnurl",
        b"subject",
        b"uri",
        b"url",
        b"user_agent",
    ];
    matches!(place.kind, Kind::Form | Kind::Json | Kind::Multipart)
        && place
            .name
            .rsplit(|byte| *byte == b'/')
            .next()
            .is_some_and(|name| NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Whole bodies: their lines are theirs, whatever they look like.
pub const fn is_document(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TextBody | Kind::RawBody | Kind::XmlDocument | Kind::Graphql
    )
}

#[cfg(test)]
mod tests {
    use super::super::{detect, rules};
    use super::*;
    use crate::{Hits, Input, Level};

    #[test]
    fn a_field_that_holds_one_line_is_told_by_its_name_in_any_body() {
        let found = |kind, name: &str, text: &str| {
            let mut hits = Hits::new(Level::One);
            let input = Input {
                bytes: text.as_bytes(),
                place: Place::new(kind, name.as_bytes()),
                level: Level::One,
                features: 0x3f,
            };
            detect(&input, &mut hits);
            hits.has(&rules::CRLF)
        };
        for kind in [Kind::Form, Kind::Json, Kind::Multipart] {
            assert!(found(kind, "/profile/lang", "ko\r\nServer: hall"));
            assert!(found(kind, "redirect_url", "/home\r\nStatus: 302"));
            assert!(!found(kind, "note", "seat\r\nStatus: 302"));
            assert!(!found(kind, "/rows/0/target", "seat\r\nServer: hall"));
        }
        assert!(found(Kind::Query, "note", "seat\r\nStatus: 302"));
    }
}

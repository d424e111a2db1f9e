//! Targets of exclusions: `query:expr`, `header:referer`, `json:/queries/*`.

use backstop_http::{Kind, Place};

/// Which values an exclusion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetPattern {
    kind: Kind,
    name: Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Exact(Vec<u8>),
    /// What precedes the star; empty for every name.
    Prefix(Vec<u8>),
}

/// The kind that `word` names.
fn kind_called(word: &str) -> Result<Kind, String> {
    Kind::called(word).ok_or_else(|| {
        let words: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| format!("`{}`", kind.word()))
            .collect();
        format!(
            "unknown target `{word}`, expected one of {}",
            words.join(", ")
        )
    })
}

impl TargetPattern {
    /// Reads `kind:name`, `kind:prefix*`, or the bare kind where values have no name.
    #[cold]
    #[inline(never)]
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word, Some(name)),
            None => (text, None),
        };
        let kind = kind_called(word)?;
        let name = match name {
            None if !kind.is_named() => Name::Prefix(Vec::new()),
            None | Some("") => {
                return Err(format!(
                    "`{text}` names nothing; write `{word}:name`, or `{word}:*` for all of them"
                ));
            }
            Some(_) if !kind.is_named() => {
                return Err(format!("`{word}` has no names; write `{word}` alone"));
            }
            Some(name) => match name.split_once('*') {
                Some((prefix, "")) => Name::Prefix(prefix.as_bytes().to_vec()),
                Some(_) => return Err(format!("`{text}`: a `*` is allowed at the end only")),
                None => Name::Exact(name.as_bytes().to_vec()),
            },
        };
        let name = match name {
            Name::Exact(mut name) if kind == Kind::Header => {
                name.make_ascii_lowercase();
                Name::Exact(name)
            }
            Name::Prefix(mut name) if kind == Kind::Header => {
                name.make_ascii_lowercase();
                Name::Prefix(name)
            }
            name => name,
        };
        Ok(Self { kind, name })
    }

    /// Whether it means values of bodies.
    pub(crate) const fn is_in_body(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Path
                | Kind::QueryName
                | Kind::Query
                | Kind::CookieName
                | Kind::Cookie
                | Kind::Header
        )
    }

    /// Whether a value of `place` is meant.
    pub(crate) fn matches(&self, place: Place<'_>) -> bool {
        self.kind == place.kind
            && match &self.name {
                Name::Exact(name) => place.name == name,
                Name::Prefix(prefix) => place.name.starts_with(prefix),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, kind: Kind, name: &str) -> bool {
        TargetPattern::parse(pattern)
            .unwrap()
            .matches(Place::new(kind, name.as_bytes()))
    }

    #[test]
    fn targets_match_by_kind_and_name() {
        assert!(matches("query:expr", Kind::Query, "expr"));
        assert!(!matches("query:expr", Kind::Query, "expression"));
        assert!(!matches("query:expr", Kind::Form, "expr"));
        assert!(matches("header:Referer", Kind::Header, "referer"));
        assert!(matches("json:/queries/*", Kind::Json, "/queries/0/expr"));
        assert!(!matches("json:/queries/*", Kind::Json, "/other"));
        assert!(matches("json:/a/b", Kind::Json, "/a/b"));
        assert!(matches("cookie:_ga*", Kind::Cookie, "_ga_X1"));
        assert!(matches("query:*", Kind::Query, ""));
        assert!(matches("path", Kind::Path, ""));
    }

    #[test]
    fn what_is_no_target_says_why() {
        for (text, reason) in [
            (
                "queri:x",
                "unknown target `queri`, expected one of `path`, `queryName`, `query`",
            ),
            (
                "query",
                "`query` names nothing; write `query:name`, or `query:*` for all of them",
            ),
            (
                "query:",
                "`query:` names nothing; write `query:name`, or `query:*` for all of them",
            ),
            ("path:/a", "`path` has no names; write `path` alone"),
            (
                "json:/a/*/b",
                "`json:/a/*/b`: a `*` is allowed at the end only",
            ),
        ] {
            let error = TargetPattern::parse(text).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
    }
}

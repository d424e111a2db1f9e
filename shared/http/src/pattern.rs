//! The path patterns of a configuration.

use std::fmt;

use crate::path::{self, NormalizedPath};

/// Why a pattern was refused; the text is for the operator who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// A path pattern must begin with `/`.
    NotAbsolute,
    /// `?` or `#` in a path pattern: the query is never matched.
    Query,
    /// A path that normalising would change, so nothing would ever match it; the normalised spelling.
    NotNormalized(String),
    /// A `{` or `}` that is not around a whole segment.
    Brace(String),
    /// A type other than `int` and `uuid` after the colon.
    UnknownType(String),
    /// `{name...}` before the last segment.
    RestNotLast(String),
    /// A host pattern with something else than a name: scheme, path, port, inner or second `*`, space.
    Host(String),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => f.write_str("a path pattern begins with `/`"),
            Self::Query => {
                f.write_str("a path pattern has no `?` or `#`: the query is never matched")
            }
            Self::NotNormalized(path) => {
                write!(f, "paths are normalised before matching; write `{path}`")
            }
            Self::Brace(segment) => write!(
                f,
                "`{segment}`: braces enclose a whole segment, as in `/a/{{id}}/b`"
            ),
            Self::UnknownType(kind) => {
                write!(f, "unknown type `{kind}`; allowed are `int` and `uuid`")
            }
            Self::RestNotLast(segment) => {
                write!(f, "`{segment}` is allowed as the last segment only")
            }
            Self::Host(host) => {
                write!(
                    f,
                    "`{host}` is not a host: write `example.com` or `*.example.com`, without scheme or port"
                )
            }
        }
    }
}

impl std::error::Error for PatternError {}

/// A pattern for normalised paths. Matching is by bytes and by case, never touches the query, and is linear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Exact(Vec<u8>),
    Prefix(Vec<u8>),
    Template(Vec<Segment>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Vec<u8>),
    Any,
    Int,
    Uuid,
    Rest,
}

impl PathPattern {
    /// This path and no other.
    ///
    /// # Errors
    /// When `path` is not absolute, has a query, or is not in normalised spelling.
    pub fn exact(path: &str) -> Result<Self, PatternError> {
        Ok(Self {
            shape: Shape::Exact(normalized(path)?),
        })
    }

    /// This path and everything below it: `/grafana` matches `/grafana/x` but not `/grafana-admin`. A trailing slash
    /// says the same.
    ///
    /// # Errors
    /// As [`exact`](Self::exact).
    pub fn prefix(path: &str) -> Result<Self, PatternError> {
        Ok(Self {
            shape: Shape::Prefix(normalized(path)?),
        })
    }

    /// Segment by segment: `{id}` is any one segment, `{id:int}` decimal digits, `{id:uuid}` a UUID (RFC 9562, any
    /// case), `{rest...}` at the end one or more segments.
    ///
    /// # Errors
    /// As [`exact`](Self::exact), and for braces that are misplaced or of an unknown type.
    pub fn template(path: &str) -> Result<Self, PatternError> {
        let path = normalized(path)?;
        let mut template = Vec::new();
        for segment in path::segments(&path) {
            if template.last() == Some(&Segment::Rest) {
                return Err(PatternError::RestNotLast("{rest...}".to_owned()));
            }
            template.push(Segment::parse(segment)?);
        }
        Ok(Self {
            shape: Shape::Template(template),
        })
    }

    /// For decisions that *add* protection (limits, bot checks): matches however the path was spelled.
    pub fn covers(&self, path: &NormalizedPath<'_>) -> bool {
        match &self.shape {
            Shape::Exact(exact) => path.as_bytes() == exact,
            Shape::Prefix(prefix) if prefix == b"/" => true,
            Shape::Prefix(prefix) => match path.as_bytes().strip_prefix(prefix.as_slice()) {
                Some(rest) => matches!(rest.first(), None | Some(b'/')),
                None => false,
            },
            Shape::Template(template) => matches_template(template, path),
        }
    }

    /// For decisions that *take protection away* (exclusions): as [`covers`](Self::covers), and never for a spelling
    /// that servers may read differently.
    pub fn exempts(&self, path: &NormalizedPath<'_>) -> bool {
        !path.is_ambiguous() && self.covers(path)
    }
}

impl Segment {
    fn parse(segment: &[u8]) -> Result<Self, PatternError> {
        let shown = || String::from_utf8_lossy(segment).into_owned();
        let brace = |byte: &u8| matches!(byte, b'{' | b'}');
        let Some(inner) = segment
            .strip_prefix(b"{")
            .and_then(|rest| rest.strip_suffix(b"}"))
        else {
            return if segment.iter().any(brace) {
                Err(PatternError::Brace(shown()))
            } else {
                Ok(Self::Literal(segment.to_vec()))
            };
        };
        let (name, kind) =
            crate::target::split_once(inner, b':').map_or((inner, None), |(n, k)| (n, Some(k)));
        let (name, rest) = name
            .strip_suffix(b"...")
            .map_or((name, false), |name| (name, true));
        if name.is_empty()
            || !name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        {
            return Err(PatternError::Brace(shown()));
        }
        match (kind, rest) {
            (None, false) => Ok(Self::Any),
            (None, true) => Ok(Self::Rest),
            (Some(b"int"), false) => Ok(Self::Int),
            (Some(b"uuid"), false) => Ok(Self::Uuid),
            (Some(kind), false) => Err(PatternError::UnknownType(
                String::from_utf8_lossy(kind).into_owned(),
            )),
            (Some(_), true) => Err(PatternError::Brace(shown())),
        }
    }

    fn matches(&self, segment: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => literal == segment,
            Self::Any | Self::Rest => true,
            Self::Int => segment.iter().all(u8::is_ascii_digit),
            Self::Uuid => is_uuid(segment),
        }
    }
}

fn matches_template(template: &[Segment], path: &NormalizedPath<'_>) -> bool {
    let mut segments = path.segments();
    for expected in template {
        match segments.next() {
            Some(_) if *expected == Segment::Rest => return true,
            Some(segment) if expected.matches(segment) => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

fn is_uuid(segment: &[u8]) -> bool {
    segment.len() == 36
        && segment.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn normalized(path: &str) -> Result<Vec<u8>, PatternError> {
    if !path.starts_with('/') {
        return Err(PatternError::NotAbsolute);
    }
    if path.contains(['?', '#']) {
        return Err(PatternError::Query);
    }
    let spelled = path
        .strip_suffix('/')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(path);
    let normal = NormalizedPath::new(path.as_bytes());
    if normal.as_bytes() != spelled.as_bytes() || normal.is_ambiguous() {
        return Err(PatternError::NotNormalized(
            String::from_utf8_lossy(normal.as_bytes()).into_owned(),
        ));
    }
    Ok(normal.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &PathPattern, path: &str) -> bool {
        pattern.covers(&NormalizedPath::new(path.as_bytes()))
    }

    fn exempts(pattern: &PathPattern, path: &str) -> bool {
        pattern.exempts(&NormalizedPath::new(path.as_bytes()))
    }

    #[test]
    fn exact_and_prefix_end_at_a_segment() {
        let exact = PathPattern::exact("/health").unwrap();
        for (path, expected) in [
            ("/health", true),
            ("/health/", true),
            ("/health?x", true),
            ("/health/x", false),
            ("/healthy", false),
        ] {
            assert_eq!(covers(&exact, path), expected, "{path}");
        }
        for pattern in ["/grafana", "/grafana/"] {
            let prefix = PathPattern::prefix(pattern).unwrap();
            for (path, expected) in [
                ("/grafana", true),
                ("/grafana/", true),
                ("/grafana/a/b", true),
                ("/grafana-x", false),
                ("/", false),
            ] {
                assert_eq!(covers(&prefix, path), expected, "{pattern} {path}");
            }
        }
        assert!(covers(&PathPattern::prefix("/").unwrap(), "/anything"));
        assert!(!covers(&PathPattern::exact("/").unwrap(), "/anything"));
    }

    #[test]
    fn templates_match_segment_by_segment() {
        let cases = [
            ("/queue/matches/{n}/enter", "/queue/matches/1/enter", true),
            (
                "/queue/matches/{n}/enter",
                "/queue/matches/a%20b/enter",
                true,
            ),
            ("/queue/matches/{n}/enter", "/queue/matches/enter", false),
            (
                "/queue/matches/{n}/enter",
                "/queue/matches/1/2/enter",
                false,
            ),
            (
                "/queue/matches/{n}/enter",
                "/queue/matches/1/enter/x",
                false,
            ),
            ("/a/{id:int}", "/a/12", true),
            ("/a/{id:int}", "/a/12a", false),
            (
                "/a/{id:uuid}",
                "/a/017F22E2-79B0-7CC3-98C4-dc0c0c07398f",
                true,
            ),
            ("/a/{id:uuid}", "/a/017F22E279B07CC398C4dc0c0c07398f", false),
            (
                "/a/{id:uuid}",
                "/a/017F22E2-79B0-7CC3-98C4-dc0c0c07398g",
                false,
            ),
            ("/a/{rest...}", "/a/b/c", true),
            ("/a/{rest...}", "/a", false),
            ("/", "/", true),
            ("/", "/a", false),
        ];
        for (template, path, expected) in cases {
            assert_eq!(
                covers(&PathPattern::template(template).unwrap(), path),
                expected,
                "{template} {path}"
            );
        }
    }

    #[test]
    fn l1_an_exclusion_is_not_reached_through_query_or_fragment_or_substring() {
        for pattern in [
            PathPattern::exact("/health").unwrap(),
            PathPattern::prefix("/health").unwrap(),
            PathPattern::template("/health/{rest...}").unwrap(),
        ] {
            for path in [
                "/api/pay?x=/health",
                "/api/pay#/health",
                "/api/health",
                "/api/pay/health/x",
                "/healthx",
            ] {
                assert!(!exempts(&pattern, path), "{path}");
            }
        }
    }

    #[test]
    fn l12_deny_side_matches_every_spelling_and_allow_side_only_the_plain_one() {
        let pattern = PathPattern::template("/queue/matches/{n:int}/enter").unwrap();
        for path in [
            "//queue//matches/1/enter",
            "/queue/matches/1/enter;a=b",
            "/queue/x/../matches/1/enter",
            "/queue%2fmatches/1/enter",
            "/queue\\matches/1/enter",
            "/%2571ueue/matches/1/enter",
        ] {
            assert!(covers(&pattern, path), "{path}");
            assert!(!exempts(&pattern, path), "{path}");
        }
        for path in [
            "/queue/matches/1/enter",
            "/queue/matches/1/enter/",
            "/%71ueue/matches/1/enter",
        ] {
            assert!(covers(&pattern, path) && exempts(&pattern, path), "{path}");
        }
        // The path climbs out of the excluded prefix, for one server or for the other.
        let health = PathPattern::prefix("/health").unwrap();
        for path in [
            "/health/../admin",
            "/health/..%2fadmin",
            "/health/..;/admin",
            "/admin/..%5c..%5chealth",
        ] {
            assert!(!exempts(&health, path), "{path}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let cases = [
            ("health", PatternError::NotAbsolute),
            ("", PatternError::NotAbsolute),
            ("/a?b", PatternError::Query),
            ("/a//b", PatternError::NotNormalized("/a/b".into())),
            ("/a/../b", PatternError::NotNormalized("/b".into())),
            ("/%61", PatternError::NotNormalized("/a".into())),
            ("/a/{b", PatternError::Brace("{b".into())),
            ("/a/v{b}", PatternError::Brace("v{b}".into())),
            ("/a/{}", PatternError::Brace("{}".into())),
            ("/a/{b}{c}", PatternError::Brace("{b}{c}".into())),
            ("/a/{b:float}", PatternError::UnknownType("float".into())),
            ("/a/{b...}/c", PatternError::RestNotLast("{rest...}".into())),
        ];
        for (pattern, expected) in cases {
            assert_eq!(
                PathPattern::template(pattern).unwrap_err(),
                expected,
                "{pattern}"
            );
        }
        assert!(
            PatternError::UnknownType("x".into())
                .to_string()
                .contains("`int` and `uuid`")
        );
    }
}

//! The spelling of a path that decisions are made on.
//!
//! One resource has many spellings: `//queue//matches/1/enter`, `/queue/matches/1/enter;a=b`, `/%71ueue/...`.
//! [`NormalizedPath`] folds them into one, as the most permissive server behind the proxy might, and says when the
//! spelling is *ambiguous*, that is, when two servers may read it as two different resources.
//!
//! **The rule.** A decision that takes protection away (an exclusion) must not apply to an ambiguous spelling:
//! `/health/..%2fadmin` is `/health` to one reader and `/admin` to the next. A decision that adds protection (a
//! limit, a bot check) is made on the normalised form, however it was spelled. [`PathPattern::exempts`] and
//! [`PathPattern::covers`] are these two sides.
//!
//! [`PathPattern::exempts`]: crate::pattern::PathPattern::exempts
//! [`PathPattern::covers`]: crate::pattern::PathPattern::covers

use std::borrow::Cow;

use crate::target::Target;

/// Rounds of percent-decoding; who encodes more often than that is ambiguous, whatever comes out.
const DECODING_ROUNDS: usize = 4;

/// A path in the one spelling that patterns match: percent-decoded, `\` as `/`, no empty, `.` or `..` segments, no
/// `;parameters`, no trailing slash, no query, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalizedPath<'a> {
    path: Cow<'a, [u8]>,
    ambiguous: bool,
}

impl<'a> NormalizedPath<'a> {
    /// Normalises `:path` (the query, if any, is cut off first). Total; allocates only for unusual spellings.
    pub fn new(target: &'a [u8]) -> Self {
        let target = Target::parse(target);
        if target.fragment.is_none() && is_ordinary(target.path) {
            return Self {
                path: Cow::Borrowed(without_trailing_slash(target.path)),
                ambiguous: false,
            };
        }
        let mut ambiguous = target.fragment.is_some() || target.path.first() != Some(&b'/');
        let decoded = decode(target.path, &mut ambiguous);
        let path = resolve(&decoded, &mut ambiguous);
        Self {
            path: Cow::Owned(path),
            ambiguous,
        }
    }

    /// The normalised path; begins with `/` and is never empty.
    pub fn as_bytes(&self) -> &[u8] {
        &self.path
    }

    /// Whether servers may differ on which resource the original spelling names: dot segments, empty segments,
    /// path parameters, backslashes, fragments, control characters, malformed percent-encoding or UTF-8, and any of
    /// `/ \ % ? # ; .`-segments hidden by percent-encoding.
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// The same path in small ASCII letters, for services that do not tell capitals from small letters.
    #[must_use]
    pub fn to_ascii_lowercase(&self) -> NormalizedPath<'static> {
        NormalizedPath {
            path: Cow::Owned(self.path.to_ascii_lowercase()),
            ambiguous: self.ambiguous,
        }
    }

    /// The segments between slashes; none for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        segments(&self.path)
    }
}

/// The segments of a normalised path; none for `/`.
pub(crate) fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|segment| !segment.is_empty())
}

/// Whether normalising would change nothing but a trailing slash, and the spelling is not ambiguous.
fn is_ordinary(path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else {
        return false;
    };
    let mut segment_start = true;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'/' if segment_start => return false,
            b'/' => segment_start = true,
            // Might be a dot segment or just `.well-known`: the slow way tells.
            b'.' if segment_start => {
                if !rest.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
                    return false;
                }
                segment_start = false;
            }
            b'%' | b'\\' | b';' => return false,
            0x21..=0x7e => segment_start = false,
            _ => return false,
        }
    }
    true
}

fn without_trailing_slash(path: &[u8]) -> &[u8] {
    match path {
        [] | b"/" => b"/",
        [kept @ .., b'/'] => kept,
        all => all,
    }
}

/// Percent-decodes until nothing changes or the rounds are used up.
fn decode<'a>(path: &'a [u8], ambiguous: &mut bool) -> Cow<'a, [u8]> {
    let mut current = Cow::Borrowed(path);
    for _ in 0..DECODING_ROUNDS {
        match decode_once(&current, ambiguous) {
            Some(decoded) => current = Cow::Owned(decoded),
            None => return current,
        }
    }
    current
}

/// One round of percent-decoding; `None` when there is nothing to decode.
fn decode_once(path: &[u8], ambiguous: &mut bool) -> Option<Vec<u8>> {
    let mut rest = path;
    let mut decoded: Option<Vec<u8>> = None;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (before, escape) = rest.split_at_checked(at)?;
        let byte = match escape {
            [_, high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match byte {
            Some(byte) => {
                // What a reader that decodes later, or never, takes for something else.
                *ambiguous |= matches!(
                    byte,
                    b'/' | b'\\' | b'%' | b'?' | b'#' | b';' | 0..=0x1f | 0x7f
                );
                let out = decoded.get_or_insert_with(|| {
                    let mut out = Vec::with_capacity(path.len());
                    out.extend_from_slice(path.get(..path.len() - rest.len()).unwrap_or_default());
                    out
                });
                out.extend_from_slice(before);
                out.push(byte);
                rest = escape.get(3..).unwrap_or_default();
            }
            None => {
                *ambiguous = true;
                // With nothing decoded so far, the prefix is taken over when something is.
                if let Some(out) = &mut decoded {
                    out.extend_from_slice(before);
                    out.push(b'%');
                }
                rest = escape.get(1..).unwrap_or_default();
            }
        }
    }
    if let Some(out) = &mut decoded {
        out.extend_from_slice(rest);
    }
    decoded
}

/// Value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Removes empty and dot segments and path parameters; `..` never rises above the root.
fn resolve(path: &[u8], ambiguous: &mut bool) -> Vec<u8> {
    *ambiguous |= std::str::from_utf8(path).is_err() || path.iter().any(u8::is_ascii_control);
    *ambiguous |= path.contains(&b'\\');
    let mut out = Vec::with_capacity(path.len() + 1);
    let rooted = match path {
        [b'/' | b'\\', rest @ ..] => rest,
        all => all,
    };
    let mut segments = rooted.split(|byte| matches!(byte, b'/' | b'\\')).peekable();
    while let Some(spelled) = segments.next() {
        let segment = spelled
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        *ambiguous |= segment.len() != spelled.len();
        match segment {
            // One empty segment at the end is a trailing slash, which is ordinary.
            b"" => *ambiguous |= segments.peek().is_some() || !spelled.is_empty(),
            b"." => *ambiguous = true,
            b".." => {
                *ambiguous = true;
                let parent = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(parent);
            }
            segment => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: bool = false;
    const AMBIGUOUS: bool = true;

    #[test]
    fn one_spelling_for_one_resource() {
        let cases: &[(&[u8], &[u8], bool)] = &[
            (b"/", b"/", PLAIN),
            (b"/queue/matches/1/enter", b"/queue/matches/1/enter", PLAIN),
            (b"/queue/matches/1/enter/", b"/queue/matches/1/enter", PLAIN),
            (b"/a?b=/../c", b"/a", PLAIN),
            (b"/.well-known/acme", b"/.well-known/acme", PLAIN),
            (b"/a/...", b"/a/...", PLAIN),
            (b"/a/.b", b"/a/.b", PLAIN),
            (b"/a/..b", b"/a/..b", PLAIN),
            (b"/a/b..", b"/a/b..", PLAIN),
            (b"/%71ueue/a%20b", b"/queue/a b", PLAIN),
            (b"/%ED%95%9C", b"/\xed\x95\x9c", PLAIN),
            (b"/\xed\x95\x9c", b"/\xed\x95\x9c", PLAIN),
            (
                b"/a:b@c,d=e+f~g!h$i&j'(k)*",
                b"/a:b@c,d=e+f~g!h$i&j'(k)*",
                PLAIN,
            ),
            (
                b"//queue//matches/1/enter",
                b"/queue/matches/1/enter",
                AMBIGUOUS,
            ),
            (b"/a//", b"/a", AMBIGUOUS),
            (b"/a;x=1/b;y", b"/a/b", AMBIGUOUS),
            (b"/a/;x", b"/a", AMBIGUOUS),
            (b"/a%3bx/b", b"/a/b", AMBIGUOUS),
            (b"/a/./b", b"/a/b", AMBIGUOUS),
            (b"/a/.", b"/a", AMBIGUOUS),
            (b"/a/..", b"/", AMBIGUOUS),
            (b"/a/../../../b", b"/b", AMBIGUOUS),
            (b"/a/b/../c", b"/a/c", AMBIGUOUS),
            (b"/a/..;/c", b"/c", AMBIGUOUS),
            (b"/a/%2e%2E/c", b"/c", AMBIGUOUS),
            (b"/a/%252e%252e%252fc", b"/c", AMBIGUOUS),
            (b"/a/%25252e%25252e/c", b"/c", AMBIGUOUS),
            (b"/a\\..\\c", b"/c", AMBIGUOUS),
            (b"\\a", b"/a", AMBIGUOUS),
            (b"/a%5cb", b"/a/b", AMBIGUOUS),
            (b"/a%2fb", b"/a/b", AMBIGUOUS),
            (b"/a%3fb", b"/a?b", AMBIGUOUS),
            (b"/a%23b", b"/a#b", AMBIGUOUS),
            (b"/a#b", b"/a", AMBIGUOUS),
            (b"/a%00b", b"/a\0b", AMBIGUOUS),
            (b"/a\x01b", b"/a\x01b", AMBIGUOUS),
            (b"/a%zzb", b"/a%zzb", AMBIGUOUS),
            (b"/x%41%zz%41%", b"/xA%zzA%", AMBIGUOUS),
            (b"/%zz%41", b"/%zzA", AMBIGUOUS),
            (b"/a%", b"/a%", AMBIGUOUS),
            (b"/a%u002fb", b"/a%u002fb", AMBIGUOUS),
            (b"/a%c0%afb", b"/a\xc0\xafb", AMBIGUOUS),
            (b"/a\xff", b"/a\xff", AMBIGUOUS),
            (b"a/b", b"/a/b", AMBIGUOUS),
            (b"http://h/a", b"/http:/h/a", AMBIGUOUS),
            (b"*", b"/*", AMBIGUOUS),
            (b"", b"/", AMBIGUOUS),
        ];
        for (target, expected, ambiguous) in cases {
            let path = NormalizedPath::new(target);
            let shown = target.escape_ascii();
            assert_eq!(
                path.as_bytes().escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "{shown}"
            );
            assert_eq!(path.is_ambiguous(), *ambiguous, "{shown}");
        }
    }

    #[test]
    fn the_ordinary_path_is_borrowed() {
        for target in ["/", "/a/b.html?c", "/a/", "/.well-known/x"] {
            assert!(
                matches!(
                    NormalizedPath::new(target.as_bytes()).path,
                    Cow::Borrowed(_)
                ),
                "{target}"
            );
        }
    }

    #[test]
    fn lowering_keeps_the_rest() {
        let path = NormalizedPath::new(b"/%51ueue//A%3fB").to_ascii_lowercase();
        assert_eq!(path.as_bytes(), b"/queue/a?b");
        assert!(path.is_ambiguous());
        assert!(
            !NormalizedPath::new(b"/A")
                .to_ascii_lowercase()
                .is_ambiguous()
        );
    }

    #[test]
    fn encoding_beyond_the_bound_is_ambiguous() {
        let path = NormalizedPath::new(b"/%252525252525252e%252525252525252e/a");
        assert!(path.is_ambiguous());
    }

    #[test]
    fn l12_every_spelling_of_a_critical_path_is_the_same_path() {
        for spelling in [
            "//queue//matches/1/enter",
            "/queue/matches/1/enter/",
            "/queue/matches/1/enter;a=b",
            "/%71ueue/matches/1/enter",
            "/queue/./matches/x/../1/enter",
            "/queue\\matches\\1\\enter",
            "/queue%2fmatches%2f1%2fenter",
            "/%2571ueue/matches/1/enter",
            "/queue/matches/1/enter?x=1#y",
        ] {
            assert_eq!(
                NormalizedPath::new(spelling.as_bytes()).as_bytes(),
                b"/queue/matches/1/enter",
                "{spelling}"
            );
        }
    }
}

//! CSS that runs or loads code, read as a browser reads it: comments, escapes and control characters left out.

use super::ascii::{find, from, is_gap, is_quote, starts_with};
use super::host;

/// Whether the style sheet or declaration list runs or loads code.
pub fn runs_code(css: &[u8]) -> bool {
    let mut seen = 0u128;
    let mut characters = Characters { rest: css };
    while let Some(byte) = characters.next() {
        seen = seen << 8 | u128::from(byte);
        let found = match byte {
            b'(' => ends(seen, b"expression(") || ends(seen, b"livescript("),
            b'g' => ends(seen, b"-moz-binding"),
            b't' => ends(seen, b"@import") && !imports_fonts(characters.rest),
            b':' => {
                ends(seen, b"javascript:")
                    || ends(seen, b"vbscript:")
                    // Not `scroll-behavior:` and its like.
                    || ends(seen, b"behavior:") && !ends(seen, b"-behavior:")
                    || ends(seen, b"behaviour:") && !ends(seen, b"-behaviour:")
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether the last characters, of which `seen` holds sixteen, are `word`.
#[inline]
fn ends<const N: usize>(seen: u128, word: &[u8; N]) -> bool {
    const { assert!(N <= 16) };
    let wanted = word
        .iter()
        .fold(0u128, |wanted, byte| wanted << 8 | u128::from(*byte));
    (seen ^ wanted) << (128 - 8 * N) == 0
}

/// Whether what an `@import` names, `rest`, is a sheet of web fonts.
fn imports_fonts(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let rest = rest
        .strip_prefix(b"url(")
        .unwrap_or(rest)
        .trim_ascii_start();
    let quoted = rest.split_first().filter(|(quote, _)| is_quote(**quote));
    host::is_font_sheet(quoted.map_or(rest, |(_, rest)| rest))
}

/// Whether the content of a `style` attribute ends its declarations for some parsers only: braces, brackets, an escaped
/// `<`, an address that is broken by white space or a comment. What one reads as a string, another reads as rules.
/// Templates that are filled in later have braces of their own.
pub fn splits_parsers(css: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(css, part).is_some();
    if css.trim_ascii_start().starts_with(b"{")
        || [&b"{{"[..], b"${", b"{%", b"<%"].into_iter().any(holds)
    {
        return false;
    }
    css.iter().any(|byte| matches!(byte, b'{' | b'}'))
        || css.contains(&b'[') && find(css, b"grid").is_none()
        || find(css, b"\\3c").is_some()
        || find(css, b"url(").is_some_and(|start| is_broken_address(from(css, start + 4)))
}

/// Whether the unquoted address that starts `rest` has white space or a comment in it.
fn is_broken_address(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    if rest.first().copied().is_some_and(is_quote)
        || rest.first() == Some(&b'&')
        || starts_with(rest, b"data:")
    {
        return false;
    }
    let address = rest
        .split(|byte| *byte == b')')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    address.iter().any(u8::is_ascii_whitespace) || memchr::memmem::find(address, b"/*").is_some()
}

/// The characters of a style sheet in lower case, without comments, gaps and backslashes.
struct Characters<'a> {
    rest: &'a [u8],
}

impl Iterator for Characters<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'/' if rest.first() == Some(&b'*') => {
                    let end = memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
                    self.rest = rest.get(end..).unwrap_or_default();
                }
                b'\\' => {
                    if let Some(byte) = self.escape() {
                        return Some(byte);
                    }
                }
                byte if is_gap(*byte) => {}
                byte => return Some(byte.to_ascii_lowercase()),
            }
        }
    }
}

impl Characters<'_> {
    /// An escape by code point: `\65`, `\000065 `. Anything else behind a backslash stands for itself. A letter that is a
    /// hexadecimal digit and stands alone is taken for itself too, for `\e` in a keyword is a letter to old browsers.
    fn escape(&mut self) -> Option<u8> {
        let mut code = 0u32;
        let mut length = 0;
        for byte in self.rest.iter().take(6) {
            let Some(digit) = char::from(*byte).to_digit(16) else {
                break;
            };
            code = code << 4 | digit;
            length += 1;
        }
        let byte = u8::try_from(code)
            .ok()
            .filter(|byte| byte.is_ascii_graphic())?;
        if length < 2 {
            return None;
        }
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(byte.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_show_through_comments_escapes_and_gaps() {
        for css in [
            "x:expression(go())",
            "x:exp/*y*/ression (go())",
            "x:e\\xpress\\69on(go())",
            "x:\\65\\78pression(go())",
            "-moz-bi\\nding:url(//x.example/b.xml#b)",
            "background:url( 'java\nscript:go()')",
            "behavior: url(#default#time2)",
            "@im\\port '//x.example/a.css'",
        ] {
            assert!(runs_code(css.as_bytes()), "{css}");
        }
    }

    #[test]
    fn declarations_that_parsers_end_at_different_signs() {
        for css in [
            "font-family:a}color=red;",
            "font-family:a{b;background:url(/c}",
            "[a]color:red",
            "background:url(/a b/;color:red/*/c.png)",
            "font-family:'\\22\\3e\\3cimg'",
        ] {
            assert!(splits_parsers(css.as_bytes()), "{css}");
        }
        for css in [
            "background:url( /a.png )",
            "background:url('/a b.png')",
            "background:url(&quot;/a b.png&quot;)",
            "background:url(data:image/svg+xml;utf8,<svg width='1' />)",
            "grid-template-columns:[full] 1fr",
            "width:{{ w }}px",
            "{ color: 'red' }",
            "font-family:'Courier New'",
        ] {
            assert!(!splits_parsers(css.as_bytes()), "{css}");
        }
    }

    #[test]
    fn ordinary_style_runs_nothing() {
        for css in [
            "color:red;background:url(/a.png)",
            "scroll-behavior: smooth; overscroll-behavior: none",
            "font-family:'Courier\\ New'",
            "/* an expression */ margin:0",
            "",
        ] {
            assert!(!runs_code(css.as_bytes()), "{css}");
        }
    }
}

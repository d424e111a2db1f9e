//! CSS that runs or loads code, read as a browser reads it: comments, escapes and control characters left out.

use super::ascii::is_gap;

/// How many characters back a keyword is compared.
const WINDOW: usize = 14;

/// Whether the style sheet or declaration list runs or loads code.
pub fn runs_code(css: &[u8]) -> bool {
    let mut seen = [b' '; WINDOW];
    for byte in (Characters { rest: css }) {
        seen.copy_within(1.., 0);
        if let Some(last) = seen.last_mut() {
            *last = byte;
        }
        let found = match byte {
            b'(' => seen.ends_with(b"expression(") || seen.ends_with(b"livescript("),
            b'g' => seen.ends_with(b"-moz-binding"),
            b't' => seen.ends_with(b"@import"),
            b':' => {
                seen.ends_with(b"javascript:")
                    || seen.ends_with(b"vbscript:")
                    // Not `scroll-behavior:` and its like.
                    || seen.ends_with(b"behavior:") && !seen.ends_with(b"-behavior:")
                    || seen.ends_with(b"behaviour:") && !seen.ends_with(b"-behaviour:")
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
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

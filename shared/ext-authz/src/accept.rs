//! Whether a client would rather have HTML or JSON (RFC 9110 section 12.5.1).

use backstop_http::Headers;

/// Whether the `accept` headers set HTML above JSON. Who takes both alike, anything, or does not say, gets JSON: pages name
/// `text/html`, scripts mostly say `*/*`.
pub fn prefers_html(headers: &Headers) -> bool {
    let (mut html, mut json) = (Weight::default(), Weight::default());
    let ranges = headers
        .get_all(b"accept")
        .flat_map(|value| value.split(|byte| *byte == b','));
    for range in ranges {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let media_type = parts.next().unwrap_or_default();
        let quality = parts.find_map(quality).unwrap_or(1000);
        html.see(
            media_type,
            quality,
            &[b"text/html", b"application/xhtml+xml"],
        );
        json.see(
            media_type,
            quality,
            &[b"application/json", b"application/problem+json"],
        );
    }
    html.named > json.named.max(json.any)
}

/// Qualities in thousandths.
#[derive(Default)]
struct Weight {
    /// Of the type by its name.
    named: u16,
    /// Of `application/*`, which is JSON's as long as HTML is not named.
    any: u16,
}

impl Weight {
    fn see(&mut self, media_type: &[u8], quality: u16, names: &[&[u8]]) {
        if names
            .iter()
            .any(|name| media_type.eq_ignore_ascii_case(name))
        {
            self.named = self.named.max(quality);
        } else if media_type.eq_ignore_ascii_case(b"application/*") {
            self.any = self.any.max(quality);
        }
    }
}

/// `q=0.8` in thousandths; `None` for another parameter. What is not a quality is 0.
fn quality(parameter: &[u8]) -> Option<u16> {
    let value = parameter
        .strip_prefix(b"q=")
        .or_else(|| parameter.strip_prefix(b"Q="))?;
    let (whole, fraction) = match value.split_first() {
        Some((b'1', rest)) => (1000, rest),
        Some((b'0', rest)) => (0, rest),
        _ => return Some(0),
    };
    let digits = match fraction.split_first() {
        None => return Some(whole),
        Some((b'.', digits)) if digits.len() <= 3 => digits,
        _ => return Some(0),
    };
    let mut thousandths = 0;
    let mut place = 100;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Some(0);
        }
        thousandths += u16::from(digit - b'0') * place;
        place /= 10;
    }
    Some((whole + thousandths).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_html_and_scripts_json() {
        for (accept, expected) in [
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"][..],
                true,
            ),
            (&["*/*"], false),
            (&[], false),
            (&["application/json, text/plain, */*"], false),
            (&["application/json, text/html"], false),
            (&["application/json;q=0.9, text/html"], true),
            (&["application/json", "text/html;q=0.5"], false),
            (&["TEXT/HTML;charset=utf-8;Q=0.1"], true),
            (&["text/html;q=0"], false),
            (&["text/html;q=x"], false),
            (&["text/html;q=0.1234"], false),
            (&["application/*, text/html;q=0.9"], false),
            (&["text/*"], false),
            (&["", ",;,"], false),
        ] {
            let headers = Headers::from_pairs(accept.iter().map(|value| ("accept", value)));
            assert_eq!(prefers_html(&headers), expected, "{accept:?}");
        }
    }
}

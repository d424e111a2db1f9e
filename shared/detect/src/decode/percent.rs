//! Percent encoding: RFC 3986 section 2.1, `application/x-www-form-urlencoded` (WHATWG URL), and IIS's `%uXXXX`.

use backstop_http::scan::find_either;

use super::{Sign, hex, rewrite, utf16};

/// Percent-decodes once; a `%` that no two digits follow stays, unless nothing else is left and they are strewn over the value.
pub fn percent(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    decode(bytes, out, false) || gather(bytes, out)
}

/// Takes the percent signs out of a value that has one before every second or third sign: classic ASP reads `%s%e%t` as `set`. Honest
/// values have few.
fn gather(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    const LEAST: usize = 5;
    // A line of them is an ornament of a file.
    let strewn = bytes
        .windows(2)
        .filter(|two| matches!(two, [b'%', next] if *next != b'%' && !next.is_ascii_whitespace()))
        .count();
    if strewn < LEAST || strewn * 3 < bytes.len() {
        return false;
    }
    out.clear();
    out.extend(bytes.iter().filter(|byte| **byte != b'%'));
    true
}

/// Percent-decodes once and turns `+` into a space, as query strings and forms are read.
pub fn form(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    decode(bytes, out, true)
}

/// Whether [`form`] has anything to do, or so it seems.
pub fn is_form_encoded(bytes: &[u8]) -> bool {
    find_either(b'%', b'+', bytes).is_some()
}

fn decode(bytes: &[u8], out: &mut Vec<u8>, plus: bool) -> bool {
    let plus = if plus { b'+' } else { b'%' };
    rewrite(bytes, out, (b'%', plus), |marked| {
        let tail = match marked.split_first()? {
            (b'%', tail) => tail,
            _ => return Some((Sign::Byte(b' '), 1)),
        };
        if let Some(value) = hex(tail, 2).and_then(|value| u8::try_from(value).ok()) {
            return Some((Sign::Byte(value), 3));
        }
        utf16(marked, b"%u").map(|(code, length)| (Sign::Scalar(code), length))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn percent_table() {
        check(
            percent,
            &[
                (b"", None),
                (b"plain+text", None),
                (b"%41%62%2f", Some(b"Ab/")),
                (b"100%", None),
                (b"100% sure", None),
                (b"%4", None),
                (b"%zz%", None),
                (b"%%41", Some(b"%A")),
                (b"%25%34%31", Some(b"%41")),
                (b"%00", Some(b"\0")),
                (b"%u0027%U003c", Some(b"'<")),
                (b"%u00e9", Some("é".as_bytes())),
                (b"%uff07", Some("\u{ff07}".as_bytes())),
                (b"%ud83d%ude00", Some("😀".as_bytes())),
                (b"%ud83dx", Some("\u{fffd}x".as_bytes())),
                (b"%s%e%l%e%ct", Some(b"select")),
                (b"5% 10% 15% 20% 25%", None),
                (b"%%%%%%%%\n% seats\n%%%%%%%%\n", None),
                (b"%u12", None),
                (b"%u12g4%41", Some(b"%u12g4A")),
            ],
        );
    }

    #[test]
    fn form_table() {
        check(
            form,
            &[
                (b"a+b", Some(b"a b")),
                (b"a%2Bb", Some(b"a+b")),
                (b"%2b+", Some(b"+ ")),
                (b"ab", None),
            ],
        );
    }
}

//! What an answer changes of the query.

use std::borrow::Cow;

use backstop_http::Target;

/// `target` (path and query) with `set` in place of what its query says about those names, or behind it, and without
/// `remove`; `None` if nothing changes. Names are compared decoded: `%61dmin` is `admin`, and `+` is a space. What is neither
/// set nor removed stays as it is on the wire.
pub fn changed(target: &[u8], set: &[(String, String)], remove: &[String]) -> Option<Vec<u8>> {
    if set.is_empty() && remove.is_empty() {
        return None;
    }
    let parsed = Target::parse(target);
    let path_len = target.iter().position(|byte| matches!(byte, b'?' | b'#'));
    let path = target.get(..path_len.unwrap_or(target.len()))?;
    let mut pieces: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut done = vec![false; set.len()];
    let query = parsed.query.unwrap_or_default();
    for piece in query.split(|byte| *byte == b'&') {
        if piece.is_empty() {
            continue;
        }
        let name = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = decoded(name);
        let same = |other: &String| other.as_bytes() == name;
        match set.iter().zip(&mut done).rfind(|((key, _), _)| same(key)) {
            _ if remove.iter().any(same) => {}
            None => pieces.push(Cow::Borrowed(piece)),
            // Said once, however often it was there.
            Some((_, true)) => {}
            Some(((key, value), done)) => {
                *done = true;
                pieces.push(Cow::Owned(pair(key, value)));
            }
        }
    }
    for (index, ((key, value), done)) in set.iter().zip(done).enumerate() {
        let later = set.iter().skip(index + 1).any(|(other, _)| other == key);
        if !done && !later && !remove.contains(key) {
            pieces.push(Cow::Owned(pair(key, value)));
        }
    }
    let mut out = path.to_vec();
    for (index, piece) in pieces.iter().enumerate() {
        out.push(if index == 0 { b'?' } else { b'&' });
        out.extend_from_slice(piece);
    }
    (out != target).then_some(out)
}

/// `key=value` as a query can carry it. A `%` stays: services send what is encoded already, as to Envoy's own filter.
fn pair(key: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + value.len() + 1);
    encode(&mut out, key, b"=");
    out.push(b'=');
    encode(&mut out, value, b"");
    out
}

fn encode(out: &mut Vec<u8>, text: &str, also: &[u8]) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text.bytes() {
        let plain = byte.is_ascii_graphic() && !b"&#\"<>\\^`{|}".contains(&byte);
        if plain && !also.contains(&byte) {
            out.push(byte);
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// A name, percent-decoded once.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let hex = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(b'%'),
            },
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(target: &str, set: &[(&str, &str)], remove: &[&str]) -> Option<String> {
        let set: Vec<(String, String)> = set
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let remove: Vec<String> = remove.iter().map(|name| (*name).to_owned()).collect();
        changed(target.as_bytes(), &set, &remove).map(|out| String::from_utf8(out).unwrap())
    }

    #[test]
    fn parameters_are_set_in_their_place_and_removed_however_spelled() {
        type Row<'a> = (
            &'a str,
            &'a [(&'a str, &'a str)],
            &'a [&'a str],
            Option<&'a str>,
        );
        let rows: [Row<'_>; 13] = [
            ("/a?x=1", &[], &[], None),
            ("/a?x=1", &[("x", "1")], &[], None),
            ("/a", &[("x", "1")], &[], Some("/a?x=1")),
            ("/a?", &[("x", "1")], &[], Some("/a?x=1")),
            ("/a?x=1&y=2", &[("x", "3")], &[], Some("/a?x=3&y=2")),
            ("/a?x=1&y=2&%78=4", &[("x", "3")], &[], Some("/a?x=3&y=2")),
            ("/a?x=1&y=2", &[], &["x"], Some("/a?y=2")),
            (
                "/a?%61dmin=1&adm+in=2",
                &[],
                &["admin", "adm in"],
                Some("/a"),
            ),
            ("/a?x=1", &[("x", "3")], &["x"], Some("/a")),
            (
                "/a?y=%zz&&z",
                &[("x", "a b&c#d%20e")],
                &[],
                Some("/a?y=%zz&z&x=a%20b%26c%23d%20e"),
            ),
            ("/a", &[("k=&", "=")], &[], Some("/a?k%3D%26==")),
            ("/a", &[("x", "1"), ("x", "2")], &[], Some("/a?x=2")),
            (
                "/a?x=0",
                &[("x", "1\r\nhost: b")],
                &[],
                Some("/a?x=1%0D%0Ahost:%20b"),
            ),
        ];
        for (target, set, remove, expected) in rows {
            assert_eq!(change(target, set, remove).as_deref(), expected, "{target}");
        }
    }
}

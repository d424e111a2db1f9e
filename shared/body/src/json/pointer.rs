//! Steps of a JSON pointer (RFC 6901), appended in place.

use backstop_http::scan::find_either;

/// Appends `/token` with `~` and `/` escaped.
pub(super) fn push_token(pointer: &mut Vec<u8>, token: &[u8]) {
    pointer.push(b'/');
    if find_either(b'~', b'/', token).is_none() {
        pointer.extend_from_slice(token);
        return;
    }
    for byte in token {
        match byte {
            b'~' => pointer.extend_from_slice(b"~0"),
            b'/' => pointer.extend_from_slice(b"~1"),
            byte => pointer.push(*byte),
        }
    }
}

pub(super) fn push_index(pointer: &mut Vec<u8>, index: u32) {
    pointer.push(b'/');
    let start = pointer.len();
    let mut rest = index;
    loop {
        pointer.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = pointer.get_mut(start..) {
        digits.reverse();
    }
}

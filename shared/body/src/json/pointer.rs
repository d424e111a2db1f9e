//! Steps of a JSON pointer (RFC 6901), appended in place.

use backstop_http::scan::find_either;

/// Appends `/token` with `~` and `/` escaped.
#[inline]
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

/// Appends `/token` where the token holds neither `~` nor `/`.
#[inline]
pub(super) fn push_plain(pointer: &mut Vec<u8>, token: &[u8]) {
    pointer.push(b'/');
    pointer.extend_from_slice(token);
}

/// Makes the last step, an array index that begins at `start`, the next index.
#[inline]
pub(super) fn next_index(pointer: &mut Vec<u8>, start: usize) {
    // What nine out of ten need.
    match pointer.last_mut() {
        Some(digit @ b'0'..=b'8') => *digit += 1,
        _ => carry(pointer, start),
    }
}

fn carry(pointer: &mut Vec<u8>, start: usize) {
    let Some(digits) = pointer.get_mut(start..) else {
        return;
    };
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    pointer.insert(start, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_up() {
        let mut pointer = b"/a/0".to_vec();
        for index in 1..=1_101 {
            next_index(&mut pointer, 3);
            assert_eq!(pointer, format!("/a/{index}").as_bytes());
        }
    }

    #[test]
    fn tokens_are_escaped() {
        let mut pointer = b"/a".to_vec();
        push_token(&mut pointer, b"~/x~");
        push_token(&mut pointer, b"");
        push_token(&mut pointer, b"y");
        assert_eq!(pointer, b"/a/~0~1x~0//y");
    }
}

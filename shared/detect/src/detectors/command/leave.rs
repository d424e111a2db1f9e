//! Where somebody leaves the value that was meant, to begin a command.

use super::super::ascii::{at, from};
use super::{lines, word};

/// Whether the join at `i` is where somebody leaves the value that was meant: the start, a quote, a closer, another join.
pub fn leads(bytes: &[u8], i: usize) -> bool {
    let left = bytes
        .get(i.saturating_sub(64)..i)
        .unwrap_or_default()
        .trim_ascii_end();
    !closes_its_own(bytes, i, left)
        && left.last().is_none_or(|byte| {
            matches!(
                byte,
                b'\''
                    | b'"'
                    | b')'
                    | b'}'
                    | b']'
                    | b'\\'
                    | b';'
                    | b'|'
                    | b'&'
                    | b'`'
                    | b'$'
                    | b'*'
                    | b'%'
                    | 0
            )
        })
}

/// Whether what `left` ends with closes what it opened itself: `"Hamlet" & more`, `Shirts (plus) & tops`. A title has blanks
/// around its sign.
fn closes_its_own(bytes: &[u8], i: usize, left: &[u8]) -> bool {
    if word::blank(bytes, i + 1).is_none() || word::blank(bytes, i.saturating_sub(1)).is_none() {
        return false;
    }
    let Some((last, inside)) = left.split_last() else {
        return false;
    };
    match last {
        b'"' | b'\'' => inside
            .iter()
            .rposition(|byte| byte == last)
            .is_some_and(|open| {
                let quoted = inside.len() - open > 1;
                quoted && (open == 0 || matches!(at(inside, open - 1), b' ' | b'(' | b'['))
            }),
        b')' => {
            let count = |sign: u8| inside.iter().filter(|byte| **byte == sign).count();
            count(b'(') > count(b')')
        }
        _ => false,
    }
}

/// `10.0.0.1|id`: a short value that ends with the command, perhaps behind one more pipe.
pub fn tail_of_a_short_value(bytes: &[u8], i: usize, end: usize) -> bool {
    bytes.len() <= 40
        && lines::named_file_or_number(bytes, i)
        && bytes.get(..i).is_some_and(|left| !left.contains(&b'|'))
        && from(bytes, end)
            .iter()
            .all(|byte| matches!(byte, b'|' | b'\'' | b'"' | b' ' | 0))
}

/// Whether the `;` at `i` cuts a single value off, as `x;id` does and the words of `tea; milk; ar; tar` do not.
pub fn follows_a_value(bytes: &[u8], i: usize) -> bool {
    word::blank(bytes, i + 1).is_none()
        || leads(bytes, i)
        || bytes
            .get(i.saturating_sub(64)..i)
            .is_some_and(|left| !left.trim_ascii().contains(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &str) -> bool {
        let sign = text
            .bytes()
            .position(|byte| matches!(byte, b';' | b'&' | b'|'));
        leads(text.as_bytes(), sign.unwrap())
    }

    #[test]
    fn quotes_and_closers_lead_out_unless_they_close_their_own() {
        for text in [
            "\" & id",
            "') | id",
            "x\" ; id",
            "a\"b\" & id",
            "\"\" & id",
            "(a)) & id",
            "\"x\"&id",
            "(x)|id",
            "; id",
        ] {
            assert!(leaves(text), "{text}");
        }
        for text in [
            "\"Hamlet\" & more",
            "See 'Hamlet' & more",
            "Shirts (plus) & tops",
            "(\"A\") | sort",
            "fish & chips",
        ] {
            assert!(!leaves(text), "{text}");
        }
    }
}

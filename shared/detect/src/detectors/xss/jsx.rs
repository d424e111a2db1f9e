//! Handlers of JSX: `onClick={handleClick}` and `onChange={e => set(e.target.value)}` call nothing when a browser reads
//! them as HTML, where the braces are a block and the arrow function is never called. That is what makes code in a post
//! harmless, not its looks: `onclick={alert(1)}` runs.

use super::ascii::{at, from, is_gap, is_identifier, is_quote, skip_gaps};

/// How far a handler is followed; a longer one counts as code that runs.
const LONGEST: usize = 1024;

/// Whether the attribute value that starts `code` is a block in braces that runs nothing.
pub fn runs_nothing(code: &[u8]) -> bool {
    let code = code.get(..LONGEST).unwrap_or(code);
    if at(code, 0) != Some(b'{') {
        return false;
    }
    let Some(end) = closing(code, 0) else {
        return false;
    };
    // An unquoted value goes on behind the brace up to white space.
    let ends =
        at(code, end + 1).is_none_or(|byte| is_gap(byte) || matches!(byte, b'>' | b'/' | b'<'));
    let body = code.get(1..end).map(<[u8]>::trim_ascii).unwrap_or_default();
    ends && (is_reference(body) || is_function(body))
}

/// A name with dots: `props.onSelect`.
fn is_reference(body: &[u8]) -> bool {
    !body.is_empty()
        && body
            .iter()
            .all(|byte| is_identifier(*byte) || matches!(byte, b'.' | b'?' | b'!'))
}

/// An arrow function, or a `function` that nobody calls.
fn is_function(body: &[u8]) -> bool {
    let body = body
        .strip_prefix(b"async")
        .map_or(body, <[u8]>::trim_ascii_start);
    let parameters = match at(body, 0) {
        Some(b'(') => closing(body, 0).map(|end| end + 1),
        _ if body.starts_with(b"function") => return ends_with_its_block(body),
        _ => Some(body.iter().take_while(|byte| is_identifier(**byte)).count()),
    };
    let Some(parameters) = parameters.filter(|end| *end > 0) else {
        return false;
    };
    let arrow = skip_gaps(body, parameters);
    if !from(body, arrow).starts_with(b"=>") {
        return false;
    }
    let result = skip_gaps(body, arrow + 2);
    if at(body, result) == Some(b'{') {
        return closing(body, result).is_some_and(|end| end + 1 == body.len());
    }
    is_one_expression(from(body, result))
}

/// Whether the first block in braces is the end of `body`.
fn ends_with_its_block(body: &[u8]) -> bool {
    memchr::memchr(b'{', body)
        .and_then(|open| closing(body, open))
        .is_some_and(|end| end + 1 == body.len())
}

/// Whether nothing ends the arrow function's expression before the brace does: a comma, a semicolon or a line end outside
/// of brackets would let what follows run.
fn is_one_expression(expression: &[u8]) -> bool {
    let mut position = 0;
    while let Some(byte) = at(expression, position) {
        position = match byte {
            b'(' | b'[' | b'{' => match closing(expression, position) {
                Some(end) => end + 1,
                None => return false,
            },
            b',' | b';' | b'\n' | b'\r' => return false,
            byte if is_quote(byte) => match closing(expression, position) {
                Some(end) => end + 1,
                None => return false,
            },
            _ => position + 1,
        };
    }
    true
}

/// Where the bracket or the quote at `open` is closed. Strings are skipped, their escapes and templates too.
fn closing(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (offset, byte) in from(code, open).iter().enumerate() {
        if escaped {
            escaped = false;
        } else if let Some(mark) = quote {
            match byte {
                b'\\' => escaped = true,
                byte if *byte == mark => {
                    quote = None;
                    if depth == 0 {
                        return Some(open + offset);
                    }
                }
                _ => {}
            }
        } else {
            match byte {
                byte if is_quote(*byte) => quote = Some(*byte),
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(open + offset);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_defined_or_named_runs_nothing() {
        for code in [
            "{handleClick}>",
            "{props.onSelect} />",
            "{this.toggle}\n",
            "{() => setOpen(!open)}>",
            "{e => setName(e.target.value)} />",
            "{(a, b) => { save(a); load(b); }}>",
            "{async () => { await save() }}>",
            "{function (e) { go(e) }}>",
        ] {
            assert!(runs_nothing(code.as_bytes()), "{code}");
        }
    }

    #[test]
    fn what_is_called_runs() {
        for code in [
            "{go()}>",
            "{x=>1,go()}>",
            "{x=>1;go()}>",
            "{x=>1\ngo()}>",
            "{()=>{}}go()>",
            "{(()=>go())()}>",
            "{function(){go()}()}>",
            "{`${go()}`}>",
            "{open",
            "go()",
        ] {
            assert!(!runs_nothing(code.as_bytes()), "{code}");
        }
    }
}

//! URLs that run code: `javascript:` and its kin, `data:` of types that hold script.

use super::ascii::{
    at, find, from, is_gap, is_identifier, is_one_of, is_quote, skip_gaps, starts_with,
};
use super::entity::Plain;

/// What a URL does when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Runs its own text.
    Script,
    /// Is a document that runs script.
    Document,
    /// Is an SVG image, which runs script only where it is opened as a document.
    Svg,
}

/// Judges the URL that an attribute's value is: leading junk, control characters and character references
/// are read through, as browsers do. Linear in the scheme's length.
pub fn of_attribute(value: &[u8]) -> Option<Danger> {
    // The longest scheme that matters and the media type behind `data:` fit.
    let mut head = [0; 40];
    let mut length = 0;
    for byte in Plain::new(value).skip_while(|byte| is_quote(*byte) || matches!(byte, b'\\' | b'<'))
    {
        let Some(slot) = head.get_mut(length) else {
            break;
        };
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    let mut head = head.get(..length)?;
    for wrapper in [&b"feed:"[..], b"view-source:", b"jar:", b"url(", b"url="] {
        head = head.strip_prefix(wrapper).unwrap_or(head);
    }
    let colon = memchr::memchr(b':', head)?;
    let (scheme, rest) = head.split_at_checked(colon)?;
    let rest = from(rest, 1);
    match scheme {
        b"javascript" | b"vbscript" | b"livescript" | b"jscript" | b"vbs" | b"mocha" => {
            (!does_nothing(rest)).then_some(Danger::Script)
        }
        b"data" if is_untyped(rest) => Some(Danger::Document),
        b"data" => of_media_type(rest),
        _ => None,
    }
}

fn of_media_type(rest: &[u8]) -> Option<Danger> {
    const DOCUMENTS: [&[u8]; 8] = [
        b"text/html",
        b"text/xml",
        b"text/xsl",
        b"text/javascript",
        b"application/xhtml",
        b"application/xml",
        b"application/javascript",
        b"application/x-",
    ];
    if DOCUMENTS.iter().any(|kind| starts_with(rest, kind)) {
        Some(Danger::Document)
    } else if starts_with(rest, b"image/svg") {
        Some(Danger::Svg)
    } else {
        None
    }
}

/// Whether a `data:` URL in an attribute leaves its type open, so that the browser or the element decides.
fn is_untyped(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b',' | b';'))
}

/// Whether what follows `javascript:` is the usual way to make a link do nothing.
fn does_nothing(code: &[u8]) -> bool {
    const IDLE: [&[u8]; 8] = [
        b"void(0)",
        b"void (0)",
        b"void 0",
        b"void()",
        b"return false",
        b"false",
        b"\"\"",
        b"''",
    ];
    let rest = from(code, skip_gaps(code, 0));
    let idle = IDLE
        .iter()
        .find(|idle| starts_with(rest, idle))
        .map_or(0, |idle| idle.len());
    let rest = from(rest, idle);
    let semicolons = rest
        .iter()
        .take_while(|byte| is_gap(**byte) || **byte == b';')
        .count();
    match at(rest, semicolons) {
        None => true,
        // What stands behind `javascript:` and a quote is code unless an idle statement was there.
        Some(b',' | b'|' | b'&') => idle + semicolons > 0 && !calls(from(rest, semicolons)),
        Some(byte) => {
            let goes_on = is_identifier(byte) || b"([/!+-*%^?.=`".contains(&byte);
            idle + semicolons > 0 && !goes_on
        }
    }
}

/// A script URL anywhere in `bytes`: the scheme through control characters, then code rather than prose.
pub fn in_text(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b':', bytes).find_map(|colon| {
        let start = script_scheme_before(bytes, colon)?;
        let code = from(bytes, colon + 1);
        (!does_nothing(code) && is_code(code)).then_some(start)
    })
}

/// A script URL that does nothing, the whole value or a part of it: `href:javascript:;`, `javascript:void(0)`.
pub fn idle_in_text(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b':', bytes).find_map(|colon| {
        let code = from(bytes, colon + 1);
        let idle = matches!(code.first(), Some(b';'))
            || starts_with(code, b"void(")
            || starts_with(code, b"void 0");
        (idle && does_nothing(code))
            .then(|| script_scheme_before(bytes, colon))
            .flatten()
    })
}

/// Where the script scheme starts that ends before `colon`.
fn script_scheme_before(bytes: &[u8], colon: usize) -> Option<usize> {
    let mut back = Backwards {
        bytes,
        position: colon,
    };
    let mut tail = [0; 6];
    for slot in tail.iter_mut().rev() {
        *slot = back.next()?;
    }
    if tail != *b"script" {
        return None;
    }
    let mut head = [0; 4];
    for index in (0..4).rev() {
        if let Some(slot) = head.get_mut(index) {
            *slot = back.next()?;
        }
        if matches!(&head, b"java" | b"live" | [_, _, b'v', b'b']) {
            return Some(back.position);
        }
    }
    None
}

/// Reads letters backwards, in lower case, through gaps and backslashes, eight of them at most in a row.
struct Backwards<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Backwards<'_> {
    fn next(&mut self) -> Option<u8> {
        for _ in 0..8 {
            self.position = self.position.checked_sub(1)?;
            let byte = at(self.bytes, self.position)?;
            if !is_gap(byte) && byte != b'\\' {
                return Some(byte.to_ascii_lowercase());
            }
        }
        None
    }
}

/// Whether what follows a scheme's colon is code: a sign that opens an expression, or a name that is called, indexed
/// or assigned. `JavaScript: The Good Parts` and `lang:javascript:es6` are not.
fn is_code(code: &[u8]) -> bool {
    let start = code
        .iter()
        .take_while(|byte| is_gap(**byte) || **byte == b';')
        .count();
    let Some(first) = at(code, start) else {
        return false;
    };
    if !is_identifier(first) {
        let opens = matches!(
            first,
            b'/' | b'\''
                | b'"'
                | b'('
                | b'['
                | b'!'
                | b'{'
                | b'+'
                | b'-'
                | b'~'
                | b'%'
                | b'\\'
                | b'`'
                | b'&'
                | b'<'
        );
        // Behind a space, a bracket or a quote is prose unless something is called further on.
        return opens && (start == 0 || calls(from(code, start)));
    }
    let rest = from(code, start);
    let length = rest
        .iter()
        .position(|byte| !is_identifier(*byte) && *byte != b'.')
        .unwrap_or(rest.len());
    match at(rest, length) {
        Some(b'(' | b'`' | b'=' | b'[' | b'?') => true,
        Some(b'/') => at(rest, length + 1) == Some(b'*'),
        Some(byte) if is_gap(byte) => {
            const OPERATORS: [&[u8]; 12] = [
                b"void", b"new", b"throw", b"typeof", b"delete", b"var", b"let", b"const", b"with",
                b"try", b"eval", b"alert",
            ];
            rest.get(..length)
                .is_some_and(|word| is_one_of(word, &OPERATORS))
                && calls(rest)
        }
        // `a||b()`, `a,b()`: whatever stands between, something is called.
        Some(_) => calls(rest),
        None => false,
    }
}

/// Whether something is called within the next bytes.
fn calls(code: &[u8]) -> bool {
    let window = code.get(..96).unwrap_or(code);
    window
        .windows(2)
        .any(|pair| matches!(pair, [name, b'(' | b'`'] if is_identifier(*name) || *name == b')'))
}

/// A `data:` URL of a document that runs script, anywhere in `bytes`.
pub fn data_in_text(bytes: &[u8]) -> Option<usize> {
    let mut position = 0;
    while let Some(found) = find(from(bytes, position), b"data:") {
        let start = position + found;
        let named = start
            .checked_sub(1)
            .and_then(|before| at(bytes, before))
            .is_some_and(is_identifier);
        let rest = from(bytes, skip_gaps(bytes, start + 5));
        if !named && of_media_type(rest) == Some(Danger::Document) {
            // A list of media types has no comma or parameter right behind the type.
            let head = rest.get(..80).unwrap_or(rest);
            if head.iter().any(|byte| matches!(byte, b',' | b';')) {
                return Some(start);
            }
        }
        position = start + 5;
    }
    None
}

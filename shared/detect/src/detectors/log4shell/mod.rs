//! LOG4SHELL: resolves Log4j look-ups the way its `StrSubstitutor` does, innermost first, and asks whether one of them
//! ends up as a JNDI name.

pub mod anchors;
mod lookup;
pub mod rules;

use backstop_http::{Kind, scan};

use super::ascii::{find, from};
use crate::{Hits, Input, Rule};
use lookup::{Resolved, Spelling};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let mut remote = false;
    let sent = is_sent(input);
    lookup::resolve(input.bytes, |resolved| {
        if let Some(rule) = judge(&resolved) {
            remote |= *rule != rules::LEAK;
            if *rule == rules::LEAK && sent && is_read_by_name(resolved.name) {
                hits.push(&rules::LEAK_IN_LINE, resolved.span.clone());
            }
            hits.push(rule, resolved.span);
        } else if let Some(inner) = lookup::base64_of_a_lookup(resolved.name) {
            // What a look-up gives is resolved once more.
            lookup::resolve(&inner, |inner| {
                if judge(&inner).is_some() {
                    remote = true;
                    hits.push(&rules::BASE, resolved.span.clone());
                }
            });
        }
    });
    if let Some(start) = recursion(input.bytes) {
        hits.push(&rules::RECURSION, start..input.bytes.len());
    }
    if !remote && let Some(start) = bare_name(input.bytes) {
        hits.push(&rules::SCHEME, start..input.bytes.len());
    }
}

/// The schemes that a JNDI name is fetched by.
const SCHEMES: [&[u8]; 9] = [
    b"ldap:", b"ldaps:", b"rmi:", b"dns:", b"nis:", b"nds:", b"iiop:", b"corba:", b"http:",
];
/// Look-ups whose values are nobody's business outside the server.
const PRIVATE: [&[u8]; 15] = [
    b"aws:",
    b"env:",
    b"sys:",
    b"java:",
    b"ctx:",
    b"docker:",
    b"k8s:",
    b"bundle:",
    b"log4j:",
    b"main:",
    b"map:",
    b"sd:",
    b"web:",
    b"spring:",
    b"hostname",
];

/// Look-ups without a name that hold another one, or what becomes one: CVE-2021-45105 and its forms.
const RECURSIONS: [&[u8]; 3] = [b"${::-${::-", b"${::-$${", b"${${::-${"];

/// Where one of [`RECURSIONS`] stands.
fn recursion(bytes: &[u8]) -> Option<usize> {
    let mut next = 0;
    while let Some(found) = scan::find(b'$', from(bytes, next)) {
        let start = next + found;
        let rest = from(bytes, start);
        if RECURSIONS.iter().any(|text| rest.starts_with(text)) {
            return Some(start);
        }
        next = start + 1;
    }
    None
}

/// Formats of Grafana's variables, which are written like look-ups: `${env:csv}`.
const FORMATS: [&[u8]; 13] = [
    b"csv",
    b"date",
    b"distributed",
    b"doublequote",
    b"glob",
    b"json",
    b"lucene",
    b"percentencode",
    b"pipe",
    b"queryparam",
    b"raw",
    b"regex",
    b"text",
];

/// Whether the value stands where configuration with look-ups in it is not sent: in a line of the request's head, or as all of
/// a form's field.
fn is_sent(input: &Input<'_>) -> bool {
    match input.place.kind {
        Kind::Path | Kind::Query | Kind::QueryName | Kind::Cookie | Kind::Header => true,
        Kind::Form => input.bytes.starts_with(b"${") && input.bytes.ends_with(b"}"),
        _ => false,
    }
}

/// `env:NAME`, `sys:name`: a look-up of one variable of the environment, the system or the context.
fn is_read_by_name(name: &[u8]) -> bool {
    const READ: [&[u8]; 14] = [
        b"aws:", b"bundle:", b"ctx:", b"docker:", b"env:", b"java:", b"k8s:", b"log4j:", b"main:",
        b"map:", b"sd:", b"spring:", b"sys:", b"web:",
    ];
    READ.iter().any(|prefix| {
        starts_with(name, prefix)
            && name.get(prefix.len()..).is_some_and(|rest| {
                rest.first().is_some_and(u8::is_ascii_alphanumeric) && !FORMATS.contains(&rest)
            })
    })
}

fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// How an encoded `{` ends.
const ENCODED_BRACES: [&[u8]; 4] = [b"7b", b"7b;", b"123;", b"123"];

fn ends_with(bytes: &[u8], suffix: &[u8]) -> bool {
    bytes
        .len()
        .checked_sub(suffix.len())
        .and_then(|start| bytes.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

fn judge(resolved: &Resolved<'_>) -> Option<&'static Rule> {
    let name = resolved.name;
    if starts_with(name, b"jndi:") {
        return Some(match resolved.spelling {
            Spelling::Plain => &rules::JNDI,
            Spelling::Lower => &rules::LOWER,
            Spelling::Upper => &rules::UPPER,
            Spelling::Env => &rules::ENV,
            Spelling::Base64 => &rules::BASE,
            Spelling::Other => &rules::NESTED,
        });
    }
    // The name came out as something else, yet a directory URL follows it: a look-up this resolver does not know.
    if resolved.spelling != Spelling::Plain {
        let behind_name = name.iter().position(|byte| *byte == b':');
        let remote = behind_name
            .and_then(|colon| name.get(colon + 1..))
            .is_some_and(|rest| {
                SCHEMES
                    .iter()
                    .any(|scheme| starts_with(rest, scheme) && *scheme != b"http:")
            });
        if remote {
            return Some(&rules::NESTED);
        }
    }
    if is_text_lookup(name) {
        return Some(&rules::TEXT);
    }
    PRIVATE
        .iter()
        .any(|prefix| starts_with(name, prefix))
        .then_some(&rules::LEAK)
}

/// Names of Commons Text's dangerous look-ups with the argument that each needs: an engine, what is asked of the DNS, a
/// charset.
const TEXT_LOOKUPS: [(&[u8], &[&[u8]]); 4] = [
    (
        b"script:",
        &[
            b"ecmascript:",
            b"groovy:",
            b"javascript:",
            b"jexl:",
            b"jexl3:",
            b"js:",
            b"jython:",
            b"nashorn:",
            b"python:",
            b"rhino:",
            b"ruby:",
        ],
    ),
    (
        b"dns:",
        &[b"address|", b"canonical-name|", b"canonicalname|", b"name|"],
    ),
    (
        b"url:",
        &[
            b"iso-8859-1:",
            b"us-ascii:",
            b"utf-16:",
            b"utf-8:",
            b"utf8:",
        ],
    ),
    (
        b"file:",
        &[
            b"iso-8859-1:",
            b"us-ascii:",
            b"utf-16:",
            b"utf-8:",
            b"utf8:",
        ],
    ),
];

/// Whether a look-up is one of Commons Text's that do more than look up.
fn is_text_lookup(name: &[u8]) -> bool {
    TEXT_LOOKUPS.iter().any(|(prefix, arguments)| {
        starts_with(name, prefix)
            && name
                .get(prefix.len()..)
                .is_some_and(|rest| arguments.iter().any(|argument| starts_with(rest, argument)))
    })
}

/// Where `jndi:` with a remote scheme stands, unless right behind an encoded brace (`%7Bjndi:`, `\u007bjndi:`, `&#123;jndi:`):
/// that is judged in the form that has the brace.
fn bare_name(bytes: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"jndi:";
    let mut next = 0;
    while let Some(found) = find(from(bytes, next), NAME, usize::MAX) {
        let start = next + found;
        next = start + NAME.len();
        let before = bytes.get(start.saturating_sub(4)..start)?;
        let rest = from(bytes, next);
        if SCHEMES.iter().any(|scheme| starts_with(rest, scheme))
            && !ENCODED_BRACES.iter().any(|brace| ends_with(before, brace))
        {
            return Some(start);
        }
    }
    None
}

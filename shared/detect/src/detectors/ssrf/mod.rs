//! SSRF: a value that *is* a URL, and leads where only the server should get.
//!
//! A text that mentions an address, a label such as `instance="10.0.0.5:9100"` and a URL that carries another one in its
//! query are no targets of a fetch, unless that one is a metadata service's. Redirects of OAuth to the user's own machine
//! (RFC 8252, section 7.3) are followed by the browser, not by the server, and the pages that a report of a browser names
//! are fetched by nobody: they count at level 2 only.

mod address;
/// What the prefilter looks for on this detector's behalf.
pub mod anchors;
mod host;
mod public;
pub mod rules;
mod url;

use std::ops::Range;

use backstop_http::Kind;

use super::ascii::{at, ends, from, has, in_table, lower};
use super::command::text;
use crate::{Hits, Input, Level, Rule};

pub use host::{HostClass, classify};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// Schemes that talk to services which no page links to.
#[rustfmt::skip]
const ODD: &[&str] = &[
    "finger", "http+unix", "imap", "imaps", "jar", "jdbc", "jmx", "ldap", "ldapi", "ldaps", "memcached", "netdoc", "nntp", "pop3", "pop3s", "redis", "rediss",
    "rlogin", "rmi", "rtmp", "rtsp", "smtp", "smtps", "snmp", "ssh2", "svn+ssh", "telnet", "tftp", "unix", "vnc",
];

/// Schemes of databases, which an operator's forms are full of and a URL that the server fetches never has.
const DATA_SOURCES: &[&str] = &["cassandra", "mongodb", "mysql", "postgres", "postgresql"];

/// Schemes that move files.
const FILES: &[&str] = &[
    "afp", "ftp", "ftps", "nfs", "rsync", "scp", "sftp", "smb", "ssh",
];

/// Fields whose URL the browser follows or has come from, not the server: targets of redirects (OAuth, SAML's RelayState), and
/// the pages that reports of errors, of a content policy and of visits are about.
const FOLLOWED_BY_THE_BROWSER: &[&str] = &[
    "$current_url",
    "$initial_referrer",
    "$referrer",
    "blocked-uri",
    "current_url",
    "document-uri",
    "document_referrer",
    "externalurl",
    "generatorurl",
    "initial_referrer",
    "page_location",
    "page_referrer",
    "page_url",
    "post_logout_redirect_uri",
    "redirect_uri",
    "redirect_uris",
    "redirecturi",
    "referer",
    "referrer",
    "relaystate",
    "return_to",
    "return_url",
    "returnurl",
    "runbook_url",
    "source-file",
];

/// Levels of JSON from which on a URL is data of machines about machines (alerts, traces, manifests, documents), not a field
/// that somebody fills in.
const DEEP: usize = 4;

/// What taking a value apart as a URL costs, in steps of [`Work`](crate::Work).
const STEPS_OF_A_URL: usize = 80;

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    if matches!(
        input.place.kind,
        Kind::Header
            | Kind::CookieName
            | Kind::JsonKey
            | Kind::XmlDocument
            | Kind::RawBody
            | Kind::MultipartName
    ) {
        return;
    }
    if is_a_socket_and_a_url(input.bytes) || names_a_socket(input.bytes) {
        hits.push(&rules::ODD_SCHEME, 0..5);
    }
    if !public::is_plain(input.bytes) && hits.spend(STEPS_OF_A_URL) {
        taken_apart(input, hits);
    }
}

/// Parses a value that is no plain URL.
fn taken_apart(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    let start = start_of(bytes);
    let parsed = url::parse(bytes, start);
    if let Some((class, end)) = broken_up(bytes, start, parsed.as_ref())
        && let Some(rule) = rule_of(class, &[], &(start..start))
    {
        hits.push(rule, start..end);
    }
    let Some(url) = parsed else {
        without_scheme(input, start, hits);
        return;
    };
    let mut scratch = [0u8; 32];
    let scheme = bytes
        .get(url.scheme.clone())
        .and_then(|scheme| lower(scheme, &mut scratch))
        .and_then(|length| scratch.get(..length))
        .unwrap_or_default();
    let mut worst: Option<(HostClass, Range<usize>)> = None;
    let mut addresses = 0;
    url::hosts(bytes, url.authority.clone(), |range| {
        let class = classify(bytes.get(range.clone()).unwrap_or_default());
        addresses += usize::from(class == HostClass::Address);
        if worst.as_ref().is_none_or(|(known, _)| class > *known) {
            worst = Some((class, range));
        }
    });
    if worst
        .as_ref()
        .is_none_or(|(class, _)| *class <= HostClass::Disguised)
        && let Some(class) = escaped(bytes, &url.authority)
    {
        worst = Some((class, url.authority.clone()));
    }
    // A clone's address is for a git client, and names its user.
    let cloned = matches!(scheme, b"ssh" | b"git" | b"svn+ssh")
        && (url_holds(bytes, &url, b'@')
            || !worst.as_ref().is_some_and(|(class, _)| class.is_inside()));
    let quiet = quiet(input, start, &url) || cloned;
    let (mut class, span) = worst.unwrap_or((HostClass::Public, url.authority.clone()));
    if class == HostClass::Public
        && matches!(scheme, b"http" | b"https")
        && matches!(input.place.kind, Kind::Query | Kind::Form)
        && is_one_label(bytes.get(span.clone()).unwrap_or_default())
        && at(bytes, span.end) == b':'
        && at(bytes, span.end + 1).is_ascii_digit()
    {
        class = HostClass::Internal;
    }
    // One address before an `@` and another behind it: each reader goes to its own.
    if class == HostClass::Address && addresses > 1 {
        class = HostClass::Disguised;
    }
    // A cookie may remember a page of whoever builds the site; none is at an address in disguise.
    let quiet = quiet
        || input.place.kind == Kind::Cookie
            && !matches!(class, HostClass::Disguised | HostClass::Rebinding);
    // `//name` may be a path with a slash too many: a name has to be one of the network's own.
    let named = !scheme.is_empty() || class >= HostClass::Private;
    if named && let Some(rule) = rule_of(class, bytes, &url.authority) {
        let shadow = class != HostClass::Metadata && (quiet || class.is_inside() && browser(input));
        hits.push(
            if shadow && rule.level == Level::One {
                &rules::IN_TEXT
            } else {
                rule
            },
            span,
        );
    }
    if let Some(span) = carried(bytes, url.authority.end) {
        hits.push(&rules::METADATA, span);
    }
    if let Some(rule) = rule_of_scheme(scheme, url.regular) {
        hits.push(if quiet { &rules::IN_TEXT } else { rule }, url.scheme);
    }
}

/// Whether a host is a name of one label: only a network's own resolver knows such a one (`http://redis:6379`). In documents, data
/// sources are called so; what somebody types into a field is not. Without a port it may be an address that somebody left unfinished.
fn is_one_label(host: &[u8]) -> bool {
    host.len() > 1
        && host.first().is_some_and(u8::is_ascii_alphabetic)
        && host
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether `sign` stands in the authority.
fn url_holds(bytes: &[u8], url: &url::Url, sign: u8) -> bool {
    bytes
        .get(url.authority.clone())
        .is_some_and(|authority| authority.contains(&sign))
}

/// Where a URL may start: behind blanks, quotes and prefixes that readers take off.
fn start_of(bytes: &[u8]) -> usize {
    let mut i = bytes
        .iter()
        .take(8)
        .take_while(|byte| {
            byte.is_ascii_whitespace()
                || matches!(byte, b'"' | b'\'' | b'<' | b'(' | b'[' | 0x01..=0x1f)
        })
        .count();
    for prefix in [
        &b"url:"[..],
        b"uri:",
        b"url=",
        b"view-source:",
        b"jar:",
        b"feed:",
    ] {
        if has(bytes, i, prefix) && !(prefix == b"jar:" && at(bytes, i + 4) == b'/') {
            i += prefix.len();
        }
    }
    i
}

/// Whether the URL only starts a text, or stands where nobody fetches from.
fn quiet(input: &Input<'_>, start: usize, url: &url::Url) -> bool {
    let bytes = input.bytes;
    let rest = from(bytes, url.authority.end);
    let words = rest
        .split(|byte| *byte == b' ' || *byte == b'\n')
        .skip(1)
        .filter(|word| {
            word.len() > 1
                && word
                    .iter()
                    .all(|byte| byte.is_ascii_lowercase() || *byte >= 0x80)
        })
        .count();
    words >= 3 || start < bytes.len() && text::is_text(bytes) || deep(input)
}

/// Whether the value is a URL that the browser follows, or has come from.
fn browser(input: &Input<'_>) -> bool {
    let name = input.place.name;
    let start = name
        .iter()
        .rposition(|byte| matches!(byte, b'/' | b'[' | b':'))
        .map_or(0, |sign| sign + 1);
    let last = from(name, start);
    let mut scratch = [0u8; 32];
    lower(last.strip_suffix(b"]").unwrap_or(last), &mut scratch)
        .and_then(|length| scratch.get(..length))
        .is_some_and(|name| in_table(FOLLOWED_BY_THE_BROWSER, name))
}

/// Whether the value lies deep in a document.
fn deep(input: &Input<'_>) -> bool {
    let levels = || {
        input
            .place
            .name
            .iter()
            .filter(|byte| **byte == b'/')
            .count()
    };
    input.place.kind == Kind::Json && levels() >= DEEP
}

/// A metadata service behind a page that redirects: `https://a.example/go?to=http://169.254.169.254/`.
fn carried(bytes: &[u8], from_here: usize) -> Option<Range<usize>> {
    const HOSTS: [&[u8]; 2] = [b"//169.254.169.254", b"//metadata.google.internal"];
    let rest = from(bytes, from_here);
    HOSTS.iter().find_map(|host| {
        let start = from_here + memchr::memmem::find(rest, host)? + 2;
        Some(start..start + host.len() - 2)
    })
}

/// `http://l\o\c\a\l…`: a host behind backslashes that a reader drops.
fn escaped(bytes: &[u8], authority: &Range<usize>) -> Option<HostClass> {
    let text = bytes.get(authority.clone())?;
    if text.iter().filter(|byte| **byte == b'\\').count() < 3 {
        return None;
    }
    let mut plain = [0u8; 64];
    let mut length = 0;
    for byte in text.iter().filter(|byte| **byte != b'\\').take(64) {
        *plain.get_mut(length)? = *byte;
        length += 1;
    }
    Some(classify(plain.get(..length)?).max(HostClass::Disguised))
}

/// A host of the server's own network that shows once tabs and line breaks are taken out, as browsers and the readers that follow
/// them do wherever these stand (WHATWG URL, section 4.4), and where the URL ends. Not if it shows with them.
fn broken_up(bytes: &[u8], start: usize, url: Option<&url::Url>) -> Option<(HostClass, usize)> {
    let word = from(bytes, start).split(|byte| *byte == b' ').next()?;
    let is_break = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n');
    if !word.iter().take(LONGEST_BROKEN).any(is_break) {
        return None;
    }
    let mut joined = [0u8; LONGEST_BROKEN];
    let mut length = 0;
    for (cell, byte) in joined
        .iter_mut()
        .zip(word.iter().filter(|byte| !is_break(byte)))
    {
        *cell = *byte;
        length += 1;
    }
    let joined = joined.get(..length)?;
    let class = inside(joined, &url::parse(joined, 0)?)?;
    let shows = url.is_some_and(|url| inside(bytes, url).is_some());
    (!shows).then_some((class, start + word.len()))
}

/// How much of a URL is put together.
const LONGEST_BROKEN: usize = 256;

/// The gravest class of the hosts that readers find in a URL, if it is one of the server's own network.
fn inside(bytes: &[u8], url: &url::Url) -> Option<HostClass> {
    let mut worst = HostClass::Public;
    url::hosts(bytes, url.authority.clone(), |host| {
        worst = worst.max(classify(bytes.get(host).unwrap_or_default()));
    });
    worst.is_inside().then_some(worst)
}

fn rule_of(class: HostClass, bytes: &[u8], authority: &Range<usize>) -> Option<&'static Rule> {
    Some(match class {
        HostClass::Metadata => {
            let host = bytes.get(authority.clone()).unwrap_or_default();
            if host.first().is_some_and(u8::is_ascii_alphabetic) {
                &rules::GCP_METADATA
            } else {
                &rules::METADATA
            }
        }
        HostClass::Loopback => &rules::LOCALHOST,
        HostClass::LinkLocal | HostClass::Private => &rules::INTERNAL_IP,
        HostClass::Internal => &rules::INTERNAL_NAME,
        HostClass::Rebinding => &rules::REBINDING,
        HostClass::Callback => &rules::CALLBACK,
        HostClass::Disguised => &rules::DISGUISED,
        HostClass::Address if script(bytes) => &rules::REMOTE_FILE,
        HostClass::Address => &rules::ADDRESS,
        HostClass::Public => return None,
    })
}

/// Whether a URL leads to a script's text, as a remote file inclusion needs it.
fn script(bytes: &[u8]) -> bool {
    let path = bytes
        .split(|byte| matches!(byte, b'?' | b'#'))
        .next()
        .unwrap_or_default();
    [
        &b".php"[..],
        b".jsp",
        b".asp",
        b".aspx",
        b".sh",
        b".pl",
        b".py",
        b".cgi",
        b".txt",
        b".inc",
        b".ps1",
        b".exe",
        b".jar",
        b".class",
    ]
    .iter()
    .any(|suffix| ends(path, suffix))
        || bytes.last() == Some(&b'?')
}

fn rule_of_scheme(scheme: &[u8], regular: bool) -> Option<&'static Rule> {
    if !regular {
        return None;
    }
    match scheme {
        b"file" => Some(&rules::FILE),
        b"gopher" => Some(&rules::GOPHER),
        b"dict" => Some(&rules::DICT),
        _ if in_table(ODD, scheme) => Some(&rules::ODD_SCHEME),
        _ if in_table(DATA_SOURCES, scheme) => Some(&rules::DATA_SOURCE),
        _ if in_table(FILES, scheme) => Some(&rules::FTP),
        _ => None,
    }
}

/// A host without a scheme: the metadata address with a path of its own and a domain that answers with inner addresses are ones
/// anywhere, a host and port at level 2.
fn without_scheme(input: &Input<'_>, start: usize, hits: &mut Hits) {
    let bytes = input.bytes;
    let rest = from(bytes, start);
    if rest.len() > 200 || !rest.first().is_some_and(u8::is_ascii_alphanumeric) {
        return;
    }
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b':' | b'?'))
        .unwrap_or(rest.len());
    let class = classify(rest.get(..end).unwrap_or_default());
    let path = from(rest, end);
    let bare = path.is_empty()
        && (matches!(input.place.kind, Kind::Query | Kind::Form) || is_called_an_address(input));
    if class == HostClass::Metadata
        && (bare && rest.first().is_some_and(u8::is_ascii_digit)
            || has(path, 0, b"/latest")
            || has(path, 0, b"/metadata")
            || has(path, 0, b"/computemetadata")
            || has(path, 0, b"/openstack"))
    {
        hits.push(&rules::METADATA, start..start + end);
    } else if class == HostClass::Rebinding && is_port_and_path(path) {
        hits.push(&rules::REBINDING, start..start + end);
    } else if input.level > Level::One
        && class.is_inside()
        && class != HostClass::Internal
        && at(path, 0) == b':'
        && path.get(1..).is_some_and(|port| {
            !port.is_empty()
                && port
                    .iter()
                    .take_while(|byte| **byte != b'/')
                    .all(u8::is_ascii_digit)
        })
    {
        hits.push(&rules::NO_SCHEME, start..start + end);
    }
}

/// Whether a field of a document is called what the server is to fetch.
fn is_called_an_address(input: &Input<'_>) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"callback",
        b"callback_url",
        b"endpoint",
        b"feed",
        b"image_url",
        b"uri",
        b"url",
        b"webhook",
        b"webhook_url",
        b"webhookurl",
    ];
    let name = input.place.name.rsplit(|byte| *byte == b'/').next();
    matches!(input.place.kind, Kind::Json | Kind::Multipart)
        && name.is_some_and(|name| NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// `unix:path|http://host`: what a proxy that takes both apart (CVE-2021-40438) is made to fetch.
fn is_a_socket_and_a_url(bytes: &[u8]) -> bool {
    has(bytes, 0, b"unix:") && memchr::memmem::find(bytes, b"|http").is_some()
}

/// `http://unix:/run/a.sock:/path`: a socket of the machine, in the place of a host (Node's `got`, CVE-2022-33987).
fn names_a_socket(bytes: &[u8]) -> bool {
    has(bytes, 0, b"http://unix:/") || has(bytes, 0, b"https://unix:/")
}

/// Nothing, a port, a path without blanks: what may follow a host that is all of a value.
fn is_port_and_path(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b':' | b'/')) && !rest.iter().any(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests;

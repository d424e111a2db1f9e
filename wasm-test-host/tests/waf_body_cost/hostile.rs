//! Bodies made to be dear: one pattern over and over, to the end of what is inspected.
//!
//! A pattern may begin a parse that never ends, many parses of which each gives up late, or many decodings. Time has to
//! grow no faster than the body, and stay under what holds a worker for 20 ms.

use backstop_detect::prefilter;

use crate::{fuel, gateway};

const KIB: usize = 1024;

/// As much of a body as is inspected by default.
const WHOLE: usize = 128 * KIB;

/// Fuel per byte of such a body, all phases together, at most: the work limit sees to it. Twenty milliseconds are about 1,000;
/// the dearest of these takes 801.
const MAX_PER_BYTE: u64 = 1_000;

/// The same for what the prefilter looks for, one thing over and over: a build without link-time optimisation takes up to 1,446.
const MAX_PER_BYTE_OF_LITERALS: u64 = 1_600;

/// Four times the body may cost this many times as much.
const MAX_GROWTH: f64 = 4.6;

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const XML: &str = "application/xml";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const GRAPHQL: &str = "application/graphql";

/// A content type, what stands once at the start, and what is repeated behind it.
type Pattern = (&'static str, &'static [u8], &'static [u8]);

const PATTERNS: &[Pattern] = &[
    // SQL: quotes and comments that open, operators, words of its grammar.
    (TEXT, b"", b"'"),
    (TEXT, b"", b"\""),
    (TEXT, b"", b"' or "),
    (TEXT, b"", b"\" or "),
    (TEXT, b"", b"1' and 'a"),
    (TEXT, b"", b"/*"),
    (TEXT, b"", b"/*!"),
    (TEXT, b"", b"--\n"),
    (TEXT, b"", b"#\n"),
    (TEXT, b"", b"union "),
    (TEXT, b"", b"union all select "),
    (TEXT, b"", b"select("),
    (TEXT, b"", b"select 1 from "),
    (TEXT, b"", b"1=1 "),
    (TEXT, b"", b"'||'"),
    (TEXT, b"", b"@@"),
    (TEXT, b"", b"0x41"),
    (TEXT, b"", b"case when "),
    (TEXT, b"", b"; drop "),
    (TEXT, b"", b"$where"),
    (TEXT, b"", b"[$ne]"),
    (FORM, b"", b"[$"),
    (FORM, b"", b"filter[$eq]"),
    (FORM, b"", b"'||'"),
    (TEXT, b"", b"style=("),
    (TEXT, b"", b"if (\n"),
    (TEXT, b"", b"$a$"),
    // XSS: tags, attributes, schemes, entities, scripts.
    (TEXT, b"", b"<"),
    (TEXT, b"", b"<a"),
    (TEXT, b"", b"<a "),
    (TEXT, b"", b"<a href=data:"),
    (TEXT, b"", b"<a href='"),
    (TEXT, b"", b"<a href=javascript"),
    (TEXT, b"", b"<a\n=\n"),
    (TEXT, b"", b"<style><"),
    (TEXT, b"", b"<style "),
    (TEXT, b"", b"<svg><"),
    (TEXT, b"", b"<!--"),
    (TEXT, b"", b"<![CDATA["),
    (TEXT, b"", b"</"),
    (TEXT, b"", b"<img x=\""),
    (TEXT, b"", b"onload "),
    (TEXT, b"", b" onx="),
    (TEXT, b"", b"\" onfocus "),
    (TEXT, b"", b"data:,"),
    (TEXT, b"", b"javascript :"),
    (TEXT, b"", b"j&Tab;"),
    (TEXT, b"", b"document"),
    (TEXT, b"", b"window["),
    (TEXT, b"", b"`${"),
    (TEXT, b"", b"expression"),
    (TEXT, b"", b"url("),
    (TEXT, b"", b"<a b='<a b=\""),
    (TEXT, b"", b"<x/"),
    // Paths.
    (TEXT, b"", b"../"),
    (TEXT, b"", b"..\\"),
    (TEXT, b"", b"./"),
    (TEXT, b"", b"..;/"),
    (TEXT, b"", b"/etc/"),
    (TEXT, b"", b"/.."),
    (TEXT, b"", b"file:"),
    (TEXT, b"", b"php://filter/"),
    (TEXT, b"", b"c:\\"),
    // Commands and templates.
    (TEXT, b"", b"|a"),
    (TEXT, b"", b"|"),
    (TEXT, b"", b"\n"),
    (TEXT, b"", b";"),
    (TEXT, b"", b";a "),
    (TEXT, b"", b"; ; "),
    (TEXT, b"", b"&"),
    (TEXT, b"", b"&&a"),
    (TEXT, b"", b"`"),
    (TEXT, b"", b"`a"),
    (TEXT, b"", b"$("),
    (TEXT, b"", b"<("),
    (TEXT, b"", b"${"),
    (TEXT, b"", b"${IFS}"),
    (TEXT, b"", b";c''"),
    (TEXT, b"", b";\\a"),
    (TEXT, b"", b"|sudo "),
    (TEXT, b"", b";env "),
    (TEXT, b"", b"|/a"),
    (TEXT, b"", b";/?"),
    (TEXT, b"", b"\nif "),
    (TEXT, b"", b"\nfor "),
    (TEXT, b"", b"(){"),
    (TEXT, b"", b"a("),
    (TEXT, b"", b"eval("),
    (TEXT, b"", b"{{"),
    (TEXT, b"", b"{{a"),
    (TEXT, b"", b"{%"),
    (TEXT, b"", b"<#"),
    (TEXT, b"", b"<%"),
    (TEXT, b"", b"<? "),
    (TEXT, b"", b"#s"),
    (TEXT, b"", b"__class"),
    (TEXT, b"", b"$_get"),
    (TEXT, b"", b"java."),
    // LDAP, XXE, SSRF, Log4j, headers.
    (TEXT, b"", b"("),
    (TEXT, b"", b"*)("),
    (TEXT, b"", b"(|("),
    (TEXT, b"", b"(&(a=*"),
    (TEXT, b"", b"<!DOCTYPE "),
    (TEXT, b"", b"<!ENTITY "),
    (TEXT, b"", b"<!DOCTYPE a [<!ENTITY "),
    (TEXT, b"", b"<xi:include "),
    (TEXT, b"", b"http://"),
    (TEXT, b"", b"http://a@"),
    (TEXT, b"", b"http://1."),
    (TEXT, b"", b"http://[::"),
    (TEXT, b"", b"//"),
    (TEXT, b"", b"gopher:"),
    (TEXT, b"", b"${jndi"),
    (TEXT, b"", b"${lower:"),
    (TEXT, b"", b"${::-"),
    (TEXT, b"", b"${a:-${"),
    (TEXT, b"", b"\r\n"),
    (TEXT, b"", b"\r\na:"),
    (TEXT, b"", b"\r\nset-cookie"),
    (TEXT, b"", "\u{560a}".as_bytes()),
    // Decodings.
    (TEXT, b"", b"%"),
    (TEXT, b"", b"%25"),
    (TEXT, b"", b"%2525"),
    (TEXT, b"", b"%u00"),
    (TEXT, b"", b"%252526amp;"),
    (TEXT, b"", b"&#"),
    (TEXT, b"", b"&#x"),
    (TEXT, b"", b"&#0"),
    (TEXT, b"", b"&amp;"),
    (TEXT, b"", b"&a"),
    (TEXT, b"", b"&lt"),
    (TEXT, b"", b"\\u"),
    (TEXT, b"", b"\\u005c"),
    (TEXT, b"", b"\\x"),
    (TEXT, b"", b"\\"),
    (TEXT, b"", b"+ADw"),
    (TEXT, b"", b"+AC"),
    (TEXT, b"", b"\0"),
    (TEXT, b"", b"a\0"),
    (TEXT, b"", b"\xc0\xaf"),
    (TEXT, b"", b"\xc0"),
    (TEXT, b"", "\u{ff1c}".as_bytes()),
    (TEXT, b"", "\u{2039}".as_bytes()),
    (TEXT, b"", b"\xff"),
    (TEXT, b"", b"YWFh"),
    (TEXT, b"", "\u{d55c}".as_bytes()),
    // Readers of bodies.
    (JSON, b"", b"["),
    (JSON, b"", b"{\"a\":"),
    (JSON, b"[", b"\"a\","),
    (JSON, b"[", b"1,"),
    (JSON, b"[", b"\"|\","),
    (JSON, b"[", b"\"<a\","),
    (JSON, b"{", b"\"a\":\"b\","),
    (JSON, b"{", b"\"$a\":1,"),
    (JSON, b"{", b"\"\\u0061\":1,"),
    (JSON, b"[\"", b"\\\""),
    (JSON, b"[\"", b"\\u00"),
    (JSON, b"", b"/**/"),
    (JSON, b"", b"//\n"),
    (JSON, b"", b"{\"query\":\"{"),
    (JSON, b"[", b"a "),
    (JSON, b"[", b"{},"),
    (JSON, b"{\"a\":[", b"{\"b\":\"c\"},"),
    (FORM, b"", b"a=b&"),
    (FORM, b"", b"a&"),
    (FORM, b"", b"="),
    (FORM, b"", b"%3c=%3c&"),
    (FORM, b"a=", b"+"),
    (FORM, b"a=", b"%27"),
    (FORM, b"a=", b"%2525"),
    (XML, b"", b"<a>"),
    (XML, b"<a>", b"<ab c=\"d\"/>"),
    (XML, b"<a ", b"b=\"&lt;\" "),
    (XML, b"<a>", b"&lt;"),
    (XML, b"<a>", b"<!--x-->"),
    (XML, b"<a>", b"<![CDATA[x]]>"),
    (XML, b"<!DOCTYPE a [", b"<!ENTITY a 'b'>"),
    (XML, b"<a>", b"</a>"),
    (XML, b"", b"<?x "),
    (MULTIPART, b"", b"--b\r\n"),
    (
        MULTIPART,
        b"",
        b"--b\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n",
    ),
    (
        MULTIPART,
        b"--b\r\ncontent-disposition: form-data",
        b"; name=a",
    ),
    (MULTIPART, b"--b\r\n", b"a: b\r\n"),
    (MULTIPART, b"", b"--"),
    (GRAPHQL, b"", b"{a"),
    (GRAPHQL, b"{a(b:\"", b"\\\""),
    (GRAPHQL, b"{", b"a(b:\"c\")"),
    (GRAPHQL, b"{", b"\"\"\""),
    (GRAPHQL, b"", b"#\n"),
];

/// What a child of an object whose key is long costs: its place has that key in its name.
const LONG_KEYS: &[(usize, &[u8])] = &[
    (1, b"{\"a\":\"b<\"},"),
    (1, b"{\"a\":1},"),
    (2, b"\"|x\","),
    (2, b"\"b\","),
];

fn repeated(start: &[u8], pattern: &[u8], size: usize) -> Vec<u8> {
    let pattern = pattern.iter().cycle();
    start.iter().chain(pattern).copied().take(size).collect()
}

/// Half the body is one key, the other half what is within it.
fn long_key(pattern: &[u8], size: usize) -> Vec<u8> {
    let mut body = b"{\"".to_vec();
    body.resize(size / 2, b'k');
    body.extend_from_slice(b"\":[");
    repeated(&body, pattern, size)
}

/// A body of some size and one four times as large, and what is wrong with what they cost.
struct Trial {
    /// Bytes of the smaller body.
    size: usize,
    /// Fuel per byte of a whole body.
    limit: u64,
    gateway: backstop_host::Gateway,
    seen: Vec<(u64, String)>,
    faults: Vec<String>,
}

impl Trial {
    fn new(size: usize, limit: u64) -> Self {
        Self {
            size,
            limit,
            gateway: gateway(),
            seen: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn run(&mut self, name: String, content_type: &str, body: impl Fn(usize) -> Vec<u8>) {
        let small = fuel(&mut self.gateway, content_type, &body(self.size));
        let large = fuel(&mut self.gateway, content_type, &body(4 * self.size));
        let per_byte = large / (4 * self.size as u64);
        let growth = match large as f64 / small as f64 {
            // A finding that the small body had not yet is no growth; what grows, grows on.
            steep if steep > MAX_GROWTH && 16 * self.size <= WHOLE => {
                fuel(&mut self.gateway, content_type, &body(16 * self.size)) as f64 / large as f64
            }
            growth => growth,
        };
        // What is dearer for a few bytes meets the limit before it has read many.
        let whole = if 4 * self.size < WHOLE && per_byte > self.limit {
            fuel(&mut self.gateway, content_type, &body(WHOLE))
        } else {
            large
        };
        if whole > self.limit * WHOLE as u64 || growth > MAX_GROWTH {
            self.faults.push(format!(
                "{name}: {per_byte} per byte, {whole} at most, x{growth:.2} for four times the bytes"
            ));
        }
        self.seen.push((per_byte, name));
    }

    fn finish(mut self) {
        self.seen.sort();
        let dearest: Vec<_> = self.seen.iter().rev().take(12).collect();
        println!("{} patterns, the dearest: {dearest:?}", self.seen.len());
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }
}

#[test]
fn patterns_of_every_grammar_cost_a_bounded_amount_per_byte() {
    let mut trial = Trial::new(32 * KIB, MAX_PER_BYTE);
    for (content_type, start, pattern) in PATTERNS {
        let name = format!(
            "{content_type} {}+{}",
            start.escape_ascii(),
            pattern.escape_ascii()
        );
        trial.run(name, content_type, |size| repeated(start, pattern, size));
    }
    for (_, pattern) in LONG_KEYS {
        trial.run(format!("key, {}", pattern.escape_ascii()), JSON, |size| {
            long_key(pattern, size)
        });
    }
    trial.finish();
}

/// Text of `bytes` as a string of JSON.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        other => vec![*other],
    };
    let inner = bytes.iter().flat_map(escape);
    std::iter::once(b'"')
        .chain(inner)
        .chain(std::iter::once(b'"'))
        .collect()
}

/// Values that each want several detectors to look.
const VALUES: [&[u8]; 6] = [
    b"'or 1",
    b"<a b='",
    b"; if (x",
    b"http://1.2",
    b"../..//a",
    b"${a:-$(b",
];

/// An array of such values, in as many documents within each other as are taken apart, and one more.
fn nested(value: &[u8], size: usize) -> Vec<u8> {
    let item = [quoted(value), b",".to_vec()].concat();
    // Three times quoted, a quote is seven backslashes longer.
    let mut document = repeated(b"", &item, size / 8);
    document.insert(0, b'[');
    document.extend_from_slice(b"\"\"]");
    for _ in 0..3 {
        document = [b"[", quoted(&document).as_slice(), b"]"].concat();
    }
    document
}

#[test]
fn thousands_of_values_cost_a_bounded_amount() {
    let mut trial = Trial::new(32 * KIB, MAX_PER_BYTE);
    for value in VALUES {
        let name = value.escape_ascii();
        let field = [b"a=", value, b"&"].concat();
        trial.run(format!("fields {name}"), FORM, |size| {
            repeated(b"", &field, size)
        });
        let named = [value, b"=&"].concat();
        trial.run(format!("names {name}"), FORM, |size| {
            repeated(b"", &named, size)
        });
        let item = [quoted(value), b",".to_vec()].concat();
        trial.run(format!("items {name}"), JSON, |size| {
            repeated(b"[", &item, size)
        });
        let key = [quoted(value), b":0,".to_vec()].concat();
        trial.run(format!("keys {name}"), JSON, |size| {
            repeated(b"{", &key, size)
        });
        trial.run(format!("nested {name}"), JSON, |size| nested(value, size));
        let part = [
            b"--b\r\ncontent-disposition: form-data; name=a\r\n\r\n",
            value,
            b"\r\n",
        ]
        .concat();
        trial.run(format!("parts {name}"), MULTIPART, |size| {
            repeated(b"", &part, size)
        });
        let element = [b"<e>", value, b"</e>"].concat();
        trial.run(format!("elements {name}"), XML, |size| {
            repeated(b"<r>", &element, size)
        });
    }
    trial.finish();
}

#[test]
fn whatever_the_prefilter_looks_for_costs_a_bounded_amount_per_byte() {
    // Eight thousand patterns: smaller bodies show the growth as well.
    let mut trial = Trial::new(2 * KIB, MAX_PER_BYTE_OF_LITERALS);
    for literal in prefilter::literals() {
        for separator in [&b" "[..], b"/", b"(", b"\n"] {
            let pattern = [*literal, separator].concat();
            trial.run(pattern.escape_ascii().to_string(), TEXT, |size| {
                repeated(b"", &pattern, size)
            });
        }
    }
    trial.finish();
}

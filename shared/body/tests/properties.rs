//! What holds for every body: no panic, work bounded by its size, and every string that a writer of a format puts in
//! comes out as it was.

use std::ops::ControlFlow;

use backstop_body::{
    Content, DecompressLimits, MAX_NAME, MAX_PLAIN_NAME, Report, Walker, decompress, unfold,
};
use backstop_http::{Coding, ContentType, Kind, Place};
use proptest::prelude::*;
use serde_json::Value;

type Visits = Vec<(Kind, Vec<u8>, Vec<u8>)>;

fn walk(content_type: &str, body: &[u8]) -> (Visits, Report) {
    let mut seen = Vec::new();
    let content = Content::new(ContentType::parse(content_type.as_bytes()));
    let report = Walker::default().walk(&content, body, &mut |place, value| {
        seen.push((place.kind, place.name.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    });
    (seen, report)
}

const CONTENT_TYPES: &[&str] = &[
    "",
    "nonsense",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=ibm037",
    "application/json",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=b",
    "multipart/mixed",
    "text/xml",
    "text/xml; charset=utf-7",
    "application/graphql",
    "text/plain",
    "text/plain; charset=utf-32le",
    "application/octet-stream",
    "image/png",
];

/// Pieces of every format's syntax, so that random bodies get somewhere.
const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b":",
    b",",
    b"\\",
    b"\\u0027",
    b"\\ud83d",
    b"/*",
    b"*/",
    b"//",
    b"1",
    b"null",
    b"query",
    b"&",
    b"=",
    b"+",
    b"%27",
    b"%",
    b"--b",
    b"--b--",
    b"--",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\n\n",
    b"Content-Disposition: form-data; name=\"a\"; filename*=utf-8''%41",
    b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: application/json",
    b"Content-Type: text/xml; charset=utf-16",
    b"<",
    b">",
    b"</",
    b"<a",
    b"/>",
    b" b=",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE",
    b"<?",
    b"?>",
    b"&#39;",
    b"&amp;",
    b"#",
    b"\"\"\"",
    b"...",
    b"$a",
    b"(",
    b")",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\0",
    b"\xff",
    b"+ACc-",
    b" ",
    b"a",
    b"text",
];

fn token_soup() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        8 => prop::sample::select(TOKENS).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    let repeated = (prop::collection::vec(token, 1..6), 1_usize..40)
        .prop_map(|(tokens, times)| tokens.concat().repeat(times));
    prop::collection::vec(repeated, 1..8).prop_map(|runs| runs.concat())
}

/// Text that no reader of a charset, and no trimming, takes for something else.
fn text() -> impl Strategy<Value = String> {
    "[ -~\u{a0}-\u{ff}\u{ac00}-\u{d7a3}\u{1f600}-\u{1f64f}]{1,24}".prop_filter("trimmed", |text| {
        text.trim() == text && !text.starts_with("+/v")
    })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => any::<String>().prop_map(Value::from),
        4 => text().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<Option<bool>>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every non-empty key and string with its pointer, in document order.
fn strings_of(value: &Value, pointer: &str, found: &mut Visits) {
    match value {
        Value::String(text) if !text.is_empty() => {
            found.push((Kind::Json, pointer.into(), text.clone().into()))
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                strings_of(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                if !key.is_empty() {
                    found.push((Kind::JsonKey, pointer.into(), key.clone().into()));
                }
                let key = key.replace('~', "~0").replace('/', "~1");
                strings_of(item, &format!("{pointer}/{key}"), found);
            }
        }
        _ => {}
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn xml_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A key as programs name members.
fn is_plain_name(name: &[u8]) -> bool {
    name.len() <= MAX_PLAIN_NAME
        && !name.starts_with(b"__")
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Keys of JSON, plain ones and such as only look like it.
fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_]{0,30}",
        "_{0,3}[a-z]{0,3}",
        "[a-c_$~/%' .-]{0,4}"
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        content_type in prop::sample::select(CONTENT_TYPES),
        body in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        walk(content_type, &body);
    }

    /// Counted in visits and visited bytes: a value may be visited by two readings, whole and in pieces, in two
    /// charsets of which one doubles it; none is visited once per level or per token.
    #[test]
    fn visits_are_linear_in_the_body(content_type in prop::sample::select(CONTENT_TYPES), body in token_soup()) {
        let (seen, report) = walk(content_type, &body);
        let visited: usize = seen.iter().map(|(_, _, value)| value.len()).sum();
        prop_assert!(visited <= 24 * body.len(), "{visited} bytes of {}", body.len());
        prop_assert!(report.values <= 8 + 4 * body.len(), "{} values of {}", report.values, body.len());
        prop_assert!(seen.iter().all(|(_, name, _)| name.len() <= MAX_NAME));
    }

    #[test]
    fn json_strings_come_out_verbatim(value in json(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let (seen, report) = walk("application/json", body.as_bytes());
        let mut expected = Visits::new();
        strings_of(&value, "", &mut expected);
        prop_assert_eq!(seen, expected, "{}", body);
        prop_assert_eq!(report.malformed, None);
        prop_assert_eq!(report.sniffed, None);
    }

    #[test]
    fn json_is_read_the_same_with_every_character_escaped(value in json()) {
        let body = serde_json::to_string(&value).unwrap();
        let mut escaped = String::new();
        let mut in_string = false;
        let mut characters = body.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => {
                    in_string = !in_string;
                    escaped.push('"');
                }
                '\\' => {
                    let kind = characters.next().unwrap();
                    escaped.extend(['\\', kind]);
                    escaped.extend(characters.by_ref().take(if kind == 'u' { 4 } else { 0 }));
                }
                character if in_string => {
                    escaped.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
                }
                character => escaped.push(character),
            }
        }
        prop_assert_eq!(walk("application/json", escaped.as_bytes()).0, walk("application/json", body.as_bytes()).0);
    }

    #[test]
    fn form_fields_come_out_verbatim(
        fields in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..8), prop::collection::vec(any::<u8>(), 1..24)), 1..8),
    ) {
        let body: Vec<_> = fields.iter().map(|(n, v)| format!("{}={}", percent_encoded(n), percent_encoded(v))).collect();
        let (seen, _) = walk("application/x-www-form-urlencoded", body.join("&").as_bytes());
        let expected: Visits = fields
            .into_iter()
            .flat_map(|(n, v)| [(Kind::FormName, n.clone(), n.clone()), (Kind::Form, n, v)])
            .collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn multipart_fields_come_out_verbatim(
        fields in prop::collection::vec(("[a-z\\[\\] ;=]{1,8}", text(), prop::option::of("[a-z '.]{1,8}")), 1..8),
        boundary in "[A-Za-z0-9]{8,30}",
    ) {
        let mut body = String::new();
        let mut expected = Visits::new();
        for (name, content, filename) in &fields {
            body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\""));
            expected.push((Kind::MultipartName, name.clone().into(), name.clone().into()));
            if let Some(filename) = filename {
                body.push_str(&format!("; filename=\"{filename}\"\r\nContent-Type: text/plain"));
                expected.push((Kind::MultipartFilename, name.clone().into(), filename.clone().into()));
            }
            body.push_str(&format!("\r\n\r\n{content}\r\n"));
            expected.push((Kind::Multipart, name.clone().into(), content.clone().into()));
        }
        body.push_str(&format!("--{boundary}--\r\n"));
        let (seen, report) = walk(&format!("multipart/form-data; boundary={boundary}"), body.as_bytes());
        // Content that looks like another format is read as that, too.
        let mut visits = seen.into_iter();
        for wanted in expected {
            prop_assert!(visits.any(|visit| visit == wanted), "{:?} in {}", wanted, body);
        }
        prop_assert_eq!(report.malformed, None);
    }

    #[test]
    fn xml_text_and_attributes_come_out_verbatim(
        elements in prop::collection::vec(("[a-z]{1,5}", text(), text(), any::<bool>()), 1..8),
    ) {
        let mut body = String::from("<?xml version=\"1.0\"?>\n<root>");
        let mut expected = Visits::new();
        for (name, attribute, content, cdata) in &elements {
            let cdata = *cdata && !content.contains("]]>");
            let spelled = if cdata { format!("<![CDATA[{content}]]>") } else { xml_escaped(content) };
            body.push_str(&format!("<{name} x=\"{}\">{spelled}</{name}>\n", xml_escaped(attribute)));
            expected.push((Kind::XmlAttribute, b"x".to_vec(), attribute.clone().into()));
            expected.push((Kind::XmlText, name.clone().into(), content.clone().into()));
        }
        body.push_str("</root>");
        let (seen, report) = walk("application/xml", body.as_bytes());
        prop_assert_eq!(&seen[1..], &expected[..], "{}", body);
        prop_assert_eq!(report.malformed, None);
    }

    #[test]
    fn charsets_make_no_difference(value in json()) {
        let body = serde_json::to_string(&[value]).unwrap();
        let plain = walk("application/json", body.as_bytes()).0;
        let big: Vec<u8> = body.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked: Vec<u8> = format!("\u{feff}{body}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf32: Vec<u8> = body.chars().flat_map(|scalar| u32::from(scalar).to_le_bytes()).collect();
        for converted in [big, marked, utf32] {
            // Characters that are two bytes of ASCII call for a second reading, of the bytes as they are.
            prop_assert!(walk("application/json", &converted).0.starts_with(&plain));
        }
    }

    #[test]
    fn a_walker_keeps_nothing_from_the_body_before(first in token_soup(), second in token_soup(), kind in prop::sample::select(CONTENT_TYPES)) {
        let content = Content::new(ContentType::parse(kind.as_bytes()));
        let mut walker = Walker::default();
        walker.walk(&content, &first, &mut |_, _| ControlFlow::Continue(()));
        let mut again = Vec::new();
        walker.walk(&content, &second, &mut |place, value| {
            again.push((place.kind, place.name.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        });
        prop_assert_eq!(again, walk(kind, &second).0);
    }

    #[test]
    fn decompression_is_bounded_and_total(
        body in prop::collection::vec(any::<u8>(), 0..300),
        codings in prop::collection::vec(prop::sample::select(&[Coding::Gzip, Coding::Deflate, Coding::Brotli][..]), 0..4),
    ) {
        let limits = DecompressLimits { max_output: 1000, max_ratio: 10 };
        let decoded = decompress(codings.iter().copied(), &body, limits).unwrap_or_else(|error| error.decoded);
        prop_assert!(decoded.len() <= 1000);
    }
}

/// A long name with many values under it would be read as many times as there are values.
#[test]
fn a_long_name_is_handed_on_in_part() {
    let key = "k".repeat(10_000);
    let list = format!("[{}]", vec!["\"a\""; 1000].join(","));
    let element = format!("<{key}>{}</{key}>", "a<b/>".repeat(1000));
    for (content_type, body) in [
        ("application/json", format!("{{\"{key}\":{list}}}")),
        ("application/xml", element),
    ] {
        let (seen, _) = walk(content_type, body.as_bytes());
        assert!(seen.len() > 1000);
        assert!(seen.iter().all(|(_, name, _)| name.len() <= MAX_NAME));
    }
    let mut names = Vec::new();
    let outer = Place::new(Kind::Json, key.as_bytes());
    assert!(unfold(outer, list.as_bytes(), &mut |place, _| names
        .push(place.name.len())));
    assert_eq!(names, vec![MAX_NAME; 1000]);
}

proptest! {
    #[test]
    fn without_plain_names_all_else_is_visited(
        tree in proptest::collection::vec((keys(), keys(), any::<bool>()), 0..12),
        tokens in proptest::collection::vec(proptest::sample::select(TOKENS.to_vec()), 0..4),
    ) {
        let members: Vec<String> = tree
            .iter()
            .map(|(key, inner, spaced)| {
                let gap = if *spaced { " " } else { "" };
                format!("{}{gap}:[{{{}:\"x\"}},1,\"y\"]", Value::from(key.as_str()), Value::from(inner.as_str()))
            })
            .collect();
        let mut body = format!("{{{}}}", members.join(",")).into_bytes();
        body.extend(tokens.concat());
        let content = Content::new(ContentType::parse(b"application/json"));
        let (mut all, report) = walk("application/json", &body);
        let mut seen: Visits = Vec::new();
        let left_out = Walker::default().without_plain_names().walk(&content, &body, &mut |place, value| {
            seen.push((place.kind, place.name.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        });
        prop_assert_eq!(report, left_out);
        let counts = |(kind, _, value): &(Kind, Vec<u8>, Vec<u8>)| *kind != Kind::JsonKey || !is_plain_name(value);
        all.retain(counts);
        seen.retain(counts);
        prop_assert_eq!(all, seen);
    }
}

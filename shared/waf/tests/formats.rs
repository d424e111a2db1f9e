//! One value in every place and format that a request has: what is honest stays honest in each, what is an attack is found in
//! each, and how a body is cut into pieces changes nothing.

#[cfg(test)]
mod support;

use std::rc::Rc;

use backstop_cases::{Row, rows};
use backstop_detect::{Category, Rule};
use backstop_http::Kind;
use backstop_waf::Policy;
use proptest::prelude::*;
use support::{Case, get, gzip, post};

/// Every place that takes any text, and every way to write it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Query,
    QueryTwice,
    Segment,
    Cookie,
    Form,
    FormTwice,
    FormName,
    Json,
    JsonEscaped,
    JsonEntities,
    JsonKey,
    JsonInJson,
    JsonGzip,
    JsonUtf16,
    Multipart,
    MultipartFilename,
    XmlText,
    XmlCdata,
    XmlAttribute,
    XmlReferences,
    Graphql,
    GraphqlInJson,
    Text,
}

use Format::*;

const FORMATS: [Format; 23] = [
    Query,
    QueryTwice,
    Segment,
    Cookie,
    Form,
    FormTwice,
    FormName,
    Json,
    JsonEscaped,
    JsonEntities,
    JsonKey,
    JsonInJson,
    JsonGzip,
    JsonUtf16,
    Multipart,
    MultipartFilename,
    XmlText,
    XmlCdata,
    XmlAttribute,
    XmlReferences,
    Graphql,
    GraphqlInJson,
    Text,
];

/// Each byte but letters, digits and `-._~` as `%XX`.
fn percent(value: &[u8]) -> String {
    value
        .iter()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn json(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn each(value: &str, write: impl Fn(char) -> String) -> String {
    value.chars().map(write).collect()
}

fn xml(value: &str) -> String {
    each(value, |sign| match sign {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\t' | '\n' | '\r' => format!("&#{};", u32::from(sign)),
        _ => sign.to_string(),
    })
}

fn references(value: &str) -> String {
    each(value, |sign| format!("&#x{:x};", u32::from(sign)))
}

/// The request that carries `value`, called `name` where the format has names; `None` where the format cannot.
fn carry(format: Format, name: &str, value: &str) -> Option<Case> {
    let once = percent(value.as_bytes());
    let twice = percent(once.as_bytes());
    let form = |body: String| post("/", "application/x-www-form-urlencoded", body);
    let as_json = |text: &str| {
        post(
            "/",
            "application/json",
            format!(r#"{{"id":7,{}:{text}}}"#, json(name)),
        )
    };
    let as_xml = |content: String| {
        let body =
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><seat id=\"7\">{content}</seat>");
        post("/", "application/xml", body)
    };
    let part = |head: &str, content: &str| {
        let body = format!(
            "--limit7\r\nContent-Disposition: form-data; name=\"{name}\"{head}\r\n\r\n{content}\r\n--limit7--\r\n"
        );
        post("/", "multipart/form-data; boundary=limit7", body)
    };
    let xml_can = value
        .chars()
        .all(|sign| sign >= ' ' || matches!(sign, '\t' | '\n' | '\r'));
    let in_xml = |content: String| xml_can.then(|| as_xml(content));
    let object = format!("{{{}:{}}}", json(name), json(value));
    let graphql = format!("mutation {{ note(id: 7, memo: {}) {{ id }} }}", json(value));
    Some(match format {
        Query => get(&format!("/seats?{name}={once}&id=7")),
        QueryTwice => get(&format!("/seats?{name}={twice}&id=7")),
        Segment => get(&format!("/notes/{once}")),
        Cookie => get("/").header("cookie", format!("id=7; {name}={once}")),
        Form => form(format!("id=7&{name}={once}")),
        FormTwice => form(format!("id=7&{name}={twice}")),
        FormName => form(format!("id=7&{once}=1")),
        Json => as_json(&json(value)),
        JsonEscaped => as_json(&format!(
            "\"{}\"",
            value
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>()
        )),
        // A reference to NUL is one to U+FFFD.
        JsonEntities if value.contains('\0') => return None,
        JsonEntities => as_json(&json(&references(value))),
        JsonKey => post("/", "application/json", format!("{{{}:7}}", json(value))),
        JsonInJson => as_json(&json(&object)),
        JsonGzip => post("/", "application/json", gzip(object.as_bytes()))
            .header("content-encoding", "gzip"),
        JsonUtf16 => {
            let text = object;
            let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            post("/", "application/json; charset=utf-16", body)
        }
        Multipart => part("", value),
        MultipartFilename => {
            let name = each(value, |sign| match sign {
                '"' => "%22".to_owned(),
                '\r' => "%0D".to_owned(),
                '\n' => "%0A".to_owned(),
                _ => sign.to_string(),
            });
            part(&format!("; filename=\"{name}\""), "two tickets")
        }
        XmlText => in_xml(xml(value))?,
        XmlCdata if value.contains("]]>") => return None,
        XmlCdata => in_xml(format!("<![CDATA[{value}]]>"))?,
        XmlAttribute => in_xml(format!("<note memo=\"{}\"/>", xml(value)))?,
        XmlReferences => in_xml(references(value))?,
        Graphql => post("/", "application/graphql", graphql),
        GraphqlInJson => post(
            "/",
            "application/json",
            format!("{{\"query\":{}}}", json(&graphql)),
        ),
        Text => post("/", "text/plain", value),
    })
}

/// What is found at the default sensitivity: categories and rules.
fn found(policy: &Rc<Policy>, case: &Case) -> Vec<(&'static str, String)> {
    case.run_on(policy)
        .reports
        .iter()
        .flat_map(|report| report.entries())
        .map(|entry| (entry.rule.category_id(), entry.rule.name().to_owned()))
        .collect()
}

fn policy(json: &str) -> Rc<Policy> {
    Rc::new(Policy::from_json(json.as_bytes()).unwrap())
}

/// An attack of a place that takes any text: its rule, the name that it has there, its text.
struct Attack {
    row: Row,
    rule: &'static Rule,
    name: String,
    text: String,
}

fn attacks() -> Vec<Attack> {
    let texts = [
        Kind::Query,
        Kind::Form,
        Kind::Json,
        Kind::Multipart,
        Kind::XmlText,
    ];
    let attack = |row: Row| {
        let rule = backstop_detect::rule(row.expect.as_deref()?)?;
        let name = String::from_utf8(row.name.clone()).ok()?;
        let name = name
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or("memo")
            .to_owned();
        let text = String::from_utf8(row.input.clone()).ok()?;
        let named = OF_NAMES.contains(&rule.name);
        (row.level == 1 && !named && texts.contains(&row.kind)).then_some(Attack {
            row,
            rule,
            name,
            text,
        })
    };
    rows().into_iter().filter_map(attack).collect()
}

/// Rules that only a field of a certain name and format makes (`cmd=whoami`, `"@type"` in JSON): their rows show them.
const OF_NAMES: &[&str] = &["cmd-parameter", "code-fastjson"];

/// Rules about what stands in a URL: in a document the same text is a statement, a picture, a paragraph.
const OF_URLS: &[&str] = &["xss-markup-in-url", "sql-select-from", "sql-exec"];

/// Rules that read a parameter's value as a path: in a cookie or deep in a document it is data.
const OF_PARAMETERS: &[&str] = &["path-system-folder", "path-drive"];

/// Rules that read a field's value as a whole (a command line, a class, a document), not a name or a running text.
const OF_WHOLE_VALUES: &[&str] = &[
    "path-share",
    "cmd-common",
    "cmd-disguised",
    "cmd-windows",
    "cmd-powershell",
    "code-prototype",
    "code-java-serialized",
    "code-class-loader",
    "xss-dom-sink",
];

/// Whether an attack need not be found in this format, and the reason.
fn exempt(attack: &Attack, format: Format) -> bool {
    let is_url = matches!(format, Query | QueryTwice);
    let is_xml = matches!(format, XmlText | XmlCdata | XmlAttribute | XmlReferences);
    let is_text = matches!(format, Text | Graphql | GraphqlInJson);
    let is_name = matches!(format, Segment | FormName | JsonKey | MultipartFilename);
    match attack.rule.category {
        // A cookie's URL is the site's own, and a key is no URL that anybody fetches.
        Category::Ssrf if matches!(format, Cookie | JsonKey) => return true,
        // In a text of several lines, a line with a colon is no header; in a URL it is.
        Category::HeaderInjection if is_text => return true,
        Category::HeaderInjection if attack.row.kind == Kind::Query => return !is_url,
        _ => {}
    }
    match attack.rule.name {
        rule if OF_URLS.contains(&rule) => !is_url,
        rule if OF_PARAMETERS.contains(&rule) => {
            is_text || is_name || matches!(format, Cookie | JsonInJson)
        }
        rule if OF_WHOLE_VALUES.contains(&rule) => is_text || is_name,
        // A document within XML, or within references, is a text.
        "nosql-operator-key" => is_text || is_name || is_xml || format == JsonEntities,
        // A path is not looked at for base64.
        _ => {
            format == Segment
                && attack
                    .text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'=')
        }
    }
}

#[test]
fn an_attack_is_found_in_every_format() {
    let policy = policy(r#"{"mode":"detect"}"#);
    let mut missed = Vec::new();
    let (mut carried, mut exempted) = (0, 0);
    for attack in attacks() {
        for format in FORMATS {
            let Some(case) = carry(format, &attack.name, &attack.text) else {
                continue;
            };
            carried += 1;
            let found = found(&policy, &case);
            if found
                .iter()
                .any(|(category, _)| *category == attack.rule.category.id())
            {
                continue;
            }
            if exempt(&attack, format) {
                exempted += 1;
            } else {
                missed.push(format!("{format:?}: {}: {found:?}", attack.row));
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} missed\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(
        carried > 5000 && exempted * 25 < carried,
        "{exempted} of {carried}"
    );
}

/// What people write, some of it with words that mean something in a language of machines. A lone `; cat` is not among it.
const WORDS: &[&str] = &[
    "tickets",
    "Seoul",
    "please select a seat",
    "the union",
    "in order of arrival",
    "seats from 1,250 won",
    "where we sat",
    "a table for two",
    "don't drop it",
    "this or that",
    "bread and butter",
    "nothing like it",
    "a good sleep",
    "my script",
    "an image",
    "in style",
    "the cat",
    "your id",
    "to echo",
    "some ping",
    "those who know",
    "the system",
    "an admin",
    "the root of it",
    "her windows",
    "a file",
    "local",
    "our host",
    "one entity",
    "a document",
    "cookies",
    "an alert",
    "콘서트",
    "예매",
    "좌석",
    "잠실",
    "안녕하세요",
    "チケット",
    "大阪城ホール",
    "座席",
    "音楽会",
    "北京",
    "билеты",
    "Москва",
    "Привет",
    "Müller",
    "Zoë",
    "naïve",
    "façade",
    "señor",
    "œuvre",
    "ΑΘΗΝΑ",
    "μουσική",
    "תודה",
    "شكرا",
    "धन्यवाद",
    "สวัสดี",
    "O'Brien",
    "don't",
    "it's",
    "l'été",
    "rock'n'roll",
    "AT&T",
    "R&B",
    "C++",
    "C#",
    ".NET",
    "e-mail",
    "co-op",
    "x-ray",
];

/// What stands for itself: numbers, times, prices, addresses, file names.
const TOKENS: &[&str] = &[
    "7",
    "2026-11-22",
    "19:30",
    "1,250.00",
    "50%",
    "20%",
    "₩132,000",
    "$49.90",
    "€20",
    "№ 5",
    "#12",
    "1/2",
    "3x4",
    "90°",
    "+82-2-555-0100",
    "kim@tickets.example",
    "www.tickets.example",
    "https://tickets.example/seats?row=7&block=A",
    "seat-plan.pdf",
    "v1.2.3",
    "2+2=4",
    "A-12",
    "Q&A",
    "24/7",
    "10:30-12:00",
    "5'11\"",
    "B*",
    "😀",
    "❤️",
    "…",
    "—",
];

/// How words are joined: punctuation where a writer puts it.
const JOINTS: &[&str] = &[
    " ", " ", " ", ", ", ". ", "; ", ": ", " - ", " & ", " / ", "? ", "! ", " – ", "\u{a0}",
];

fn benign() -> impl Strategy<Value = String> {
    let word = prop_oneof![3 => prop::sample::select(WORDS), 1 => prop::sample::select(TOKENS)];
    let wrapped = (
        word,
        prop::sample::select(
            &[
                ("", ""),
                ("", ""),
                ("", ""),
                ("(", ")"),
                ("\"", "\""),
                ("“", "”"),
                ("'", "'"),
                ("«", "»"),
            ][..],
        ),
    )
        .prop_map(|(word, (open, close))| format!("{open}{word}{close}"));
    let sentence = prop::collection::vec((wrapped, prop::sample::select(JOINTS)), 1..12);
    (
        sentence,
        prop::sample::select(&["", ".", "!", "?", "…"][..]),
    )
        .prop_map(|(parts, end)| {
            let last = parts.len() - 1;
            let text: String = parts
                .iter()
                .enumerate()
                .map(|(index, (word, joint))| {
                    format!("{word}{}", if index < last { joint } else { "" })
                })
                .collect();
            text + end
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Of fields that have names, no honest one is called by a sentence.
    #[test]
    fn what_is_honest_stays_honest_in_every_format(value in benign()) {
        let policy = policy(r#"{"mode":"detect"}"#);
        for format in FORMATS.into_iter().filter(|format| *format != FormName) {
            if let Some(case) = carry(format, "memo", &value) {
                let found = found(&policy, &case);
                prop_assert!(found.is_empty(), "{format:?}: {value:?}: {found:?}");
            }
        }
    }

    /// Attacks and honest values, compressed or not, with trailers or without, in both modes.
    #[test]
    fn how_a_body_is_cut_into_pieces_changes_nothing(
        attack in prop::sample::select(attacks().into_iter().map(|attack| attack.text).collect::<Vec<_>>()),
        honest in benign(),
        format in prop::sample::select(&FORMATS[4..]),
        trailers in any::<bool>(),
        chunk in 1_usize..80,
    ) {
        for (value, config) in [
            (&attack, "{}"),
            (&attack, r#"{"mode":"detect"}"#),
            (&attack, r#"{"requestBody":{"limit":60}}"#),
            (&attack, r#"{"mode":"detect","requestBody":{"limit":60,"onLimit":"reject"}}"#),
            (&honest, "{}"),
        ] {
            let Some(case) = carry(format, "memo", value) else { continue };
            let case = if trailers { case.trailers() } else { case };
            let policy = policy(config);
            let whole = case.run_on(&policy);
            let pieces = case.chunks(chunk).run_on(&policy);
            prop_assert_eq!((whole.status, &whole.details, &whole.reports), (pieces.status, &pieces.details, &pieces.reports));
            prop_assert_eq!(whole.limit_hits, pieces.limit_hits);
        }
    }
}

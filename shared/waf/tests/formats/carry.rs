//! The request that carries a value in each format.

use crate::support::{Case, get, gzip, post};

/// Every place that takes any text, and every way to write it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
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

pub const FORMATS: [Format; 23] = [
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
pub fn carry(format: Format, name: &str, value: &str) -> Option<Case> {
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

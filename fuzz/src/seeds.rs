//! What fuzzing begins with: the detection cases, the sample traffic, the configurations that the documentation shows, and
//! the prefilter's literals as a dictionary. All of it is made here; nothing is stored.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use backstop_cases::rows;
use backstop_detect::prefilter;
use backstop_http::Kind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::body::{CHARSETS, FORMATS};
use crate::place;

/// The seeds of `target`.
///
/// # Panics
/// When the repository's files cannot be read.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "decode" => values(),
        "charset_compression" => [typed(CHARSETS, &samples()), compressed()].concat(),
        "body" => [typed(FORMATS, &samples()), embedded()].concat(),
        "request" => [heads(), configurations(), requests()].concat(),
        _ => placed(),
    }
}

/// A dictionary in libFuzzer's format: every literal of the prefilter, and signs of the formats.
pub fn dictionary() -> String {
    let syntax: &[&[u8]] = &[
        b"%25",
        b"%u003c",
        b"\\u003c",
        b"\\x3c",
        b"&lt;",
        b"&#x3c;",
        b"&#60",
        b"+ADw-",
        b"\xc0\xbc",
        b"\xef\xbc\x9c",
        b"\r\n\r\n",
        b"--b\r\n",
        b"--b--",
        b"Content-Disposition: form-data; name=\"a\"",
        b"Content-Transfer-Encoding: base64",
        b"Content-Type: application/json",
        b"filename*=utf-8''%41",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<!DOCTYPE a [",
        b"\\ud83d\\ude00",
        b"query",
        b"\"\"\"",
        b"\xff\xfe",
        b"\xfe\xff",
        b"+/v8",
        b"{\"a\":",
        b"content-encoding: gzip",
        b"content-type: ",
    ];
    prefilter::literals()
        .iter()
        .chain(syntax)
        .map(|literal| {
            let escaped: String = literal
                .iter()
                .map(|byte| match byte {
                    b'"' | b'\\' => format!("\\{}", char::from(*byte)),
                    b' '..=b'~' => char::from(*byte).to_string(),
                    _ => format!("\\x{byte:02x}"),
                })
                .collect();
            format!("\"{escaped}\"\n")
        })
        .collect()
}

fn values() -> Vec<Vec<u8>> {
    rows().into_iter().map(|row| row.input).collect()
}

fn placed() -> Vec<Vec<u8>> {
    rows()
        .into_iter()
        .map(|row| [&place::bytes_of(row.place())[..], &row.input].concat())
        .collect()
}

/// Each body under each type, with its selector.
fn typed(types: &[&str], bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    (0..types.len() as u8)
        .flat_map(|selector| {
            bodies
                .iter()
                .map(move |body| [&[selector][..], body].concat())
        })
        .collect()
}

/// Case rows as fields of every format.
fn embedded() -> Vec<Vec<u8>> {
    let bodies: Vec<Vec<u8>> = rows()
        .iter()
        .step_by(7)
        .flat_map(|row| {
            let text = String::from_utf8_lossy(&row.input);
            let xml = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            [
                serde_json::json!({ "a": [text], "query": "query q($a: Int) { b(c: \"d\") }" }).to_string(),
                format!("a={}&b[c]=1", text.replace('%', "%25").replace('&', "%26").replace('+', "%2b")),
                format!("--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x.txt\"\r\n\r\n{text}\r\n--b--\r\n"),
                format!("<?xml version=\"1.0\"?><a b=\"{xml}\">{xml}<![CDATA[{text}]]></a>"),
            ]
        })
        .map(String::into_bytes)
        .collect();
    let selector = |body: &[u8]| {
        let prefix = match body.first() {
            Some(b'{') => "application/json",
            Some(b'<') => "text/xml",
            Some(b'-') => "multipart/form-data; boundary=b",
            _ => "application/x-www-form-urlencoded",
        };
        FORMATS
            .iter()
            .position(|kind| *kind == prefix)
            .map(|at| at as u8)
    };
    bodies
        .into_iter()
        .filter_map(|body| Some([&[selector(&body)?][..], &body].concat()))
        .collect()
}

fn compressed() -> Vec<Vec<u8>> {
    let text = b"two tickets, please; ".repeat(9);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for encoder in [&mut gzip as &mut dyn Write, &mut zlib] {
        encoder.write_all(&text).expect("a vector takes everything");
    }
    // Brotli: a meta-block that is stored, then the last, empty one (RFC 7932 section 9.2).
    let stored = [&[0x0b, 0x02, 0x80][..], b"hello", &[0x03]].concat();
    [gzip.finish(), zlib.finish(), Ok(stored)]
        .into_iter()
        .map(|coded| [&[0][..], &coded.expect("a vector takes everything")].concat())
        .collect()
}

fn repository(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(file)
}

/// The sample traffic, request by request.
fn traffic() -> Vec<Value> {
    ["samples/visitor.jsonl", "samples/attacks.jsonl"]
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(repository(file))
                .expect("the samples are part of the repository");
            let lines: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).expect("one JSON object per line"))
                .collect();
            lines
        })
        .collect()
}

fn body_of(request: &Value) -> Vec<u8> {
    match (request["body"].as_str(), request["body_b64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(coded)) => STANDARD.decode(coded).expect("base64"),
        _ => Vec::new(),
    }
}

fn samples() -> Vec<Vec<u8>> {
    traffic()
        .iter()
        .map(body_of)
        .filter(|body| !body.is_empty())
        .collect()
}

fn fields_of(request: &Value) -> Vec<(&str, &str)> {
    let fields = request["headers"].as_array().map_or(&[][..], Vec::as_slice);
    fields
        .iter()
        .filter_map(|field| Some((field[0].as_str()?, field[1].as_str()?)))
        .collect()
}

fn heads() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = rows()
        .into_iter()
        .filter(|row| matches!(row.kind, Kind::Path | Kind::Header | Kind::Cookie))
        .map(|row| row.input)
        .collect();
    for request in traffic() {
        let fields = fields_of(&request);
        let mut list = (fields.len() as u32).to_le_bytes().to_vec();
        for (name, value) in &fields {
            list.extend((name.len() as u32).to_le_bytes());
            list.extend((value.len() as u32).to_le_bytes());
        }
        for (name, value) in &fields {
            list.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
            seeds.push(value.as_bytes().to_vec());
        }
        seeds.push(list);
        seeds.extend(
            request["path"]
                .as_str()
                .map(|path| path.as_bytes().to_vec()),
        );
    }
    seeds.extend(
        [
            "/grafana\n/grafana/x",
            "/a/{id:int}/b\n/a/7/b",
            "/a/{id:uuid}/{rest...}\n//a/../a/x",
            "*.example.com\nwww.example.com",
            "10.0.0.0/8,2001:db8::/32,::ffff:10.0.0.0/104\n",
            "[2001:db8::1]:443",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds.sort();
    seeds.dedup();
    seeds
}

fn requests() -> Vec<Vec<u8>> {
    traffic()
        .iter()
        .enumerate()
        .map(|(index, request)| {
            let mut seed = vec![index as u8 & 7, 31];
            let method = request["method"].as_str().unwrap_or("GET");
            let path = request["path"].as_str().unwrap_or("/");
            seed.extend(format!("{method} {path}").as_bytes());
            for (name, value) in fields_of(request) {
                seed.extend(format!("\n{name}: {value}").as_bytes());
            }
            seed.extend(b"\n\n");
            seed.extend(body_of(request));
            seed
        })
        .collect()
}

fn configurations() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        b"{}".to_vec(),
        br#"{"mode":"detect","sensitivity":2,"scoreThreshold":7,"metrics":{"enabled":true,"timeOneIn":10},"logging":{"matched":false}}"#.to_vec(),
        br#"{"categories":{"ssrf":{"allowedHosts":["*.example.com","10.0.0.7"]},"xss":{"mode":"detect"},"botScanner":{"httpLibraries":true}}}"#.to_vec(),
        br#"{"rules":{"disabled":["sql-union","2001"]},"trustedClients":["10.0.0.0/8","2001:db8::/32"]}"#.to_vec(),
        br#"{"response":{"status":406,"body":"{requestId}","contentType":"text/plain","headers":{"x-a":"b"}}}"#.to_vec(),
        br#"{"exclusions":[{"reason":"r","path":{"template":"/a/{id:int}/{rest...}"},"hosts":["*.a.example"],"methods":["GET"],
            "categories":["sqlInjection"],"rules":["sql-union"],"targets":["json:/queries/*","header:referer"]}]}"#.to_vec(),
        br#"{"requestBody":{"enabled":true,"limit":"64KiB","onLimit":"reject","compressed":"pass","holdHeaders":true}}"#.to_vec(),
        br#"{"customRules":[{"id":100001,"name":"patch-id","description":"d","pattern":"(?i)zeb(ra|u)","targets":["query:id"],
            "category":"sqlInjection","severity":"critical"}],"customRuleLimit":{"bytes":4096,"onLimit":"reject"}}"#.to_vec(),
        br#"{"secrets":[{"name":"a","sha256":"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=","notAfter":"2026-12-01T09:00:00+09:00"}]}"#.to_vec(),
    ];
    for page in ["README.md", "docs/waf.md"] {
        let page = fs::read_to_string(repository(page)).expect("part of the repository");
        let shown = page
            .split("```json\n")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("```")?.0.as_bytes().to_vec()));
        seeds.extend(shown);
    }
    seeds
}

//! Reads `cases/*.tsv`; the format is described in `cases/README.md`.

use std::fmt;
use std::path::Path;

use backstop_http::{Kind, Place};

/// One row.
pub struct Row {
    pub kind: Kind,
    pub name: Vec<u8>,
    /// The rule to be found; `None` for benign.
    pub expect: Option<String>,
    pub level: u8,
    pub input: Vec<u8>,
    file: String,
    line: usize,
}

impl Row {
    pub fn place(&self) -> Place<'_> {
        Place::new(self.kind, &self.name)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expect = self.expect.as_deref().unwrap_or("benign");
        write!(
            f,
            "{}:{}: {} at {}: {expect}",
            self.file,
            self.line,
            self.input.escape_ascii(),
            self.place()
        )
    }
}

pub const KINDS: [Kind; 19] = [
    Kind::Path,
    Kind::QueryName,
    Kind::Query,
    Kind::CookieName,
    Kind::Cookie,
    Kind::Header,
    Kind::FormName,
    Kind::Form,
    Kind::JsonKey,
    Kind::Json,
    Kind::MultipartName,
    Kind::MultipartFilename,
    Kind::Multipart,
    Kind::XmlText,
    Kind::XmlAttribute,
    Kind::XmlDocument,
    Kind::Graphql,
    Kind::TextBody,
    Kind::RawBody,
];

/// Every row of every file, in order.
pub fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "tsv"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut rows = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            rows.push(parse(line, file.clone(), index + 1));
        }
    }
    rows
}

fn parse(line: &str, file: String, number: usize) -> Row {
    let columns: Vec<&str> = line.split('\t').collect();
    let [place, expect, input, ..] = columns.as_slice() else {
        panic!("{file}:{number}: place, expect and input, separated by tabs");
    };
    let (word, name) = place.split_once(':').unwrap_or((place, ""));
    let kind = KINDS
        .into_iter()
        .find(|kind| kind.word() == word)
        .unwrap_or_else(|| panic!("{file}:{number}: no such place: {place}"));
    let (expect, level) = match expect.split_once('@') {
        Some((rule, level)) => (rule, level.parse().unwrap()),
        None => (*expect, 1),
    };
    Row {
        kind,
        name: name.as_bytes().to_vec(),
        expect: (expect != "benign").then(|| expect.to_string()),
        level,
        input: unescape(input),
        file,
        line: number,
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let (kind, tail) = tail.split_first().expect("a backslash needs a sign");
        rest = tail;
        out.push(match kind {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let (digits, tail) = rest.split_at(2);
                rest = tail;
                u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{} is not an escape", other.escape_ascii()),
        });
    }
    out
}

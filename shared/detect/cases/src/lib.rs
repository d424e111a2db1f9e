//! The detection cases: the rows of `*.tsv`, and the request that carries each. For tests only: a bad row panics with its
//! file and line.
//!
//! The same rows run natively (`shared/detect/tests/suite`), through the module in our host
//! (`wasm-test-host/tests/case_rows.rs`) and in a real Envoy (`wasm-test-host/e2e/tests/case_rows.rs`).

mod request;
mod verdict;
mod wire;

use std::fmt;
use std::path::Path;

use backstop_http::{Kind, Place};

pub use request::{NotCarried, Request};
pub use verdict::{is_right, rules_in};

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where the value stands.
    pub kind: Kind,
    /// Its name there; empty where there is none.
    pub name: Vec<u8>,
    /// The rule to be found; `None` for benign.
    pub expect: Option<String>,
    /// The sensitivity that it takes.
    pub level: u8,
    /// The value, decoded.
    pub input: Vec<u8>,
    file: String,
    line: usize,
}

impl Row {
    /// Where the value stands.
    pub fn place(&self) -> Place<'_> {
        Place::new(self.kind, &self.name)
    }

    /// `sql.tsv:12`
    pub fn id(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The value as it stands on the wire: what a path, a query and a cookie percent-encode; others as it is.
    pub fn on_the_wire(&self) -> Vec<u8> {
        wire::value(self.kind, &self.input)
    }

    /// The request that carries the value to where the row says.
    ///
    /// # Errors
    /// The reason why HTTP cannot carry it there.
    pub fn request(&self) -> Result<Request, NotCarried> {
        request::carrying(self)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} at {}: {}",
            self.id(),
            self.input.escape_ascii(),
            self.place(),
            self.expect.as_deref().unwrap_or("benign")
        )
    }
}

/// Every row of every file, in order.
///
/// # Panics
/// When a file cannot be read or a row is none.
pub fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
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
    let kind =
        Kind::called(word).unwrap_or_else(|| panic!("{file}:{number}: no such place: {place}"));
    let (expect, level) = match expect.split_once('@') {
        Some((rule, level)) => (rule, level.parse().unwrap()),
        None => (*expect, 1),
    };
    Row {
        kind,
        name: name.as_bytes().to_vec(),
        expect: (expect != "benign").then(|| expect.to_string()),
        level,
        input: wire::unescape(input),
        file,
        line: number,
    }
}

#[cfg(test)]
mod tests;

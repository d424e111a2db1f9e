//! What the filter sees of a request, retraced natively with the filter's own crates.

use std::ops::ControlFlow;

use backstop_body::{Content, DecompressLimits, Walker, decompress, unfold};
use backstop_detect::{Chain, Decoding, Findings, Forms, Rule, ScanOptions, Scanner};
use backstop_http::media_type::{ContentType, content_codings};
use backstop_http::{Headers, Kind, Place};

use crate::traffic::Case;

/// Enough for any request that is worth reading; the filter's own limit is in its configuration.
const LIMITS: DecompressLimits = DecompressLimits {
    max_output: 1 << 20,
    max_ratio: 1000,
};

/// Everything that is inspected in a request.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The values in the order in which they are inspected.
    pub values: Vec<Value>,
    /// What stands between the wire and the body's values: a coding that was undone, or why the body is not read.
    pub body_note: Option<String>,
}

/// One inspected value.
#[derive(Clone, Debug)]
pub struct Value {
    /// Where it is: `query:q`.
    pub target: String,
    /// As it came on the wire (in a body: as its format's parser gives it), then after each decoding.
    pub forms: Vec<Form>,
    /// What was found in it.
    pub matches: Vec<Match>,
}

/// A value after a decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The decoding that led here; `None` for the wire's form.
    pub decoding: Option<Decoding>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A rule that matched a value.
#[derive(Clone, Debug)]
pub struct Match {
    /// The rule.
    pub rule: &'static Rule,
    /// The decodings after which it matched.
    pub chain: Chain,
    /// The text that matched, at most 100 bytes.
    pub matched: Vec<u8>,
}

/// Retraces a request at the most sensitive settings in `options`; exclusions of a configuration are not applied.
pub fn trace(case: &Case, options: ScanOptions) -> Trace {
    let mut tracer = Tracer {
        scanner: Scanner::new(options),
        values: Vec::new(),
    };
    let headers = headers_of(case);
    backstop_waf::values::of_headers(&headers, &mut |place, value| tracer.value(place, value));
    let mut body_note = None;
    if let Some(body) = case.body.as_deref().filter(|body| !body.is_empty()) {
        body_note = tracer.body(&headers, body);
    }
    Trace {
        values: tracer.values,
        body_note,
    }
}

fn headers_of(case: &Case) -> Headers {
    let pseudo: [(&[u8], &[u8]); 4] = [
        (b":method", &case.method),
        (b":scheme", &case.scheme),
        (b":authority", &case.authority),
        (b":path", &case.path),
    ];
    let fields = case
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    Headers::from_pairs(pseudo.into_iter().chain(fields))
}

struct Tracer {
    scanner: Scanner,
    values: Vec<Value>,
}

impl Tracer {
    fn value(&mut self, place: Place<'_>, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut inner = Vec::new();
        let unfolded = unfold(place, bytes, &mut |inside, text| {
            inner.push((
                format!("{place} > {inside}"),
                inside.kind,
                self.scan(inside, text),
                text.to_vec(),
            ));
        });
        if unfolded {
            self.values.extend(
                inner
                    .into_iter()
                    .map(|(target, kind, matches, text)| Value {
                        target,
                        forms: forms(kind, &text),
                        matches,
                    }),
            );
            return;
        }
        let matches = self.scan(place, bytes);
        self.values.push(Value {
            target: place.to_string(),
            forms: forms(place.kind, bytes),
            matches,
        });
    }

    fn scan(&mut self, place: Place<'_>, bytes: &[u8]) -> Vec<Match> {
        let mut findings = Findings::new();
        self.scanner.inspect(place, bytes, &mut findings);
        findings
            .as_slice()
            .iter()
            .map(|finding| Match {
                rule: finding.rule,
                chain: finding.chain,
                matched: finding.matched.clone(),
            })
            .collect()
    }

    fn body(&mut self, headers: &Headers, body: &[u8]) -> Option<String> {
        let codings: Vec<_> = content_codings(headers).collect();
        let (plain, note) = if codings.is_empty() {
            (body.to_vec(), None)
        } else {
            match decompress(codings.iter().copied(), body, LIMITS) {
                Ok(plain) => {
                    let note = format!(
                        "Content-Encoding undone: {} bytes become {}",
                        body.len(),
                        plain.len()
                    );
                    (plain, Some(note))
                }
                Err(error) => (
                    error.decoded.clone(),
                    Some(format!("Content-Encoding: {error}")),
                ),
            }
        };
        let content = Content::new(ContentType::of(headers));
        Walker::default().walk(&content, &plain, &mut |place, value| {
            self.value(place, value);
            ControlFlow::Continue(())
        });
        note
    }
}

/// The forms that a value takes on its way through the decodings, as the scanner does it.
fn forms(kind: Kind, value: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    Forms::default().visit(kind, value, &mut |chain, bytes| {
        forms.push(Form {
            decoding: chain.iter().last(),
            bytes: bytes.to_vec(),
        });
        ControlFlow::Continue(())
    });
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::parse_curl;

    fn traced(line: &str) -> Trace {
        trace(
            &parse_curl(&[line.to_string()]).unwrap(),
            ScanOptions::default(),
        )
    }

    fn value<'a>(trace: &'a Trace, target: &str) -> &'a Value {
        trace
            .values
            .iter()
            .find(|value| value.target == target)
            .unwrap_or_else(|| panic!("{target}: {trace:?}"))
    }

    #[test]
    fn every_value_is_there_with_its_place() {
        let trace =
            traced("curl 't.example/a?b=1' -b 'c=2' -H 'X-D: 3' --json '{\"e\":{\"f\":\"4\"}}'");
        for (target, bytes) in [
            ("path", "/a"),
            ("query:b", "1"),
            ("cookie:c", "2"),
            ("header:x-d", "3"),
            ("json:/e/f", "4"),
            ("header:host", "t.example"),
        ] {
            assert_eq!(value(&trace, target).forms[0].bytes, bytes.as_bytes());
        }
    }

    #[test]
    fn decodings_are_shown_step_by_step_and_end_where_the_match_is() {
        let trace = traced("curl 't.example/?q=%253Cscript%253Ealert(1)%253C/script%253E'");
        let value = value(&trace, "query:q");
        let steps: Vec<_> = value
            .forms
            .iter()
            .map(|form| (form.decoding, form.bytes.clone()))
            .collect();
        assert_eq!(
            steps[1],
            (
                Some(Decoding::Percent),
                b"%3Cscript%3Ealert(1)%3C/script%3E".to_vec()
            )
        );
        assert_eq!(
            steps[2],
            (
                Some(Decoding::Percent),
                b"<script>alert(1)</script>".to_vec()
            )
        );
        assert!(
            value
                .matches
                .iter()
                .any(|found| found.rule.category == backstop_detect::Category::Xss)
        );
    }

    #[test]
    fn the_forms_are_those_of_the_scanner() {
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/attacks.jsonl");
        let input = [crate::traffic::Input::from_arg(samples)];
        let mut found = 0;
        let done = crate::traffic::read(&input, &Default::default(), &mut |item| {
            let crate::traffic::Item::Case(case) = item else {
                panic!("{item:?}")
            };
            for value in trace(&case, ScanOptions::default()).values {
                for matched in &value.matches {
                    found += 1;
                    let shown: Vec<_> = value
                        .forms
                        .iter()
                        .filter_map(|form| form.decoding)
                        .collect();
                    let needed: Vec<_> = matched.chain.iter().collect();
                    assert!(
                        shown.starts_with(&needed),
                        "{}: {} shows {shown:?}, found after {needed:?}",
                        case.id,
                        value.target
                    );
                }
            }
            ControlFlow::Continue(())
        });
        assert!(done.is_ok());
        assert!(found > 90, "{found}");
    }

    #[test]
    fn a_compressed_body_is_read_and_said_to_be() {
        use flate2::Compression;
        use flate2::write::GzEncoder;
        use std::io::Write;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"a=1").unwrap();
        let mut case =
            parse_curl(&["curl t.example -d x -H 'Content-Encoding: gzip'".to_string()]).unwrap();
        case.body = Some(encoder.finish().unwrap());
        let trace = trace(&case, ScanOptions::default());
        assert_eq!(value(&trace, "form:a").forms[0].bytes, b"1");
        assert!(trace.body_note.unwrap().ends_with("bytes become 3"));
    }
}

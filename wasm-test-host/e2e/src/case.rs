//! The case files: one request and what must become of it, run by our host and by Envoy alike.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

/// A file of cases that share one filter configuration and one listener.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaseFile {
    /// What the file is about.
    pub about: String,
    /// The filter.
    #[serde(default = "waf")]
    pub filter: String,
    /// The filter's configuration.
    pub config: Value,
    /// How the listener differs from Istio's default.
    #[serde(default)]
    pub listener: ListenerOptions,
    /// The cases.
    pub cases: Vec<Case>,
}

fn waf() -> String {
    "waf".to_owned()
}

/// What a listener can be told beside the filter.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerOptions {
    /// `per_connection_buffer_limit_bytes`.
    pub buffer_limit: Option<u32>,
    /// Envoy's `allow_on_headers_stop_iteration`.
    #[serde(default)]
    pub allow_on_headers_stop_iteration: bool,
}

/// One request and its expected end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// Unique over all files.
    pub name: String,
    /// What is sent.
    pub request: RequestSpec,
    /// What must come of it.
    pub expect: Expect,
    /// Why Envoy and our host differ here, where they do: then only the client's view is compared.
    #[serde(default)]
    pub difference: Option<String>,
}

/// A request as the client sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestSpec {
    /// Method.
    #[serde(default = "get")]
    pub method: String,
    /// Request target.
    pub path: String,
    /// Header fields in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Header fields whose values are not UTF-8.
    #[serde(default)]
    pub headers_base64: Vec<(String, String)>,
    /// Content.
    #[serde(default)]
    pub body: Option<BodySpec>,
    /// Sizes of the chunks of a chunked body; the last one takes the rest. Absent: `content-length`.
    #[serde(default)]
    pub chunks: Option<Vec<usize>>,
    /// Trailer fields (with `chunks`).
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Content, written in whichever way reads best.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum BodySpec {
    /// As is.
    Text(String),
    /// From one of the forms below.
    Made(MadeBody),
}

/// Content that is made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum MadeBody {
    /// Bytes.
    Base64(String),
    /// Compressed text.
    Gzip(String),
    /// `before`, then `text` `times` over, then `after`.
    Repeat {
        /// What comes first.
        #[serde(default)]
        before: String,
        /// What is repeated.
        text: String,
        /// How often.
        times: usize,
        /// What comes last.
        #[serde(default)]
        after: String,
    },
}

/// The expected end of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// Status the client sees.
    pub status: u16,
    /// Exact `RESPONSE_CODE_DETAILS`, where it matters.
    #[serde(default)]
    pub details: Option<String>,
    /// What the upstream must have seen.
    pub upstream: UpstreamView,
    /// Header fields that the upstream must not have seen.
    #[serde(default)]
    pub upstream_without: Vec<String>,
    /// A response field that must be there with this value.
    #[serde(default)]
    pub response_headers: Vec<(String, String)>,
}

/// What the upstream saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpstreamView {
    /// The request as it was sent.
    Whole,
    /// Nothing at all.
    Nothing,
    /// Not the whole request: the platform may have let the headers go before the verdict (see README).
    NotWhole,
}

impl RequestSpec {
    /// Every header field but those of the framing.
    ///
    /// # Errors
    /// When `headersBase64` is not base64.
    pub fn fields(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut fields: Vec<_> = self
            .headers
            .iter()
            .map(|(n, v)| (n.clone(), v.as_bytes().to_vec()))
            .collect();
        for (name, value) in &self.headers_base64 {
            fields.push((name.clone(), decode(value)?));
        }
        Ok(fields)
    }

    /// The content, if there is any.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn content(&self) -> Result<Option<Vec<u8>>> {
        Ok(match &self.body {
            None => None,
            Some(BodySpec::Text(text)) => Some(text.as_bytes().to_vec()),
            Some(BodySpec::Made(MadeBody::Base64(text))) => Some(decode(text)?),
            Some(BodySpec::Made(MadeBody::Gzip(text))) => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(text.as_bytes())?;
                Some(encoder.finish()?)
            }
            Some(BodySpec::Made(MadeBody::Repeat {
                before,
                text,
                times,
                after,
            })) => Some(format!("{before}{}{after}", text.repeat(*times)).into_bytes()),
        })
    }

    /// The content cut to the chunk plan; `None` when it goes whole.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn chunked(&self) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(plan) = &self.chunks else {
            return Ok(None);
        };
        let content = self.content()?.unwrap_or_default();
        let mut rest = content.as_slice();
        let mut chunks = Vec::new();
        for size in plan {
            let (chunk, tail) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk.to_vec());
            rest = tail;
        }
        if !rest.is_empty() {
            chunks.push(rest.to_vec());
        }
        Ok(Some(chunks))
    }

    /// Trailer fields as bytes.
    pub fn trailer_fields(&self) -> Vec<(String, Vec<u8>)> {
        self.trailers
            .iter()
            .map(|(n, v)| (n.clone(), v.as_bytes().to_vec()))
            .collect()
    }
}

fn decode(text: &str) -> Result<Vec<u8>> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .with_context(|| format!("not base64: {text:?}"))
}

/// Reads every `*.yaml` of a folder in the order of its names.
///
/// # Errors
/// When a file cannot be read, does not parse, or a case's name is taken: file and reason.
pub fn load(folder: &Path) -> Result<Vec<(String, CaseFile)>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let mut names = std::collections::HashSet::new();
    let mut files = Vec::new();
    for path in paths {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path)?;
        let file: CaseFile =
            serde_norway::from_str(&text).with_context(|| format!("{}", path.display()))?;
        for case in &file.cases {
            anyhow::ensure!(
                names.insert(case.name.clone()),
                "{}: the name {:?} is taken",
                path.display(),
                case.name
            );
        }
        files.push((stem, file));
    }
    Ok(files)
}

//! Which requests a piece of configuration is about: path, hosts, methods.

use std::fmt;

use backstop_http::pattern::PatternError;
use backstop_http::{Headers, HostPattern, NormalizedPath, PathPattern};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ConfigError;

/// A path, matched on its normalised form (decoded, no dot segments, no query).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PathMatch {
    /// This path.
    Exact(String),
    /// This path and everything below it.
    Prefix(String),
    /// Segment by segment: `/a/{id}/b`, `{id:int}`, `{id:uuid}`, `{rest...}` at the end.
    Template(String),
}

impl PathMatch {
    /// Compiles the pattern at `at` (`exclusions[0].path`).
    ///
    /// # Errors
    /// What is wrong with it, at the field of its kind.
    pub fn compile(&self, at: impl fmt::Display) -> Result<PathPattern, ConfigError> {
        let told = |field: &'static str| {
            move |error: PatternError| ConfigError::at(format_args!("{at}.{field}"), error)
        };
        match self {
            Self::Exact(path) => PathPattern::exact(path).map_err(told("exact")),
            Self::Prefix(path) => PathPattern::prefix(path).map_err(told("prefix")),
            Self::Template(path) => PathPattern::template(path).map_err(told("template")),
        }
    }
}

/// Requests by path, host and method; what is not given matches every request.
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {
    path: Option<PathPattern>,
    hosts: Vec<HostPattern>,
    methods: Vec<Vec<u8>>,
}

impl RequestMatch {
    /// Compiles the fields `path`, `hosts` and `methods` of the object at `at` (`exclusions[0]`).
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    // Runs once per configuration: kept out of line, so that neither the optimiser nor the hot code has to carry it.
    #[cold]
    #[inline(never)]
    pub fn compile(
        at: &dyn fmt::Display,
        path: Option<&PathMatch>,
        hosts: &[String],
        methods: &[String],
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            path: path
                .map(|path| path.compile(format_args!("{at}.path")))
                .transpose()?,
            hosts: each(&format_args!("{at}.hosts"), hosts, |host| {
                HostPattern::parse(host).map_err(|error| error.to_string())
            })?,
            methods: each(&format_args!("{at}.methods"), methods, method)?,
        })
    }

    /// Whether nothing is given, so that every request matches.
    pub const fn is_every_request(&self) -> bool {
        self.path.is_none() && self.hosts.is_empty() && self.methods.is_empty()
    }

    /// For decisions that *add* protection: matches however the path was spelled.
    pub fn covers(&self, headers: &Headers, path: &NormalizedPath<'_>) -> bool {
        self.method_and_host(headers)
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| pattern.covers(path))
    }

    /// For decisions that *take protection away*: never for a path that servers may read in different ways.
    pub fn exempts(&self, headers: &Headers, path: &NormalizedPath<'_>) -> bool {
        self.method_and_host(headers)
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| pattern.exempts(path))
    }

    fn method_and_host(&self, headers: &Headers) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|method| method == headers.method()))
            && (self.hosts.is_empty()
                || self
                    .hosts
                    .iter()
                    .any(|host| host.matches(headers.authority())))
    }
}

/// Every text of the list at `at`, compiled.
///
/// # Errors
/// For the first that does not compile, at its position.
pub fn each<T>(
    at: &dyn fmt::Display,
    texts: &[String],
    compile: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ConfigError> {
    let mut list = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        match compile(text) {
            Ok(compiled) => list.push(compiled),
            Err(message) => {
                return Err(ConfigError::at(format_args!("{at}[{position}]"), message));
            }
        }
    }
    Ok(list)
}

fn method(text: &str) -> Result<Vec<u8>, String> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    if text.is_empty() || !text.bytes().all(plain) {
        return Err(format!(
            "`{text}` is not a method; write it in upper case, as in `GET`"
        ));
    }
    Ok(text.as_bytes().to_vec())
}

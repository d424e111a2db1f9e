//! Which critical API a request is for.

use std::time::Duration;

use backstop_http::{Headers, NormalizedPath};
use backstop_policy::call::check_timeout;
use backstop_policy::{PathMatch, RequestMatch};

use crate::config::{Api, Config, ConfigError, FailureMode, OnAmbiguousPath, Requests};
use crate::spelling::with_separators_inside;

/// The most APIs of one configuration.
const MAX_APIS: usize = 256;
/// The most of a body that a check may carry.
const MAX_BODY: usize = 1 << 20;

/// A critical API, compiled, with what it does not set itself from the filter.
#[derive(Clone, Debug)]
pub struct CriticalApi {
    /// What the service knows it by.
    pub event_type: String,
    /// Whether a bot token is demanded.
    pub require_bot_token: bool,
    /// What happens to a path that servers may read in different ways.
    pub on_ambiguous_path: OnAmbiguousPath,
    /// What happens without a verdict.
    pub failure_mode: FailureMode,
    /// The status of the answer if that is `deny`.
    pub status_on_error: u32,
    /// How long a verdict may take.
    pub timeout: Duration,
    /// How much of the body the service gets.
    pub body_bytes: usize,
    /// Whether verdicts are remembered.
    pub cache: bool,
    requests: RequestMatch,
}

/// A request of a critical API.
#[derive(Clone, Copy, Debug)]
pub struct Matched<'a> {
    /// The API.
    pub api: &'a CriticalApi,
    /// Its position in the configuration.
    pub index: usize,
    /// Whether it is refused because servers may read its path in different ways.
    pub ambiguous: bool,
}

/// The critical APIs of one configuration.
#[derive(Clone, Debug)]
pub struct Apis {
    apis: Vec<CriticalApi>,
    exclude: Vec<RequestMatch>,
    /// Whether capitals count as small letters.
    fold: bool,
}

impl Apis {
    /// Compiles `apis` and `exclude`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &Config, timeout: Duration) -> Result<Self, ConfigError> {
        let fold = config.case_insensitive_paths;
        if config.apis.len() > MAX_APIS {
            return Err(ConfigError::at(
                "apis",
                format_args!("{} APIs; at most {MAX_APIS}", config.apis.len()),
            ));
        }
        let mut apis = Vec::with_capacity(config.apis.len());
        for (index, api) in config.apis.iter().enumerate() {
            apis.push(compile_api(index, api, config, timeout)?);
        }
        let mut exclude = Vec::with_capacity(config.exclude.len());
        for (index, requests) in config.exclude.iter().enumerate() {
            exclude.push(compile_exclusion(index, requests, fold)?);
        }
        Ok(Self {
            apis,
            exclude,
            fold,
        })
    }

    /// The API at a position.
    pub fn get(&self, index: usize) -> Option<&CriticalApi> {
        self.apis.get(index)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &CriticalApi> {
        self.apis.iter()
    }

    /// The first API that the request is for, however its path is spelled; `None` if there is none, or the request is
    /// excluded. `path` is the request's, normalised.
    pub fn find(&self, headers: &Headers, path: &NormalizedPath<'_>) -> Option<Matched<'_>> {
        let folded;
        let path = if self.fold {
            folded = path.to_ascii_lowercase();
            &folded
        } else {
            path
        };
        let index = self.position(headers, path)?;
        if self.exclude.iter().any(|rule| rule.exempts(headers, path)) {
            return None;
        }
        let api = self.apis.get(index)?;
        Some(Matched {
            api,
            index,
            ambiguous: path.is_ambiguous() && api.on_ambiguous_path == OnAmbiguousPath::Reject,
        })
    }

    fn position(&self, headers: &Headers, path: &NormalizedPath<'_>) -> Option<usize> {
        let by = |path: &NormalizedPath<'_>| {
            self.apis
                .iter()
                .position(|api| api.requests.covers(headers, path))
        };
        let first = by(path);
        if !path.is_ambiguous() {
            return first;
        }
        let spelled = with_separators_inside(headers.path());
        let other = spelled.as_deref().map(NormalizedPath::new);
        let second = other.and_then(|other| {
            if self.fold {
                by(&other.to_ascii_lowercase())
            } else {
                by(&other)
            }
        });
        match (first, second) {
            (Some(first), Some(second)) => Some(first.min(second)),
            (first, second) => first.or(second),
        }
    }
}

fn compile_api(
    index: usize,
    api: &Api,
    config: &Config,
    timeout: Duration,
) -> Result<CriticalApi, ConfigError> {
    let at = format!("apis[{index}]");
    if !is_event_type(&api.event_type) {
        return Err(ConfigError::at(
            format_args!("{at}.eventType"),
            format_args!(
                "`{}` is no event type; write capital letters, digits and `_`, as in `QUEUE_ENTER`",
                api.event_type
            ),
        ));
    }
    let timeout = api.timeout.map_or(timeout, |own| own.0);
    check_timeout(format_args!("{at}.timeout"), timeout)?;
    let body_bytes = api.body_bytes.unwrap_or(config.check.body_bytes).0;
    if body_bytes > MAX_BODY {
        let field = if api.body_bytes.is_some() {
            format!("{at}.bodyBytes")
        } else {
            "check.bodyBytes".to_owned()
        };
        return Err(ConfigError::at(field, "at most 1MiB of a body are sent"));
    }
    let path = folded(&api.path, config.case_insensitive_paths);
    Ok(CriticalApi {
        event_type: api.event_type.clone(),
        require_bot_token: api.require_bot_token,
        on_ambiguous_path: api.on_ambiguous_path.unwrap_or(config.on_ambiguous_path),
        failure_mode: api.failure_mode.unwrap_or(config.failure_mode),
        status_on_error: api.status_on_error.unwrap_or(config.status_on_error).0,
        timeout,
        body_bytes,
        cache: api.cache,
        requests: RequestMatch::compile(&at, Some(&path), &api.hosts, &api.methods)?,
    })
}

fn compile_exclusion(
    index: usize,
    requests: &Requests,
    fold: bool,
) -> Result<RequestMatch, ConfigError> {
    let at = format!("exclude[{index}]");
    let path = requests.path.as_ref().map(|path| folded(path, fold));
    let compiled = RequestMatch::compile(&at, path.as_ref(), &requests.hosts, &requests.methods)?;
    if compiled.is_every_request() {
        return Err(ConfigError::at(
            at,
            "excludes every request; give at least one of `path`, `hosts`, `methods`",
        ));
    }
    Ok(compiled)
}

fn folded(path: &PathMatch, fold: bool) -> PathMatch {
    if !fold {
        return path.clone();
    }
    match path {
        PathMatch::Exact(text) => PathMatch::Exact(text.to_ascii_lowercase()),
        PathMatch::Prefix(text) => PathMatch::Prefix(text.to_ascii_lowercase()),
        PathMatch::Template(text) => PathMatch::Template(text.to_ascii_lowercase()),
    }
}

fn is_event_type(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

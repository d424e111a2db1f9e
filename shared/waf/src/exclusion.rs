//! Exclusions, compiled.

use std::fmt;

use backstop_detect::{Category, CategorySet, Rule};
use backstop_http::pattern::PatternError;
use backstop_http::{Headers, HostPattern, NormalizedPath, PathPattern, Place};

use crate::config::{self, ConfigError, PathMatch};
use crate::target::TargetPattern;

/// What is not to be inspected where.
#[derive(Clone, Debug)]
pub(crate) struct Exclusion {
    path: Option<PathPattern>,
    hosts: Vec<HostPattern>,
    methods: Vec<Vec<u8>>,
    categories: CategorySet,
    rules: Vec<u32>,
    targets: Vec<TargetPattern>,
}

impl Exclusion {
    /// Compiles the exclusion at position `index`.
    // Runs once per configuration: kept out of line, so that neither the optimiser nor the hot code has to carry it.
    #[cold]
    #[inline(never)]
    pub(crate) fn compile(index: usize, config: &config::Exclusion) -> Result<Self, ConfigError> {
        let error = |field: &str, message: &dyn fmt::Display| {
            ConfigError::at(format_args!("exclusions[{index}]{field}"), message)
        };
        let path = match &config.path {
            None => None,
            Some(path) => {
                Some(path_pattern(path).map_err(|(field, message)| error(field, &message))?)
            }
        };
        let hosts = each(&config.hosts, ".hosts", &error, |host| {
            HostPattern::parse(host).map_err(|error| error.to_string())
        })?;
        let methods = each(&config.methods, ".methods", &error, method)?;
        let rules = each(&config.rules, ".rules", &error, rule_id)?;
        let targets = each(&config.targets, ".targets", &error, TargetPattern::parse)?;
        let categories = config
            .categories
            .iter()
            .fold(CategorySet::NONE, |set, key| set.with(Category::from(*key)));
        let exclusion = Self {
            path,
            hosts,
            methods,
            categories,
            rules,
            targets,
        };
        let everywhere =
            exclusion.path.is_none() && exclusion.hosts.is_empty() && exclusion.methods.is_empty();
        if everywhere && exclusion.is_total() {
            return Err(error(
                "",
                &"excludes everything; give at least one of `path`, `hosts`, `methods`, `categories`, `rules`, `targets`",
            ));
        }
        Ok(exclusion)
    }

    /// Whether the request is one that this exclusion is about.
    pub(crate) fn covers(&self, headers: &Headers, path: &NormalizedPath<'_>) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|method| method == headers.method()))
            && (self.hosts.is_empty()
                || self
                    .hosts
                    .iter()
                    .any(|host| host.matches(headers.authority())))
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| pattern.exempts(path))
    }

    /// Whether requests it covers are not inspected at all.
    pub(crate) fn is_total(&self) -> bool {
        self.targets.is_empty() && !self.is_partial()
    }

    /// Whether only some categories or rules are left out.
    pub(crate) fn is_partial(&self) -> bool {
        !self.categories.is_empty() || !self.rules.is_empty()
    }

    /// Whether values of `place` are meant.
    pub(crate) fn at(&self, place: Place<'_>) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target.matches(place))
    }

    /// Whether `rule` is left out where this exclusion applies.
    pub(crate) fn drops(&self, rule: &Rule) -> bool {
        !self.is_partial()
            || self.categories.contains(rule.category)
            || self.rules.contains(&rule.id)
    }
}

/// The field's name and what is wrong, for a path pattern that does not compile.
fn path_pattern(path: &PathMatch) -> Result<PathPattern, (&'static str, PatternError)> {
    match path {
        PathMatch::Exact(path) => PathPattern::exact(path).map_err(|error| (".path.exact", error)),
        PathMatch::Prefix(path) => {
            PathPattern::prefix(path).map_err(|error| (".path.prefix", error))
        }
        PathMatch::Template(path) => {
            PathPattern::template(path).map_err(|error| (".path.template", error))
        }
    }
}

/// Every text of a list, compiled; or the position of the first that does not.
fn each<T>(
    texts: &[String],
    field: &str,
    error: &dyn Fn(&str, &dyn fmt::Display) -> ConfigError,
    compile: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ConfigError> {
    let mut list = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        match compile(text) {
            Ok(compiled) => list.push(compiled),
            Err(message) => return Err(error(&format!("{field}[{position}]"), &message)),
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

/// The number of the rule that an operator means by name or number.
#[cold]
#[inline(never)]
pub(crate) fn rule_id(text: &str) -> Result<u32, String> {
    let id = text.parse::<u32>().ok();
    backstop_detect::rules()
        .find(|rule| rule.name == text || Some(rule.id) == id)
        .map(|rule| rule.id)
        .ok_or_else(|| format!("there is no rule `{text}`; docs/rules.md lists them"))
}

//! Exclusions, compiled.

use backstop_detect::{Category, CategorySet, Rule};
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
    pub(crate) fn compile(index: usize, config: &config::Exclusion) -> Result<Self, ConfigError> {
        let at = |field: &str, message: String| {
            Err(ConfigError::at(
                format_args!("exclusions[{index}]{field}"),
                message,
            ))
        };
        let path = match &config.path {
            None => None,
            Some(path) => {
                let (field, compiled) = match path {
                    PathMatch::Exact(path) => (".path.exact", PathPattern::exact(path)),
                    PathMatch::Prefix(path) => (".path.prefix", PathPattern::prefix(path)),
                    PathMatch::Template(path) => (".path.template", PathPattern::template(path)),
                };
                match compiled {
                    Ok(pattern) => Some(pattern),
                    Err(error) => return at(field, error.to_string()),
                }
            }
        };
        let mut hosts = Vec::new();
        for (position, host) in config.hosts.iter().enumerate() {
            match HostPattern::parse(host) {
                Ok(pattern) => hosts.push(pattern),
                Err(error) => return at(&format!(".hosts[{position}]"), error.to_string()),
            }
        }
        for (position, method) in config.methods.iter().enumerate() {
            if method.is_empty()
                || !method
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
            {
                return at(
                    &format!(".methods[{position}]"),
                    format!("`{method}` is not a method; write it in upper case, as in `GET`"),
                );
            }
        }
        let mut rules = Vec::new();
        for (position, name) in config.rules.iter().enumerate() {
            match rule_id(name) {
                Ok(id) => rules.push(id),
                Err(message) => return at(&format!(".rules[{position}]"), message),
            }
        }
        let mut targets = Vec::new();
        for (position, target) in config.targets.iter().enumerate() {
            match TargetPattern::parse(target) {
                Ok(target) => targets.push(target),
                Err(message) => return at(&format!(".targets[{position}]"), message),
            }
        }
        let everywhere = path.is_none() && hosts.is_empty() && config.methods.is_empty();
        if everywhere && targets.is_empty() && rules.is_empty() && config.categories.is_empty() {
            return at(
                "",
                "excludes everything; give at least one of `path`, `hosts`, `methods`, `categories`, `rules`, `targets`"
                    .to_owned(),
            );
        }
        Ok(Self {
            path,
            hosts,
            methods: config
                .methods
                .iter()
                .map(|method| method.as_bytes().to_vec())
                .collect(),
            categories: config
                .categories
                .iter()
                .fold(CategorySet::NONE, |set, key| set.with(Category::from(*key))),
            rules,
            targets,
        })
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

/// The number of the rule that an operator means by name or number.
pub(crate) fn rule_id(text: &str) -> Result<u32, String> {
    let id = text.parse::<u32>().ok();
    backstop_detect::rules()
        .find(|rule| rule.name == text || Some(rule.id) == id)
        .map(|rule| rule.id)
        .ok_or_else(|| format!("there is no rule `{text}`; docs/rules.md lists them"))
}

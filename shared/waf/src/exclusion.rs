//! Exclusions, compiled.

use backstop_detect::{Category, CategorySet};
use backstop_http::{Headers, NormalizedPath, Place};
use backstop_policy::RequestMatch;
use backstop_policy::request_match::each;

use crate::config::{self, ConfigError};
use crate::target::TargetPattern;

/// What is not to be inspected where.
#[derive(Clone, Debug)]
pub(crate) struct Exclusion {
    requests: RequestMatch,
    categories: CategorySet,
    rules: Vec<u32>,
    targets: Vec<TargetPattern>,
}

impl Exclusion {
    /// Compiles the exclusion at position `index`.
    // Runs once per configuration: kept out of line, so that neither the optimiser nor the hot code has to carry it.
    #[cold]
    #[inline(never)]
    pub(crate) fn compile(
        index: usize,
        config: &config::Exclusion,
        custom: &[config::CustomRule],
    ) -> Result<Self, ConfigError> {
        let at = format!("exclusions[{index}]");
        let requests =
            RequestMatch::compile(&at, config.path.as_ref(), &config.hosts, &config.methods)?;
        let rules = each(&format_args!("{at}.rules"), &config.rules, |text| {
            rule_id(text, custom)
        })?;
        let targets = each(
            &format_args!("{at}.targets"),
            &config.targets,
            TargetPattern::parse,
        )?;
        let categories = config
            .categories
            .iter()
            .fold(CategorySet::NONE, |set, key| set.with(Category::from(*key)));
        let exclusion = Self {
            requests,
            categories,
            rules,
            targets,
        };
        if exclusion.requests.is_every_request() && exclusion.is_total() {
            return Err(ConfigError::at(
                at,
                "excludes everything; give at least one of `path`, `hosts`, `methods`, `categories`, `rules`, `targets`",
            ));
        }
        Ok(exclusion)
    }

    /// Whether the request is one that this exclusion is about.
    pub(crate) fn covers(&self, headers: &Headers, path: &NormalizedPath<'_>) -> bool {
        self.requests.exempts(headers, path)
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

    /// Whether the rule of this number and category is left out where this exclusion applies.
    pub(crate) fn drops(&self, rule: u32, category: Option<Category>) -> bool {
        !self.is_partial()
            || category.is_some_and(|category| self.categories.contains(category))
            || self.rules.contains(&rule)
    }
}

/// The number of the rule that an operator means by name or number: one of Backstop's, or one of `custom`.
#[cold]
#[inline(never)]
pub(crate) fn rule_id(text: &str, custom: &[config::CustomRule]) -> Result<u32, String> {
    let id = text.parse::<u32>().ok();
    backstop_detect::rules()
        .map(|rule| (rule.name, rule.id))
        .chain(custom.iter().map(|rule| (rule.name.as_str(), rule.id.0)))
        .find(|(name, number)| *name == text || Some(*number) == id)
        .map(|(_, number)| number)
        .ok_or_else(|| format!("there is no rule `{text}`; docs/rules.md lists them"))
}

//! Rules of an operator's own, compiled: a regular expression for some values of some requests.
//!
//! regex-lite searches in time linear in pattern times value, without a way to do better: so the patterns' compiled size
//! is bounded, and so is what they read of one request.

mod run;

use std::fmt;
use std::rc::Rc;

use backstop_detect::Category;
use backstop_http::{Headers, NormalizedPath, Place};
use backstop_policy::RequestMatch;
use backstop_policy::request_match::each;
use regex_lite::{Regex, RegexBuilder};

use crate::config::{
    self, Config, ConfigError, CustomAction, CustomRuleLimit, MAX_CUSTOM_RULES, OnLimit,
};
use crate::target::TargetPattern;

pub(crate) use run::{CustomRun, Match};

/// The longest name, in bytes.
const MAX_NAME: usize = 64;
/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;
/// The longest description, in bytes: each decision may log it.
const MAX_DESCRIPTION: usize = 256;
/// The most targets of one rule: each value is compared with each.
const MAX_TARGETS: usize = 32;
/// Weights that a pattern can have; times [`STEP`], the compiled size up to which it has it.
const WEIGHTS: [usize; 4] = [1, 2, 4, 8];
/// Compiled size, in bytes, that a weight of one stands for.
const STEP: usize = 1 << 10;
/// How deep a pattern's groups may nest: compiling recurses, and a filter's stack is small.
const MAX_NESTING: u32 = 32;

/// A custom rule.
#[derive(Debug)]
pub struct CustomRule {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: Option<Category>,
    pub(crate) score: u32,
    action: CustomAction,
    requests: RequestMatch,
    targets: Vec<TargetPattern>,
    regex: Regex,
    /// How often each byte that it reads counts towards the limit.
    weight: usize,
    /// Whether the pattern may ask for the end of the value.
    to_end: bool,
}

impl CustomRule {
    /// Whether a match refuses the request whatever the score.
    pub(crate) fn refuses(&self) -> bool {
        self.action == CustomAction::Block
    }

    /// Whether a match counts towards the threshold, where `in_category` says whether its category's mode blocks.
    pub(crate) fn blocks(&self, in_category: impl FnOnce(Option<Category>) -> bool) -> bool {
        match self.action {
            CustomAction::Block => true,
            CustomAction::Detect => false,
            CustomAction::Score => in_category(self.category),
        }
    }

    fn at(&self, place: Place<'_>) -> bool {
        self.targets.iter().any(|target| target.matches(place))
    }

    fn in_bodies(&self) -> bool {
        self.targets.iter().any(TargetPattern::is_in_body)
    }
}

/// Every custom rule of a configuration.
#[derive(Debug)]
pub(crate) struct CustomRules {
    rules: Vec<Rc<CustomRule>>,
    /// Weighted bytes that the rules may read of one request.
    limit: usize,
    pub(crate) on_limit: OnLimit,
}

impl CustomRules {
    /// Compiles the rules whose category is `on` (`None`: without one).
    #[cold]
    #[inline(never)]
    pub(crate) fn compile(
        config: &Config,
        on: impl Fn(Option<Category>) -> bool,
    ) -> Result<Self, ConfigError> {
        let list = &config.custom_rules;
        if list.len() > MAX_CUSTOM_RULES {
            return Err(ConfigError::at(
                "customRules",
                format_args!(
                    "{} rules are more than the {MAX_CUSTOM_RULES} that are allowed",
                    list.len()
                ),
            ));
        }
        let CustomRuleLimit { bytes, on_limit } = config.custom_rule_limit;
        if bytes.0 == 0 {
            return Err(ConfigError::at(
                "customRuleLimit.bytes",
                "0 lets no custom rule read anything; leave out `customRules` for that",
            ));
        }
        let mut rules = Vec::with_capacity(list.len());
        for (index, rule) in list.iter().enumerate() {
            let at = format!("customRules[{index}]");
            let before = list.get(..index).unwrap_or_default();
            if before.iter().any(|other| other.id == rule.id) {
                let message = format_args!("another custom rule has the number {}", rule.id.0);
                return Err(ConfigError::at(format_args!("{at}.id"), message));
            }
            if before.iter().any(|other| other.name == rule.name) {
                let message = format_args!("another custom rule is called `{}`", rule.name);
                return Err(ConfigError::at(format_args!("{at}.name"), message));
            }
            let compiled = compile(&at, rule)?;
            if on(compiled.category) {
                rules.push(Rc::new(compiled));
            }
        }
        Ok(Self {
            rules,
            limit: bytes.0,
            on_limit,
        })
    }

    /// What the rules look at in this request; `None` if it is none of theirs.
    pub(crate) fn run(&self, headers: &Headers) -> Option<Box<CustomRun>> {
        if self.rules.is_empty() {
            return None;
        }
        let path = NormalizedPath::new(headers.path());
        let active: Vec<Rc<CustomRule>> = self
            .rules
            .iter()
            .filter(|rule| rule.requests.covers(headers, &path))
            .map(Rc::clone)
            .collect();
        (!active.is_empty()).then(|| Box::new(CustomRun::new(active, self.limit)))
    }

    /// Whether what `in_category` says blocks, and these rules, can refuse a request for its body.
    pub(crate) fn refuse_bodies(&self, in_category: impl Fn(Option<Category>) -> bool) -> bool {
        self.rules.iter().any(|rule| {
            rule.in_bodies() && (self.on_limit == OnLimit::Reject || rule.blocks(&in_category))
        })
    }
}

#[cold]
#[inline(never)]
fn compile(at: &str, rule: &config::CustomRule) -> Result<CustomRule, ConfigError> {
    let error = |field: &str, message: &dyn fmt::Display| {
        Err(ConfigError::at(format_args!("{at}.{field}"), message))
    };
    if let Err(message) = check_name(&rule.name) {
        return error("name", &message);
    }
    if rule.description.len() > MAX_DESCRIPTION {
        return error(
            "description",
            &format_args!("longer than the {MAX_DESCRIPTION} bytes that are allowed"),
        );
    }
    if rule.targets.is_empty() {
        return error(
            "targets",
            &"names no place; write at least one, as in `query:id`",
        );
    }
    if rule.targets.len() > MAX_TARGETS {
        return error(
            "targets",
            &format_args!(
                "{} targets are more than the {MAX_TARGETS} that are allowed",
                rule.targets.len()
            ),
        );
    }
    let targets = each(
        &format_args!("{at}.targets"),
        &rule.targets,
        TargetPattern::parse,
    )?;
    let (regex, weight) = match pattern(&rule.pattern) {
        Ok(compiled) => compiled,
        Err(message) => return error("pattern", &message),
    };
    Ok(CustomRule {
        id: rule.id.0,
        name: rule.name.clone(),
        description: rule.description.clone(),
        category: rule.category.map(Category::from),
        score: rule.score.0,
        action: rule.action,
        requests: RequestMatch::compile(&at, rule.path.as_ref(), &rule.hosts, &rule.methods)?,
        targets,
        regex,
        weight,
        to_end: asks_for_end(&rule.pattern),
    })
}

/// Whether `$` or `\z` stands in a pattern outside of brackets. Where that is not sure, yes: it only matters for a match
/// that ends where a value was cut off.
fn asks_for_end(pattern: &str) -> bool {
    let mut in_brackets = false;
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next() == Some(b'z') => return true,
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b'$' if !in_brackets => return true,
            _ => {}
        }
    }
    false
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
        return Err(format!(
            "`{}` is not a name; write 1 to {MAX_NAME} lower-case letters, digits and `-`",
            name.escape_debug()
        ));
    }
    // A number would be taken for another rule's wherever rules go by name or number.
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{name}` is a number; begin it with a letter"));
    }
    match backstop_detect::rule(name) {
        Some(_) => Err(format!("`{name}` is the name of a rule of Backstop's own")),
        None => Ok(()),
    }
}

/// The pattern, compiled, and its weight.
fn pattern(text: &str) -> Result<(Regex, usize), String> {
    if text.is_empty() {
        return Err("an empty pattern matches every value".to_owned());
    }
    if text.len() > MAX_PATTERN {
        return Err(format!(
            "{} bytes are more than the {MAX_PATTERN} that are allowed",
            text.len()
        ));
    }
    let mut refused = String::new();
    for weight in WEIGHTS {
        match RegexBuilder::new(text)
            .size_limit(weight * STEP)
            .nest_limit(MAX_NESTING)
            .build()
        {
            Ok(regex) if regex.is_match("") => {
                return Err(format!(
                    "`{}` matches the empty text, so every value",
                    text.escape_debug()
                ));
            }
            Ok(regex) => return Ok((regex, weight)),
            Err(error) => refused = error.to_string(),
        }
    }
    Err(format!(
        "`{}`: {} (regex-lite; at most {} KiB compiled, groups {MAX_NESTING} deep)",
        text.escape_debug(),
        refused.trim().replace('\n', " "),
        WEIGHTS.iter().max().unwrap_or(&1)
    ))
}

#[cfg(test)]
mod tests;

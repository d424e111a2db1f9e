//! What a configuration would have to leave out to let a request pass, found by asking the filter itself.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::replay::{Decision, Finding, Verdict};
use crate::traffic::Case;
use backstop_http::NormalizedPath;

/// How many rules are left out one after another before the search is given up.
const MAX_ROUNDS: usize = 24;

/// The narrowest exclusion that lets a request pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// Why: left to the operator.
    pub reason: String,
    /// The request's path, normalised; `None` where an exclusion by path does not apply to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<ExactPath>,
    /// The rules.
    pub rules: Vec<String>,
    /// The places that they matched in.
    pub targets: Vec<String>,
}

/// A path and nothing below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExactPath {
    /// The path.
    pub exact: String,
}

/// Leaves out rule after rule, in the place where it matched, until `judge` lets the request pass. `judge` gets the
/// configuration with the exclusion in it. `None` where no exclusion can help: the request is refused for another
/// reason than a rule, or passes as it is.
///
/// # Errors
/// What `judge` says.
pub fn find<E>(
    case: &Case,
    config: &[u8],
    verdict: &Verdict,
    mut judge: impl FnMut(Vec<u8>) -> Result<Verdict, E>,
) -> Result<Option<Exclusion>, E> {
    let mut exclusion = Exclusion {
        path: exact_path(&case.path),
        ..Exclusion::default()
    };
    exclusion.reason = "why this is no attack".to_string();
    let mut decision = verdict.decision.clone();
    for _ in 0..MAX_ROUNDS {
        let (Decision::Blocked(finding) | Decision::WouldBlock(finding)) = &decision else {
            return Ok(None);
        };
        if !exclusion.add(finding) {
            return Ok(None);
        }
        let Some(config) = with_exclusion(config, &exclusion) else {
            return Ok(None);
        };
        decision = judge(config)?.decision;
        if matches!(decision, Decision::Passed(_)) {
            return Ok(Some(exclusion));
        }
    }
    Ok(None)
}

impl Exclusion {
    /// Adds a finding's rule and place; answers whether that is anything new.
    fn add(&mut self, finding: &Finding) -> bool {
        if finding.rule_id == 0 || finding.target.is_empty() {
            return false;
        }
        let rule = add(&mut self.rules, &finding.rule);
        let target = add(&mut self.targets, &finding.target);
        rule || target
    }

    /// As it stands in a configuration file.
    pub fn to_yaml(&self) -> String {
        let list = json!({ "exclusions": [self] });
        serde_norway::to_string(&list).unwrap_or_default()
    }
}

fn add(list: &mut Vec<String>, item: &str) -> bool {
    let new = !list.iter().any(|have| have == item);
    if new {
        list.push(item.to_string());
    }
    new
}

fn exact_path(wire: &[u8]) -> Option<ExactPath> {
    let path = NormalizedPath::new(wire);
    if path.is_ambiguous() {
        return None;
    }
    Some(ExactPath {
        exact: String::from_utf8(path.as_bytes().to_vec()).ok()?,
    })
}

/// The configuration with one exclusion more; `None` if it is no JSON object.
fn with_exclusion(config: &[u8], exclusion: &Exclusion) -> Option<Vec<u8>> {
    let mut value = if config.trim_ascii().is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(config).ok()?
    };
    let list = value
        .as_object_mut()?
        .entry("exclusions")
        .or_insert_with(|| json!([]));
    list.as_array_mut()?
        .push(serde_json::to_value(exclusion).ok()?);
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;
    use crate::explain::parse_curl;

    fn finding(rule: &str, target: &str) -> Finding {
        Finding {
            rule: rule.to_string(),
            rule_id: 1,
            target: target.to_string(),
            ..Finding::default()
        }
    }

    fn verdict(decision: Decision) -> Verdict {
        Verdict {
            decision,
            status: 403,
            time: Duration::ZERO,
            fuel: 0,
        }
    }

    #[test]
    fn rules_are_left_out_until_the_request_passes() {
        let case = parse_curl(&["curl 't.example/b?x=1'".to_string()]).unwrap();
        let first = verdict(Decision::Blocked(finding("one", "query:x")));
        let mut configs = Vec::new();
        let found = find(&case, b"{\"mode\":\"block\"}", &first, |config| {
            configs.push(String::from_utf8(config).unwrap());
            Ok::<_, Infallible>(verdict(match configs.len() {
                1 => Decision::Blocked(finding("two", "query:x")),
                _ => Decision::Passed(None),
            }))
        });
        let exclusion = found.unwrap().unwrap();
        assert_eq!(exclusion.rules, ["one", "two"]);
        assert_eq!(exclusion.targets, ["query:x"]);
        assert_eq!(
            exclusion.path,
            Some(ExactPath {
                exact: "/b".to_string()
            })
        );
        assert_eq!(
            configs[0],
            r#"{"exclusions":[{"path":{"exact":"/b"},"reason":"why this is no attack","rules":["one"],"targets":["query:x"]}],"mode":"block"}"#
        );
        assert!(
            exclusion.to_yaml().starts_with("exclusions:\n- "),
            "{}",
            exclusion.to_yaml()
        );
    }

    #[test]
    fn there_is_not_always_one() {
        let case = parse_curl(&["curl t.example".to_string()]).unwrap();
        let judge = |_| Ok::<_, Infallible>(verdict(Decision::Blocked(finding("one", "query:x"))));
        let refused = verdict(Decision::Blocked(Finding {
            rule: "body-too-large".to_string(),
            ..Finding::default()
        }));
        assert_eq!(find(&case, b"", &refused, judge), Ok(None));
        let stubborn = verdict(Decision::Blocked(finding("one", "query:x")));
        assert_eq!(find(&case, b"", &stubborn, judge), Ok(None));
        assert_eq!(
            find(&case, b"", &verdict(Decision::Passed(None)), judge),
            Ok(None)
        );
    }
}

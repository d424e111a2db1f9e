//! An explanation for machines.

use serde_json::{Value, json};

use super::Failure;
use super::explain::Explanation;
use crate::explain::{Match, Trace};

/// One JSON object. Bytes that are not UTF-8 are replaced.
pub(super) fn render(explanation: &Explanation) -> Result<String, Failure> {
    let verdict: Value = explanation
        .verdict
        .json_line(&explanation.case.id)
        .and_then(|line| serde_json::from_str(&line))
        .map_err(Failure::new)?;
    let value = json!({
        "request": {
            "method": text(&explanation.case.method),
            "authority": text(&explanation.case.authority),
            "path": text(&explanation.case.path),
        },
        "module": explanation.module,
        "config": explanation.config,
        "body": explanation.trace.body_note,
        "values": values(&explanation.trace),
        "verdict": verdict,
        "finding": explanation.verdict.decision.finding(),
        "exclusion": explanation.exclusion,
    });
    serde_json::to_string_pretty(&value)
        .map(|text| text + "\n")
        .map_err(Failure::new)
}

fn values(trace: &Trace) -> Vec<Value> {
    let forms = |value: &crate::explain::Value| -> Vec<Value> {
        let forms = value.forms.iter();
        forms.map(|form| json!({ "decoding": form.decoding.map(|step| step.word()), "value": text(&form.bytes) })).collect()
    };
    let values = trace.values.iter();
    values
        .map(|value| {
            let findings: Vec<Value> = value.matches.iter().map(finding).collect();
            json!({ "target": value.target, "forms": forms(value), "findings": findings })
        })
        .collect()
}

fn finding(found: &Match) -> Value {
    json!({
        "rule": found.rule.name,
        "rule_id": found.rule.id,
        "category": found.rule.category.id(),
        "severity": found.rule.severity.word(),
        "score": found.rule.severity.score(),
        "description": found.rule.description,
        "example": found.rule.example,
        "lookalike": found.rule.lookalike,
        "reference": found.rule.reference,
        "decodings": found.chain.to_string(),
        "matched": text(&found.matched),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! A replay for machines.

use serde_json::{Value, json};

use super::replay::Report;
use super::{Failure, Metering};

/// One JSON object. Times are in microseconds, `blocked` and `would_block` apart.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let summary = &report.summary;
    let all = summary.labelled();
    let by_rule: Vec<Value> = summary
        .by_rule
        .iter()
        .map(|((category, rule), requests)| json!({ "category": category, "rule": rule, "requests": requests }))
        .collect();
    let broken: Vec<Value> = summary
        .broken
        .iter()
        .map(|broken| json!({ "file": *broken.origin.file, "line": broken.origin.line, "reason": broken.reason }))
        .collect();
    let false_positives: Vec<Value> = summary
        .false_positives
        .iter()
        .map(|(id, rule)| json!({ "id": id, "rule": rule }))
        .collect();
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "module": report.module,
        "config": report.config,
        "files": report.files,
        "requests": summary.requests,
        "passed": summary.passed,
        "blocked": summary.blocked,
        "would_block": summary.would_block,
        "invalid": summary.invalid,
        "failed": summary.failed,
        "first_failure": summary.first_failure,
        "skipped": summary.skipped,
        "broken": { "count": summary.broken_count, "records": broken },
        "by_rule": by_rule,
        "labels": {
            "attacks": all.attacks,
            "caught": all.caught,
            "benign": all.benign,
            "false_positives": all.false_positives,
            "categories": summary.categories,
            "sources": summary.sources,
            "first_missed": summary.missed,
            "first_false_positives": false_positives,
        },
        "cost": {
            "time_us": summary.cost.time_us(),
            "fuel": summary.cost.fuel(),
            "fuel_counted": report.metering == Metering::Fuel,
            "slowest": summary.cost.slowest(),
        },
        "seconds": report.took.as_secs_f64(),
        "jobs": report.jobs,
    });
    serde_json::to_string_pretty(&value)
        .map(|text| text + "\n")
        .map_err(Failure::new)
}

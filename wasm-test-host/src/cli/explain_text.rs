//! An explanation for people.

use std::fmt::Write as _;

use super::explain::Explanation;
use super::paint::Paint;
use super::table::{ellipsis, width};
use crate::explain::{Match, Value};
use crate::replay::{Decision, Finding};

/// Where a value's text begins.
const COLUMN: usize = 22;

/// The request, its values, the findings, the verdict, the exclusion.
pub(super) fn render(explanation: &Explanation) -> String {
    let paint = Paint::of_stdout();
    let mut out = String::new();
    let width = width();
    let case = &explanation.case;
    let _ = writeln!(
        out,
        "{}\n",
        paint.bold(&ellipsis(
            &format!(
                "{} {}{}",
                shown(&case.method),
                shown(&case.authority),
                shown(&case.path)
            ),
            width
        ))
    );
    let mut plain = 0;
    for value in &explanation.trace.values {
        if explanation.all || value.forms.len() > 1 || !value.matches.is_empty() {
            describe(&mut out, value, width, paint);
        } else {
            plain += 1;
        }
    }
    if let Some(note) = &explanation.trace.body_note {
        let _ = writeln!(out, "  {:<COLUMN$}{note}", "body");
    }
    if plain > 0 {
        let _ = writeln!(
            out,
            "  {plain} more value{}: nothing found, nothing to decode (--all shows them)",
            if plain == 1 { "" } else { "s" }
        );
    }
    findings(&mut out, explanation, width, paint);
    verdict(&mut out, explanation, paint);
    exclusion(&mut out, explanation, paint);
    out
}

fn describe(out: &mut String, value: &Value, width: usize, paint: Paint) {
    let room = width.saturating_sub(COLUMN + 3);
    for (index, form) in value.forms.iter().enumerate() {
        let name = match form.decoding {
            None => value.target.clone(),
            Some(step) => format!("  {}", step.word()),
        };
        let text = ellipsis(&shown(&form.bytes), room);
        let name = ellipsis(&name, COLUMN - 1);
        let padded = format!("{name:<COLUMN$}");
        let padded = if index == 0 {
            padded
        } else {
            paint.dim(&padded)
        };
        let _ = writeln!(out, "  {padded}{text}");
    }
    for found in &value.matches {
        let line = format!("^ {} {}", found.rule.category.id(), found.rule.name);
        let _ = writeln!(out, "  {:COLUMN$}{}", "", paint.red(&line));
    }
}

fn findings(out: &mut String, explanation: &Explanation, width: usize, paint: Paint) {
    let all = explanation
        .trace
        .values
        .iter()
        .flat_map(|value| value.matches.iter().map(move |found| (value, found)));
    let mut seen: Vec<u32> = Vec::new();
    for (value, found) in all {
        if seen.contains(&found.rule.id) {
            continue;
        }
        seen.push(found.rule.id);
        if seen.len() == 1 {
            let _ = writeln!(out, "\n{}", paint.bold("Findings"));
        }
        finding(out, value, found, width, paint);
    }
}

fn finding(out: &mut String, value: &Value, found: &Match, width: usize, paint: Paint) {
    let rule = found.rule;
    let severity = format!("{} ({})", rule.severity.word(), rule.severity.score());
    let head = format!("{} {} #{}", rule.category.id(), rule.name, rule.id);
    let _ = writeln!(out, "\n  {}, {severity}", paint.red(&head));
    let chain = found.chain.to_string();
    let place = if chain.is_empty() {
        format!("{}, as it came", value.target)
    } else {
        format!("{}, after {}", value.target, chain.replace('>', ", "))
    };
    for (name, text) in [
        ("where", place),
        ("matched", shown(&found.matched)),
        ("finds", rule.description.to_string()),
        ("such as", shown(rule.example.as_bytes())),
        ("but not", shown(rule.lookalike.as_bytes())),
        ("see", rule.reference.to_string()),
    ] {
        field(out, name, &text, width);
    }
}

fn field(out: &mut String, name: &str, text: &str, width: usize) {
    let room = width.saturating_sub(13).max(20);
    let mut name = name;
    let mut line = String::new();
    let mut put = |line: &mut String, name: &mut &str| {
        let _ = writeln!(out, "    {name:<9}{line}");
        *name = "";
        line.clear();
    };
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            put(&mut line, &mut name);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    put(&mut line, &mut name);
}

fn verdict(out: &mut String, explanation: &Explanation, paint: Paint) {
    let verdict = &explanation.verdict;
    let by = |finding: &Finding| {
        let place = if finding.target.is_empty() {
            String::new()
        } else {
            format!(" in {}", finding.target)
        };
        let score = if finding.score > 0 {
            format!(", score {}", finding.score)
        } else {
            String::new()
        };
        format!("{} {}{place}{score}", finding.category, finding.rule)
    };
    let text = match &verdict.decision {
        Decision::Passed(None) => paint.green("passes: nothing was found"),
        Decision::Passed(Some(finding)) => paint.green(&format!(
            "passes: {} is too little to refuse it",
            by(finding)
        )),
        Decision::Blocked(finding) => {
            paint.red(&format!("blocked with {}: {}", verdict.status, by(finding)))
        }
        Decision::WouldBlock(finding) => paint.yellow(&format!(
            "passes in mode detect; would be blocked: {}",
            by(finding)
        )),
        Decision::Invalid(reason) => paint.yellow(&format!("never reaches the filter: {reason}")),
        Decision::Failed(reason) => paint.red(&format!("the filter failed: {reason}")),
    };
    let config = match &explanation.config {
        Some(path) => path.display().to_string(),
        None => "its defaults".to_string(),
    };
    let _ = writeln!(out, "\n{}", paint.bold("Verdict"));
    let _ = writeln!(out, "\n  {text}");
    let module = super::module_file::nearer(&explanation.module);
    let _ = writeln!(
        out,
        "  {}",
        paint.dim(&format!(
            "from {} with {config}; {} fuel",
            module.display(),
            super::table::thousands(verdict.fuel)
        ))
    );
    if explanation.config.is_some()
        && matches!(verdict.decision, Decision::Passed(None))
        && explanation
            .trace
            .values
            .iter()
            .any(|value| !value.matches.is_empty())
    {
        let _ = writeln!(
            out,
            "  What is listed above is left out by the configuration: an exclusion, a disabled rule, a trusted client."
        );
    }
}

fn exclusion(out: &mut String, explanation: &Explanation, paint: Paint) {
    let Some(exclusion) = &explanation.exclusion else {
        return;
    };
    let _ = writeln!(
        out,
        "\n{}\n",
        paint.bold("To let it pass (tried: with this exclusion it does)")
    );
    for line in exclusion.to_yaml().lines() {
        let _ = writeln!(out, "  {line}");
    }
    if exclusion.path.is_none() {
        let _ = writeln!(
            out,
            "\n  Servers may read this path in different ways, so no exclusion by path applies to it: this one is for every path."
        );
    }
}

/// Bytes for a terminal: UTF-8 as it is, everything else and control characters escaped.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_do_not_reach_the_terminal_raw() {
        assert_eq!(shown("한\x1b[31m\r\n".as_bytes()), "한\\u{1b}[31m\\r\\n");
        assert_eq!(shown(b"a\xff\0"), "a\\xff\\u{0}");
    }

    #[test]
    fn long_texts_are_wrapped_under_their_name() {
        let mut out = String::new();
        field(&mut out, "finds", "one two three four five six", 33);
        assert_eq!(
            out,
            "    finds    one two three four\n             five six\n"
        );
    }
}

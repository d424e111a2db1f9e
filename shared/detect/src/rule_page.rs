//! `docs/rules.md`: every rule with its example and its look-alike, from the rules themselves.

use std::fmt::Write as _;

use crate::detectors::bot::{self, anchors::MARKS};
use crate::{Category, Rule, Severity, exhibit, rules_of};

/// What stands above the tables.
const HEAD: &str = "\
# Rules

Made from the code, and tested to be current: do not edit; run `UPDATE_DOCS=1 cargo test -p backstop-detect --test rule_page`.
`backstop rules --markdown` prints it, `backstop rules --json` the same as data.

A rule is switched off by its name or number: everywhere (`rules.disabled`), or for some requests and places (`exclusions`).
";

/// What the columns mean.
const COLUMNS: &str = "
**Level** is the sensitivity from which on a rule is active, as CRS has paranoia levels: 1, the default, is for every site; 2
also reports code-like text; 3 is for routes that take plain identifiers only.

**Example** and **not**: a value that the rule finds, and a look-alike that no rule finds at that level, as they are when they are
decoded; both tested. Control characters and backslashes are written `\\r`, `\\n`, `\\t`, `\\0`, `\\\\`. Behind *in* stands the target
that they are in, where the place matters; otherwise they are any text, such as a JSON string or a form field.

Rules of your own (`customRules`) have numbers from 100000 on.
";

/// The page of `categories`.
pub fn markdown(categories: &[Category]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("\n**Severity** is CRS's, with its score: ");
    let severities = [
        Severity::Critical,
        Severity::Error,
        Severity::Warning,
        Severity::Notice,
    ];
    for severity in severities {
        let _ = write!(out, "{} {}, ", severity.word(), severity.score());
    }
    let _ = writeln!(
        out,
        "each rule once per request. A request\nwhose score reaches `scoreThreshold` ({} by default) is refused.",
        Severity::Critical.score()
    );
    out.push_str(COLUMNS);
    for category in categories {
        section(&mut out, *category);
    }
    out
}

fn section(out: &mut String, category: Category) {
    let _ = write!(
        out,
        "\n## {} (`{}`)\n\n\
         | ID | Rule | Severity | Level | Finds | Example | Not | See |\n\
         |---|---|---|---|---|---|---|---|\n",
        category.id(),
        category.key()
    );
    for rule in rules_of(category) {
        row(out, rule);
    }
    if category == Category::BotScanner {
        marks(out);
    }
}

fn row(out: &mut String, rule: &Rule) {
    let place = exhibit::of(rule)
        .filter(|(example, _)| !example.is_anywhere() && *rule != bot::rules::HEADER)
        .map(|(example, _)| format!(" in {}", code(&example.place.to_string())))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "| {} | `{}` | {} {} | {} | {} | {}{place} | {} | {} |",
        rule.id,
        rule.name,
        rule.severity.word(),
        rule.severity.score(),
        rule.level as u8,
        plain(rule.description),
        code(rule.example),
        code(rule.lookalike),
        plain(rule.reference)
    );
}

/// The table behind BOT_SCANNER's rules.
fn marks(out: &mut String) {
    out.push_str(
        "\n### Marks of BOT_SCANNER\n\n\
         Words in a user agent, in a path (`bot-probe-path`) or in any value (`bot-callback-host`), and names of header fields;\n\
         without regard to case.\n\n\
         | Mark | Rule | Known from |\n|---|---|---|\n",
    );
    let marks = MARKS
        .iter()
        .map(|(mark, group, source)| (*mark, bot::rules::of(*group), *source));
    let headers = bot::HEADERS
        .iter()
        .map(|(name, source)| (*name, &bot::rules::HEADER, *source));
    for (mark, rule, source) in marks.chain(headers) {
        let mark = code(&String::from_utf8_lossy(mark));
        let _ = writeln!(out, "| {mark} | `{}` | {} |", rule.name, plain(source));
    }
}

fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// Inline code that survives pipes, back quotes and control characters of an example.
fn code(text: &str) -> String {
    let text = text
        .escape_debug()
        .to_string()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
        .replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_survive_markdown() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`id`\r\n'"), "`` `id`\\r\\n' ``");
        assert_eq!(plain("<a|b"), "&lt;a\\|b");
    }
}

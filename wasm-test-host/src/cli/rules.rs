//! `backstop rules`: what the filter looks for.

use std::fmt::Write as _;

use backstop_detect::{Category, Rule, rule_page, rules_of};
use clap::Args;
use comfy_table::ColumnConstraint;
use serde::Serialize;

use super::paint::Paint;
use super::{Ending, Failure, print, table};

/// List the rules.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// One JSON object with all there is to know about each rule.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// The page docs/rules.md: a Markdown table per category.
    #[arg(long)]
    markdown: bool,
    /// Only this category: its id or its key in configuration.
    #[arg(long)]
    category: Option<String>,
}

#[derive(Serialize)]
struct RuleJson {
    id: u32,
    name: &'static str,
    category: &'static str,
    severity: &'static str,
    score: u32,
    sensitivity: u8,
    description: &'static str,
    example: &'static str,
    lookalike: &'static str,
    reference: &'static str,
}

impl From<&Rule> for RuleJson {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            category: rule.category.id(),
            severity: rule.severity.word(),
            score: rule.severity.score(),
            sensitivity: rule.level as u8,
            description: rule.description,
            example: rule.example,
            lookalike: rule.lookalike,
            reference: rule.reference,
        }
    }
}

pub(super) fn run(args: &RulesArgs) -> Result<Ending, Failure> {
    let categories = categories(args.category.as_deref())?;
    let rules = || categories.iter().flat_map(|category| rules_of(*category));
    if args.json {
        let all: Vec<RuleJson> = rules().map(RuleJson::from).collect();
        let text = serde_json::to_string_pretty(&serde_json::json!({ "rules": all }))
            .map_err(Failure::new)?;
        return print(&format!("{text}\n"));
    }
    if args.markdown {
        return print(&rule_page::markdown(&categories));
    }
    print(&tables(&categories))
}

fn tables(categories: &[Category]) -> String {
    let paint = Paint::of_stdout();
    let mut out = String::new();
    for category in categories {
        let headings = ["ID", "Rule", "Severity", "Level", "Finds", "Example", "Not"];
        let mut list = table::new(&headings, &[0]);
        for rule in rules_of(*category) {
            list.add_row([
                rule.id.to_string(),
                rule.name.to_string(),
                rule.severity.word().to_string(),
                (rule.level as u8).to_string(),
                rule.description.to_string(),
                rule.example.escape_debug().to_string(),
                rule.lookalike.escape_debug().to_string(),
            ]);
        }
        for column in list.column_iter_mut().take(4) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let heading = paint.bold(&format!("{} ({})", category.id(), category.key()));
        let _ = writeln!(out, "{heading}\n\n{}\n", list.trim_fmt());
    }
    out
}

fn categories(wanted: Option<&str>) -> Result<Vec<Category>, Failure> {
    let Some(wanted) = wanted else {
        return Ok(Category::ALL.to_vec());
    };
    let known = Category::ALL
        .into_iter()
        .find(|category| category.id() == wanted || category.key() == wanted);
    known.map(|category| vec![category]).ok_or_else(|| {
        let ids: Vec<&str> = Category::ALL.iter().map(|category| category.id()).collect();
        Failure::new(format_args!(
            "unknown category `{wanted}`, expected one of {}",
            ids.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_goes_by_id_or_key() {
        assert_eq!(categories(Some("XSS")).unwrap(), [Category::Xss]);
        assert_eq!(
            categories(Some("sqlInjection")).unwrap(),
            [Category::SqlInjection]
        );
        assert!(
            categories(Some("sql"))
                .unwrap_err()
                .to_string()
                .contains("SQL_INJECTION, XSS")
        );
    }
}

//! What a decision log says about a row.

use backstop_http::{Kind, Place};
use serde_json::Value;

use crate::Row;

/// The rules in a line of the decision log, as `rule@target`, the gravest first.
///
/// # Panics
/// When the line is none.
pub fn rules_in(line: &str) -> Vec<String> {
    let line: Value = serde_json::from_str(line).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lead = format!("{}@{}", text(&line["rule"]), text(&line["target"]));
    let also = line["also"].as_array().into_iter().flatten();
    std::iter::once(lead).chain(also.map(text)).collect()
}

/// Whether the rules that were found (`rule@target`) are what `row` expects, in its place.
pub fn is_right(row: &Row, found: &[String]) -> bool {
    let Some(rule) = &row.expect else {
        return found.is_empty();
    };
    let within = |place: Place<'_>| {
        let wanted = format!("{rule}@{place}");
        // A name stands for itself: its place is called like it, in the wire's spelling.
        let named = format!("{wanted}:");
        found
            .iter()
            .any(|found| *found == wanted || place.name.is_empty() && found.starts_with(&named))
    };
    // A rule counts once per request, and an XML document is read as a whole before its texts are.
    let whole = matches!(row.kind, Kind::XmlText | Kind::XmlAttribute)
        .then_some(Place::new(Kind::XmlDocument, b""));
    within(row.place()) || whole.is_some_and(within)
}

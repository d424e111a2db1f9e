//! How tables look.

use std::io::{IsTerminal, stdout};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle,
};

/// Width of tables where stdout is no terminal.
const PLAIN_WIDTH: u16 = 100;

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// An empty table with bold headers; the columns in `right` are figures.
pub(super) fn new(headers: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !stdout().is_terminal() {
        table.set_width(PLAIN_WIDTH);
    }
    if !headers.is_empty() {
        table.set_header(
            headers
                .iter()
                .map(|header| Cell::new(header).add_attribute(Attribute::Bold)),
        );
    }
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// How wide a line may be: the terminal's columns, or 100.
pub(super) fn width() -> usize {
    let table = new(&[], &[]);
    usize::from(table.width().unwrap_or(PLAIN_WIDTH))
}

/// `items` with commas between them, in lines of at most `width` characters, each with `indent` before it.
pub(super) fn wrapped(items: impl Iterator<Item = String>, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    let mut items = items.peekable();
    while let Some(mut item) = items.next() {
        if items.peek().is_some() {
            item.push(',');
        }
        let longer = indent.chars().count() + line.chars().count() + 1 + item.chars().count();
        if !line.is_empty() && longer > width {
            out.push_str(&format!("{indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&item);
    }
    out.push_str(&format!("{indent}{line}\n"));
    out
}

/// A count that should be 0: green if it is, red if not.
pub(super) fn alarm(count: u64) -> Cell {
    let color = if count == 0 { Color::Green } else { Color::Red };
    Cell::new(thousands(count)).fg(color)
}

/// `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `12.3 %`, or `-` of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".to_string()
    } else {
        format!("{:.1} %", 100.0 * part as f64 / whole as f64)
    }
}

/// `text` cut to `width` characters, with an ellipsis if it is longer.
pub(super) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "-");
        assert_eq!(
            wrapped(["a", "b", "c"].map(String::from).into_iter(), 7, "  "),
            "  a, b,\n  c\n"
        );
        assert_eq!(ellipsis("한국시리즈", 4), "한국시…");
    }
}

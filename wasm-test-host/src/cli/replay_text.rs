//! A replay for people.

use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, Color, Row};

use super::Metering;
use super::replay::Report;
use super::table::{self, alarm, ellipsis, percent, thousands};
use crate::replay::Summary;

/// The tables that a replay prints.
pub(super) fn render(report: &Report) -> String {
    let summary = &report.summary;
    let mut out = String::new();
    totals(&mut out, summary);
    by_rule(&mut out, summary);
    labels(&mut out, summary);
    cost(&mut out, report);
    out
}

fn totals(out: &mut String, summary: &Summary) {
    let mut rows: Vec<(&str, u64, Option<Color>)> = vec![
        ("Requests", summary.requests, None),
        ("Passed", summary.passed, None),
        ("Blocked", summary.blocked, None),
    ];
    if summary.would_block > 0 {
        rows.push((
            "Would block (mode detect)",
            summary.would_block,
            Some(Color::Yellow),
        ));
    }
    if summary.invalid_count() > 0 {
        rows.push((
            "Invalid (Envoy refuses them)",
            summary.invalid_count(),
            Some(Color::Yellow),
        ));
    }
    if summary.failed > 0 {
        rows.push(("Filter failures", summary.failed, Some(Color::Red)));
    }
    if summary.skipped > 0 {
        rows.push(("Skipped (no HTTP request)", summary.skipped, None));
    }
    if summary.broken_count > 0 {
        rows.push(("Broken records", summary.broken_count, Some(Color::Red)));
    }
    let mut totals = table::new(&[], &[]);
    for (name, count, color) in rows {
        let of_requests =
            !name.starts_with("Broken") && !name.starts_with("Skipped") && name != "Requests";
        let share = if of_requests {
            percent(count, summary.requests)
        } else {
            String::new()
        };
        let mut cells = vec![
            Cell::new(name).add_attribute(Attribute::Bold),
            right(thousands(count)),
            right(share),
        ];
        if let Some(color) = color {
            cells = cells.into_iter().map(|cell| cell.fg(color)).collect();
        }
        totals.add_row(cells);
    }
    section(out, &totals);
    for (reason, count) in &summary.invalid {
        let _ = writeln!(out, "    {reason}: {}", thousands(*count));
    }
    if let Some(failure) = &summary.first_failure {
        let _ = writeln!(out, "    The first failure: {failure}");
    }
}

fn by_rule(out: &mut String, summary: &Summary) {
    if summary.by_rule.is_empty() {
        return;
    }
    let verb = match (summary.blocked, summary.would_block) {
        (_, 0) => "Blocked by",
        (0, _) => "Would be blocked by",
        _ => "Blocked, or would be, by",
    };
    let mut rules = table::new(&[verb, "Rule", "Requests"], &[2]);
    let mut last = "";
    for ((category, rule), count) in &summary.by_rule {
        let shown = if category == last { "" } else { category };
        last = category;
        rules.add_row([shown.to_string(), rule.clone(), thousands(*count)]);
    }
    section(out, &rules);
}

fn labels(out: &mut String, summary: &Summary) {
    let all = summary.labelled();
    if all.attacks > 0 {
        let mut attacks = table::new(
            &[
                "Attacks, as labelled",
                "Requests",
                "Caught",
                "Missed",
                "Rate",
                "Named right",
            ],
            &[1, 2, 3, 4, 5],
        );
        for (category, score) in summary
            .categories
            .iter()
            .filter(|(_, score)| score.attacks > 0)
        {
            attacks.add_row([
                Cell::new(category),
                Cell::new(thousands(score.attacks)),
                Cell::new(thousands(score.caught)),
                alarm(score.attacks - score.caught),
                Cell::new(percent(score.caught, score.attacks)),
                Cell::new(percent(score.named_right, score.caught)),
            ]);
        }
        let named: u64 = summary
            .categories
            .values()
            .map(|score| score.named_right)
            .sum();
        attacks.add_row(vec![
            bold("All attacks"),
            bold(thousands(all.attacks)),
            bold(thousands(all.caught)),
            alarm(all.attacks - all.caught).add_attribute(Attribute::Bold),
            bold(percent(all.caught, all.attacks)),
            bold(percent(named, all.caught)),
        ]);
        section(out, &attacks);
        list(
            out,
            "Missed",
            summary.missed.iter().cloned(),
            all.attacks - all.caught,
        );
    }
    if all.benign > 0 {
        let mut benign = table::new(
            &[
                "Honest requests, by source",
                "Requests",
                "False positives",
                "Rate",
            ],
            &[1, 2, 3],
        );
        for (source, score) in summary.sources.iter().filter(|(_, score)| score.benign > 0) {
            benign.add_row([
                Cell::new(source),
                Cell::new(thousands(score.benign)),
                alarm(score.false_positives),
                Cell::new(percent(score.false_positives, score.benign)),
            ]);
        }
        benign.add_row(vec![
            bold("All honest requests"),
            bold(thousands(all.benign)),
            alarm(all.false_positives).add_attribute(Attribute::Bold),
            bold(percent(all.false_positives, all.benign)),
        ]);
        section(out, &benign);
        let ids = summary
            .false_positives
            .iter()
            .map(|(id, rule)| format!("{id} ({rule})"));
        list(out, "False positives", ids, all.false_positives);
    }
}

fn cost(out: &mut String, report: &Report) {
    let summary = &report.summary;
    let (time, fuel) = (summary.cost.time_us(), summary.cost.fuel());
    if summary.cost.count() == 0 {
        return;
    }
    let mut costs = table::new(
        &[
            "Cost per request, in this host",
            "Mean",
            "p50",
            "p99",
            "Max",
        ],
        &[1, 2, 3, 4],
    );
    let row = |name: &str, q: crate::replay::Quantiles, figure: fn(f64) -> String| {
        vec![
            Cell::new(name),
            Cell::new(figure(q.mean)),
            Cell::new(figure(q.p50)),
            Cell::new(figure(q.p99)),
            Cell::new(figure(q.max)),
        ]
    };
    if report.metering == Metering::TimeOnly {
        costs.add_row(row("Time, µs", time, |us| format!("{us:.1}")));
    } else {
        costs.add_row(row("Time, µs, while fuel is counted", time, |us| {
            format!("{us:.1}")
        }));
        costs.add_row(row("Fuel, instructions", fuel, |fuel| {
            thousands(fuel.round() as u64)
        }));
    }
    section(out, &costs);
    let slowest_by = match report.metering {
        Metering::Fuel => "Slowest, by fuel",
        Metering::TimeOnly => "Slowest, by time",
    };
    let mut slowest = table::new(&[slowest_by, "Fuel", "µs", "Request"], &[1, 2]);
    for slow in summary.cost.slowest() {
        let mut row = Row::from([
            ellipsis(&slow.id, 24),
            thousands(slow.fuel),
            format!("{:.1}", slow.ns as f64 / 1000.0),
            ellipsis(&slow.request, 160),
        ]);
        row.max_height(1);
        slowest.add_row(row);
    }
    section(out, &slowest);
    let seconds = report.took.as_secs_f64();
    let _ = writeln!(
        out,
        "\n  {} requests in {seconds:.2} s ({} per second) through {} VM{} of {}",
        thousands(summary.requests),
        thousands((summary.requests as f64 / seconds.max(1e-9)).round() as u64),
        report.jobs,
        if report.jobs == 1 { "" } else { "s" },
        super::module_file::nearer(&report.module).display()
    );
}

fn section(out: &mut String, table: &comfy_table::Table) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
}

fn list(out: &mut String, name: &str, ids: impl Iterator<Item = String>, count: u64) {
    if count == 0 {
        return;
    }
    let shown: Vec<String> = ids.collect();
    let more = count.saturating_sub(shown.len() as u64);
    let rest = (more > 0).then(|| format!("and {} more", thousands(more)));
    let _ = writeln!(out, "\n  {name}:");
    out.push_str(&table::wrapped(
        shown.into_iter().chain(rest),
        table::width(),
        "    ",
    ));
}

fn bold(text: impl ToString) -> Cell {
    Cell::new(text).add_attribute(Attribute::Bold)
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(comfy_table::CellAlignment::Right)
}

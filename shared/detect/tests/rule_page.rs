//! `docs/rules.md` is what the rules make.
//!
//! To update it: `UPDATE_DOCS=1 cargo test -p backstop-detect --test rule_page`.

use std::path::Path;

use backstop_detect::{Category, rule_page};

#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = rule_page::markdown(&Category::ALL);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == page,
        "docs/rules.md is out of date: UPDATE_DOCS=1 cargo test -p backstop-detect --test rule_page"
    );
}

#[test]
fn every_rule_and_every_mark_is_on_it() {
    let page = rule_page::markdown(&Category::ALL);
    for rule in backstop_detect::rules() {
        let row = format!("| {} | `{}` | ", rule.id, rule.name);
        assert_eq!(page.matches(&row).count(), 1, "{}", rule.name);
    }
    assert!(page.contains("| `zgrab` | `bot-recon` | github.com/zmap/zgrab2 |"));
    assert!(page.contains("| `x-wipp` | `bot-scanner-header` | "));
    assert!(page.contains("critical 5, error 4, warning 3, notice 2"));
}

//! `docs/configuration.md` is what the filters' JSON Schemas say.
//!
//! To update it: `UPDATE_DOCS=1 cargo test -p backstop-policy --test configuration_page`.

mod page;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The filters, in the order of a chain.
const FILTERS: [&str; 4] = ["origin-verify", "rate-limit", "waf", "ext-authz"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema(filter: &str) -> Value {
    let path = root().join(format!("filters/{filter}/config.schema.json"));
    // Without the file the page is not current, which the test says.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[test]
fn the_page_is_current() {
    let path = root().join("docs/configuration.md");
    let schemas: Vec<(&str, Value)> = FILTERS.map(|name| (name, schema(name))).into();
    let page = page::markdown(&schemas);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == page,
        "docs/configuration.md is out of date: UPDATE_DOCS=1 cargo test -p backstop-policy --test configuration_page"
    );
}

#[test]
fn every_key_is_on_it_and_every_link_leads_somewhere() {
    for filter in FILTERS {
        let schema = schema(filter);
        let page = page::markdown(&[(filter, schema.clone())]);
        let definitions = schema["$defs"].as_object().unwrap();
        for of in definitions.values().chain([&schema]) {
            for key in of["properties"]
                .as_object()
                .into_iter()
                .flat_map(|keys| keys.keys())
            {
                assert!(page.contains(&format!("| `{key}` |")), "{filter}: {key}");
            }
        }
        for link in page
            .split("](#")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let heading = page
                .lines()
                .filter_map(|line| line.strip_prefix("### "))
                .any(|heading| page::anchor(heading) == link);
            assert!(
                heading || FILTERS.contains(&link),
                "{filter}: #{link} leads nowhere"
            );
        }
    }
}

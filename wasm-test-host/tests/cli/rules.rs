//! `backstop rules` and `backstop version`.

use std::path::Path;

use serde_json::Value;

use crate::command::{bare, finish};

#[test]
fn all_rules_are_listed_for_people_machines_and_pages() {
    let json = finish(bare().args(["rules", "--json"]));
    let listed = json.json();
    let rules: Vec<&Value> = listed["rules"].as_array().unwrap().iter().collect();
    assert!(rules.len() > 100, "{}", rules.len());
    let table = finish(bare().arg("rules"));
    let markdown = finish(bare().args(["rules", "--markdown"]));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    assert_eq!(markdown.stdout, std::fs::read_to_string(page).unwrap());
    for rule in rules {
        let name = rule["name"].as_str().unwrap();
        assert!(table.stdout.contains(name), "{name} in the table");
    }
    let some = finish(bare().args(["rules", "--json", "--category", "log4shell"])).json();
    assert!(
        some["rules"]
            .as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["category"] == "LOG4SHELL")
    );
}

#[test]
fn the_version_is_this_crates() {
    let run = finish(bare().arg("version"));
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("backstop {}\n", env!("CARGO_PKG_VERSION")))
    );
}

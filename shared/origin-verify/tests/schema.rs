//! The JSON Schema that is checked in is the one that the configuration's structs make.
//!
//! To update it: `UPDATE_SCHEMA=1 cargo test -p backstop-origin-verify --test schema`.

use std::path::Path;

use backstop_origin_verify::Config;

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../filters/origin-verify/config.schema.json");
    let schema = schemars::schema_for!(Config);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == text,
        "filters/origin-verify/config.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p backstop-origin-verify --test schema"
    );
}

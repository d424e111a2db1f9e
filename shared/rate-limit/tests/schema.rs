//! The JSON Schema that is checked in is the one that the configuration's structs make.
//!
//! To update it: `UPDATE_SCHEMA=1 cargo test -p backstop-rate-limit --test schema`.

use std::path::Path;

use backstop_rate_limit::Config;

#[test]
fn the_schema_is_current() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../filters/rate-limit/config.schema.json");
    let schema = schemars::schema_for!(Config);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == text,
        "filters/rate-limit/config.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p backstop-rate-limit --test schema"
    );
}

#[test]
fn the_defaults_are_those_of_the_structs() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    assert_eq!(schema["properties"]["table"]["default"]["slots"], 16_384);
    assert_eq!(schema["properties"]["response"]["default"]["status"], 429);
    assert_eq!(schema["additionalProperties"], false);
    let limit = &schema["$defs"]["Limit"];
    assert_eq!(
        limit["required"],
        serde_json::json!(["name", "tokensPerFill", "fillInterval"])
    );
    assert!(limit["properties"]["match"].is_object());
}

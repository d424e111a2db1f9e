//! The JSON Schema that is checked in is the one that the configuration's structs make.
//!
//! To update it: `UPDATE_SCHEMA=1 cargo test -p backstop-ext-authz --test schema`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::path::Path;

use backstop_ext_authz::Config;

#[test]
fn the_schema_is_current() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../filters/ext-authz/config.schema.json");
    let schema = schemars::schema_for!(Config);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == text,
        "filters/ext-authz/config.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p backstop-ext-authz --test schema"
    );
}

#[test]
fn the_defaults_are_those_of_the_structs() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["failureMode"]["default"], "allow");
    assert_eq!(schema["properties"]["breaker"]["default"]["openFor"], "5s");
    assert_eq!(
        schema["$defs"]["Api"]["required"],
        serde_json::json!(["eventType", "path"])
    );
    assert_eq!(
        schema["$defs"]["GrpcService"]["properties"]["timeout"]["default"],
        "800ms"
    );
}

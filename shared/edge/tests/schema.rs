//! The JSON Schema that is checked in is the one that the configuration's structs make.
//!
//! To update it: `UPDATE_SCHEMA=1 cargo test -p backstop-edge --test schema`.

use std::path::Path;

use backstop_edge::Config;

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../filters/edge/config.schema.json");
    let schema = schemars::schema_for!(Config);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == text,
        "filters/edge/config.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p backstop-edge --test schema"
    );
}

#[test]
fn a_section_is_the_whole_configuration_of_its_filter() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    for (section, own) in [
        (
            "originVerify",
            schemars::schema_for!(backstop_origin_verify::config::Config),
        ),
        (
            "rateLimit",
            schemars::schema_for!(backstop_rate_limit::config::Config),
        ),
        ("waf", schemars::schema_for!(backstop_waf::Config)),
    ] {
        let reference = schema["properties"][section]["$ref"].as_str().unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        let found = schema.pointer(pointer).unwrap();
        let own = serde_json::to_value(own).unwrap();
        let names = |schema: &serde_json::Value| -> Vec<String> {
            schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(names(found), names(&own), "{section}");
        assert_eq!(found["additionalProperties"], false);
    }
}

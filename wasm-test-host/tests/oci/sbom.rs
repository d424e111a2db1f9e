//! What a filter is made of.

use std::collections::{BTreeMap, BTreeSet};

use backstop_host::oci::digest;
use serde_json::Value;

use crate::run::{file, module, run};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn every_crate_of_the_filter_is_in_it_and_no_other() {
    let wasm = module("origin-verify");
    let args = ["sbom", "backstop-origin-verify-filter", "--module", &wasm];
    let first = run(&args).ok();
    assert_eq!(first, run(&args).ok(), "the same source, the same bytes");
    let sbom: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (text(&sbom, "bomFormat"), text(&sbom, "specVersion")),
        ("CycloneDX", "1.5")
    );
    assert!(sbom["serialNumber"].is_null() && sbom["metadata"]["timestamp"].is_null());
    let root = &sbom["metadata"]["component"];
    assert_eq!(text(root, "name"), "backstop-origin-verify-filter");
    let hash = digest(&std::fs::read(&wasm).unwrap());
    assert_eq!(
        format!("sha256:{}", text(&root["hashes"][0], "content")),
        hash
    );

    let components = sbom["components"].as_array().unwrap();
    let scopes: BTreeMap<&str, &str> = components
        .iter()
        .map(|component| (text(component, "name"), text(component, "scope")))
        .collect();
    for (name, scope) in [
        ("proxy-wasm", "required"),
        ("sha2", "required"),
        ("backstop-origin-verify", "required"),
        ("serde_derive", "excluded"),
        ("syn", "excluded"),
    ] {
        assert_eq!(scopes.get(name), Some(&scope), "{name}");
    }
    for name in ["wasmtime", "oci-client", "proptest", "backstop-waf-filter"] {
        assert!(!scopes.contains_key(name), "{name} is not built into it");
    }

    // The graph names nothing that is not a component, and every component is reached.
    let references: BTreeSet<&str> = components
        .iter()
        .chain([root])
        .map(|component| text(component, "bom-ref"))
        .collect();
    let dependencies = sbom["dependencies"].as_array().unwrap();
    let mut reached = BTreeSet::from([text(root, "bom-ref")]);
    for dependency in dependencies {
        assert!(references.contains(text(dependency, "ref")));
        for on in dependency["dependsOn"].as_array().into_iter().flatten() {
            assert!(references.contains(on.as_str().unwrap()), "{on}");
            reached.insert(on.as_str().unwrap());
        }
    }
    assert_eq!(reached, references);
    for component in components {
        let purl = text(component, "purl");
        assert!(purl.starts_with("pkg:cargo/"), "{component}");
    }
}

#[test]
fn the_versions_are_those_of_the_lock_file() {
    let sbom: Value = serde_json::from_str(&run(&["sbom", "backstop-waf-filter"]).ok()).unwrap();
    let lock = std::fs::read_to_string(crate::run::root().join("Cargo.lock")).unwrap();
    for component in sbom["components"].as_array().unwrap() {
        let (name, version) = (text(component, "name"), text(component, "version"));
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{name} {version}");
    }
}

#[test]
fn an_unknown_crate_is_told() {
    assert_eq!(
        run(&["sbom", "backstop-nothing"]).refused(),
        "no crate `backstop-nothing` in the workspace"
    );
    let folder = tempfile::tempdir().unwrap();
    let broken = file(&folder, "Cargo.toml", "not a manifest");
    let refused = run(&["sbom", "x", "--manifest-path", &broken]).refused();
    assert!(refused.starts_with("cargo metadata: "), "{refused}");
}

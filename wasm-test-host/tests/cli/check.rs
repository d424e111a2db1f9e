//! `backstop check`.

use crate::command::{Files, run};

#[test]
fn a_configuration_that_the_filter_takes_is_ok() {
    let files = Files::new();
    let manifest = files.write(
        "waf.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: edge}\n---\napiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n\
         metadata: {name: waf}\nspec:\n  pluginConfig:\n    mode: detect\n",
    );
    let run = run(&["check", &manifest]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "ok\n", "")
    );
}

#[test]
fn what_is_wrong_is_one_line_with_file_and_json_path() {
    let files = Files::new();
    let config = files.write("waf.json", r#"{"exclusions":[{"paths":"/x"}]}"#);
    let run = run(&["check", &config]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(
        run.stderr
            .starts_with(&format!("backstop: {config}: waf config: $.exclusions[0]")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("`paths`"), "{}", run.stderr);
}

#[test]
fn the_manifest_that_we_ship_is_one_that_the_filter_takes() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../istio/quick-start/waf.yaml");
    let run = run(&["check", manifest]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
}

#[test]
fn every_filter_is_checked_by_its_name() {
    let secret = r#"{"name":"a","sha256":"Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8="}"#;
    let limit = r#"{"name":"a","tokensPerFill":5,"fillInterval":"1s"}"#;
    let (origin_verify, rate_limit) = (
        format!(r#"{{"secrets":[{secret}]}}"#),
        format!(r#"{{"limits":[{limit}]}}"#),
    );
    let edge = format!(r#"{{"originVerify":{origin_verify},"rateLimit":{rate_limit},"waf":{{}}}}"#);
    let files = Files::new();
    for (filter, good, bad, error) in [
        (
            "origin-verify",
            &origin_verify,
            r#"{"secrets":[]}"#,
            "origin-verify config: $.secrets: ",
        ),
        (
            "rate-limit",
            &rate_limit,
            r#"{"limits":[]}"#,
            "rate-limit config: $.limits: ",
        ),
        (
            "edge",
            &edge,
            r#"{"waf":{"mode":"off"}}"#,
            "edge config: $.waf.mode: ",
        ),
    ] {
        let config = files.write("good.json", good);
        let ok = run(&["check", "--filter", filter, &config]);
        assert_eq!(
            (ok.code, ok.stdout.as_str(), ok.stderr.as_str()),
            (0, "ok\n", "")
        );
        let config = files.write("bad.json", bad);
        let refused = run(&["check", "--filter", filter, &config]);
        assert_eq!((refused.code, refused.stderr.lines().count()), (2, 1));
        assert!(refused.stderr.contains(error), "{}", refused.stderr);
    }
}

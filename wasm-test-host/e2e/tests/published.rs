//! From `backstop publish` to a gateway: the image is pulled by its digest as Istio's agent does it, and what was in it filters in
//! a real Envoy.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use backstop_e2e::bootstrap::{Bootstrap, FailurePolicy, Listener, WasmFilter};
use backstop_e2e::client::{Body, request_bytes};
use backstop_e2e::modules;
use backstop_e2e::upstream::CASE_ID;
use backstop_e2e::{Envoy, Upstream};
use backstop_host::oci::{MAX_MODULE_BYTES, Registry, RegistryAuth, Target, accept};
use serde_json::{Value, json};

#[path = "../../tests/oci/registry.rs"]
mod registry;

use registry::{LoopbackRegistry, PASSWORD, USER};

/// What `make build` leaves beside the modules.
fn command() -> PathBuf {
    let path = modules::root().join("target/debug/backstop");
    assert!(
        path.is_file(),
        "{} is not there: `make build`",
        path.display()
    );
    path
}

/// Publishes with a password on standard input. What to pin.
fn published(image: &str, filter: &str, layout: &str) -> Target {
    let mut child = Command::new(command())
        .args([
            "publish",
            "--layout",
            layout,
            "--username",
            USER,
            "--password-stdin",
            image,
        ])
        .arg(modules::filter(filter))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(PASSWORD.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let pin = String::from_utf8(output.stdout).unwrap();
    pin.trim_end().parse().unwrap()
}

#[test]
fn a_published_filter_pulled_by_its_digest_guards_a_gateway() {
    let registry = LoopbackRegistry::with_basic_auth();
    let secret = "e2e-secret-0123456789abcdef";
    let origin_verify = json!({"secrets": [
        {"name": "a", "sha256": "Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8="}
    ]});
    let upstream = Upstream::start().unwrap();
    for (filter, layout, config, bad, good) in [
        (
            "origin-verify",
            "compat",
            &origin_verify,
            ("/", None),
            ("/", Some(("x-origin-verify", secret))),
        ),
        (
            "waf",
            "artifact",
            &json!({"mode": "block"}),
            ("/search?q=%3Cscript%3Ealert(1)%3C/script%3E", None),
            ("/matches?league=kbo", None),
        ),
    ] {
        let pin = published(
            &registry.image(&format!("backstop/{filter}:1")),
            filter,
            layout,
        );
        let auth = RegistryAuth::Basic(USER.to_owned(), PASSWORD.to_owned());
        let pulled = accept(
            &Registry::connect(&pin, auth, false).unwrap(),
            MAX_MODULE_BYTES,
        )
        .unwrap();
        assert_eq!(
            (Some(pulled.digest.as_str()), pulled.layout),
            (pin.digest(), layout)
        );

        // The agent names the file by the digest in the proxy's data folder, and Envoy reads it from there.
        let data = tempfile::tempdir().unwrap();
        let module = data
            .path()
            .join(format!("{}.wasm", &pulled.digest["sha256:".len()..]));
        std::fs::write(&module, &pulled.wasm).unwrap();
        let mut wasm = WasmFilter::new(&module, config);
        wasm.failure_policy = FailurePolicy::FailReload;
        let listener = Listener::new("in").filter(wasm.resource());
        let bootstrap = Bootstrap::new(upstream.address()).listener(listener);
        let envoy = Envoy::start(&bootstrap, 1).unwrap();
        let send = |case: &str, (path, header): (&str, Option<(&str, &str)>)| {
            let mut fields = vec![("host", "tickets.example"), (CASE_ID, case)];
            fields.extend(header);
            let fields: Vec<(String, Vec<u8>)> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect();
            let request = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
            let mut client = envoy.connect("in").unwrap();
            client.exchange("GET", &request).unwrap()
        };
        let (refused, passed) = (format!("{filter}-refused"), format!("{filter}-passed"));
        let response = send(&refused, bad);
        let details = response.field("x-e2e-details").unwrap_or_default();
        assert_eq!(response.status, 403, "{filter}: {details}");
        let own = format!("backstop_{}", filter.replace('-', "_"));
        assert!(details.starts_with(&own), "{filter}: {details}");
        assert!(upstream.seen(&refused).is_none());

        assert_eq!(send(&passed, good).status, 200, "{filter}");
        assert!(upstream.seen(&passed).is_some());
    }
}

#[test]
fn make_publish_prints_and_writes_what_to_pin() {
    let registry = LoopbackRegistry::open();
    let run = || {
        let output = Command::new(modules::root().join("wasm-test-host/publish.sh"))
            .args([&format!("{}/backstop", registry.host), "0.1.0"])
            .args(["origin-verify", "rate-limit"])
            .env("DOCKER_CONFIG", "/nonexistent")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (
            String::from_utf8(output.stdout).unwrap(),
            std::fs::read_to_string(modules::root().join("target/published.txt")).unwrap(),
        )
    };
    let (table, pins) = run();
    assert_eq!(
        (table.clone(), pins.clone()),
        run(),
        "the same source, the same digests"
    );
    let names: Vec<&str> = pins
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert_eq!(names, ["origin-verify", "rate-limit"]);
    for (name, pin) in pins.lines().filter_map(|line| line.split_once('=')) {
        let target: Target = pin.parse().unwrap();
        let digest = target.digest().unwrap();
        assert!(table.contains(&format!("{digest}\n")), "{table}");
        let anonymous = || Registry::connect(&target, RegistryAuth::Anonymous, false).unwrap();
        let pulled = accept(&anonymous(), MAX_MODULE_BYTES).unwrap();
        assert!(pulled.wasm == std::fs::read(modules::filter(name)).unwrap());

        // The fallback tag leads to the SBOM, which names the module that it is about.
        let listed = pin.replace('@', ":").replace("sha256:", "sha256-");
        let index = json_of(&listed, None);
        let sbom = index["manifests"][0]["digest"].as_str().unwrap();
        let manifest = json_of(pin, Some(sbom));
        let layer = serde_json::from_value(manifest["layers"][0].clone()).unwrap();
        let bytes = backstop_host::oci::Store::blob(&anonymous(), &layer, 1 << 20).unwrap();
        let sbom: Value = serde_json::from_slice(&bytes).unwrap();
        let component = &sbom["metadata"]["component"];
        assert_eq!(component["name"], format!("backstop-{name}-filter"));
        assert_eq!(
            format!(
                "sha256:{}",
                component["hashes"][0]["content"].as_str().unwrap()
            ),
            backstop_host::oci::digest(&pulled.wasm)
        );
    }
}

/// A manifest from the registry: of that digest, or of what the reference names.
fn json_of(reference: &str, digest: Option<&str>) -> Value {
    let target: Target = reference.parse().unwrap();
    let registry = Registry::connect(&target, RegistryAuth::Anonymous, false).unwrap();
    let bytes = backstop_host::oci::Store::manifest(&registry, digest).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

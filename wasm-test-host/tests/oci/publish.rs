//! Push here, pull with skopeo, compare bytes; with credentials right, wrong and absent.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use backstop_host::oci::digest;
use base64::Engine;
use serde_json::{Value, json};

use crate::registry::{LoopbackRegistry, PASSWORD, USER};
use crate::run::{command, file, finish, module, run, skopeo};

/// Copies the pinned image into a folder with skopeo, which checks every digest on the way. Its manifest.
fn copied(pin: &str, folder: &Path, more: &[&str]) -> (Vec<u8>, Value) {
    let from = format!(
        "docker://{}",
        pin.trim_end().strip_prefix("oci://").unwrap()
    );
    let to = format!("dir:{}", folder.display());
    let args = [&["copy", "--src-tls-verify=false"], more, &[&from, &to]].concat();
    skopeo(&args);
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let parsed = serde_json::from_slice(&manifest).unwrap();
    (manifest, parsed)
}

fn blob(folder: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap();
    std::fs::read(folder.join(digest.strip_prefix("sha256:").unwrap())).unwrap()
}

/// The only file of a gzipped tar, unpacked by other hands than ours.
fn untarred(gzip: &[u8]) -> (String, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = file(&folder, "layer.tar.gz", gzip);
    let tar = |args: &[&str]| {
        let output = std::process::Command::new("tar")
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let names = String::from_utf8(tar(&["-tzf", &archive])).unwrap();
    let name = names.trim_end().to_owned();
    (name.clone(), tar(&["-xzOf", &archive, &name]))
}

#[test]
fn what_was_pushed_is_pulled_byte_by_byte() {
    let registry = LoopbackRegistry::open();
    let path = module("origin-verify");
    let wasm = std::fs::read(&path).unwrap();
    let schema = "filters/origin-verify/config.schema.json";
    let image = registry.image("backstop/origin-verify:1");
    let pin = run(&[
        "publish",
        &image,
        &path,
        "--source",
        "https://git.example/backstop",
        "--revision",
        "c0ffee",
        "--licenses",
        "Apache-2.0",
        "--created",
        "2026-11-23T00:00:00Z",
        "--schema",
        schema,
        "--annotation",
        "org.example.team=edge",
    ])
    .ok();

    let folder = tempfile::tempdir().unwrap();
    let (bytes, manifest) = copied(&pin, folder.path(), &[]);
    assert_eq!(
        pin,
        format!(
            "{}@{}\n",
            registry.image("backstop/origin-verify"),
            digest(&bytes)
        )
    );
    let schema = std::fs::read(crate::run::root().join(schema)).unwrap();
    assert_eq!(
        manifest["annotations"],
        json!({
            "backstop.config-schema.digest": digest(&schema),
            "backstop.module.digest": digest(&wasm),
            "backstop.proxy-wasm.abi": "0.2.1",
            "org.example.team": "edge",
            "org.opencontainers.image.created": "2026-11-23T00:00:00Z",
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.revision": "c0ffee",
            "org.opencontainers.image.source": "https://git.example/backstop",
        })
    );
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(
        layers[0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
    let (name, content) = untarred(&blob(folder.path(), &layers[0]));
    assert_eq!(name, "plugin.wasm");
    assert!(content == wasm, "the module is another one");
}

#[test]
fn the_artifact_layout_holds_the_module_as_it_is() {
    let registry = LoopbackRegistry::open();
    let path = module("origin-verify");
    let image = registry.image("backstop/origin-verify:artifact");
    let pin = run(&["publish", "--layout", "artifact", &image, &path]).ok();

    let folder = tempfile::tempdir().unwrap();
    let (bytes, manifest) = copied(&pin, folder.path(), &[]);
    assert!(pin.ends_with(&format!("@{}\n", digest(&bytes))));
    let layers = manifest["layers"].as_array().unwrap();
    let types: Vec<&str> = layers
        .iter()
        .map(|layer| layer["mediaType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "application/vnd.module.wasm.content.layer.v1+wasm",
            "application/vnd.module.wasm.config.v1+json",
        ]
    );
    assert!(blob(folder.path(), &layers[0]) == std::fs::read(&path).unwrap());
    let runtime: Value = serde_json::from_slice(&blob(folder.path(), &layers[1])).unwrap();
    assert_eq!(runtime["abiVersions"], json!(["v0.2.1"]));
}

#[test]
fn twice_gives_the_same_digest_in_another_registry_and_in_a_folder() {
    let path = module("origin-verify");
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    let digest_of = |args: &[&str]| {
        let pin = run(args).ok();
        pin.trim_end().rsplit_once('@').unwrap().1.to_owned()
    };
    for kind in ["compat", "artifact"] {
        let [one, two] = [LoopbackRegistry::open(), LoopbackRegistry::open()];
        let (image, again) = (one.image("a/b:1"), two.image("c:2"));
        let first = digest_of(&["publish", "--layout", kind, &image, &path]);
        assert_eq!(
            first,
            digest_of(&["publish", "--layout", kind, &image, &path])
        );
        assert_eq!(
            first,
            digest_of(&["publish", "--layout", kind, &again, &path])
        );
        let to = layout.to_str().unwrap();
        let local = [
            "publish",
            "--layout",
            kind,
            "oci://r.example/a:1",
            &path,
            "--to-layout",
            to,
        ];
        assert_eq!(first, digest_of(&local));
        // skopeo reads the folder, and gets the same image.
        let raw = skopeo(&["inspect", "--raw", &format!("oci:{to}:1")]);
        assert_eq!(first, digest(&raw));
    }
}

#[test]
fn a_registry_that_asks_gets_credentials_or_a_clear_line() {
    let registry = LoopbackRegistry::with_basic_auth();
    let host = registry.host.as_str();
    let path = module("origin-verify");
    let image = registry.image("private/origin-verify:1");
    let publish = ["publish", &image, &path];
    let login = ["--username", USER, "--password-stdin"];
    let logged_in = [&publish[..], &login].concat();

    assert_eq!(
        run(&publish).refused(),
        format!(
            "{host} refuses access without credentials; log in with `docker login`, or give --username and --password-stdin"
        )
    );
    assert_eq!(
        finish(&mut command(&logged_in), b"wrong horse\n").refused(),
        format!("{host} refuses the credentials of `{USER}`")
    );
    assert_eq!(
        finish(&mut command(&logged_in), b"\n").refused(),
        "--password-stdin: no password came"
    );
    let pin = finish(&mut command(&logged_in), format!("{PASSWORD}\n").as_bytes()).ok();

    let folder = tempfile::tempdir().unwrap();
    let (bytes, _) = copied(
        &pin,
        folder.path(),
        &["--src-creds", "pusher:correct horse"],
    );
    assert!(pin.ends_with(&format!("@{}\n", digest(&bytes))));

    let verify = ["verify", pin.trim_end()];
    assert!(
        run(&verify)
            .refused()
            .contains("refuses access without credentials")
    );
}

#[test]
fn credentials_come_from_dockers_configuration_and_its_helpers() {
    let registry = LoopbackRegistry::with_basic_auth();
    let host = registry.host.as_str();
    let path = module("origin-verify");
    let image = registry.image("private/origin-verify:1");
    let publish = |config: Value, helper: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        file(&folder, "config.json", config.to_string());
        if let Some(script) = helper {
            let helper = file(&folder, "docker-credential-test", script);
            std::fs::set_permissions(helper, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let path_variable = std::env::var("PATH").unwrap();
        finish(
            command(&["publish", &image, &path])
                .env("DOCKER_CONFIG", folder.path())
                .env(
                    "PATH",
                    format!("{}:{path_variable}", folder.path().display()),
                ),
            b"",
        )
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let pin = publish(json!({"auths": {host: {"auth": encoded}}}), None).ok();
    assert!(pin.contains("@sha256:"));

    let helpers = json!({"credHelpers": {host: "test"}});
    let right = format!(
        "#!/bin/sh\nread server\ntest \"$server\" = {host} || exit 1\n\
         echo '{{\"ServerURL\":\"x\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n"
    );
    assert_eq!(publish(helpers.clone(), Some(&right)).ok(), pin);
    // A store for all registries is asked as well.
    assert_eq!(
        publish(json!({"credsStore": "test"}), Some(&right)).ok(),
        pin
    );

    assert_eq!(
        publish(
            helpers.clone(),
            Some("#!/bin/sh\nread server\necho the keychain is locked\nexit 1\n")
        )
        .refused(),
        format!("credentials for {host}: docker-credential-test failed: the keychain is locked")
    );
    assert!(
        publish(
            helpers.clone(),
            Some("#!/bin/sh\nread server\necho credentials not found in native keychain\nexit 1\n")
        )
        .refused()
        .contains("refuses access without credentials")
    );
    assert_eq!(
        publish(helpers, None).refused(),
        format!("credentials for {host}: the credential helper cannot be run")
    );
}

#[test]
fn what_cannot_be_published_is_told_before_anything_is_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let text = file(&folder, "text.wasm", "not a module");
    let image = "oci://127.0.0.1:1/a:1";
    assert_eq!(
        run(&["publish", image, &text]).refused(),
        format!("{text}: the module is not WebAssembly: it does not begin with \\0asm")
    );
    let import = file(
        &folder,
        "import.wasm",
        wat::parse_str(r#"(module (import "env" "proxy_of_tomorrow" (func)))"#).unwrap(),
    );
    assert_eq!(
        run(&["publish", image, &import]).refused(),
        format!("{import}: Envoy 1.37 does not provide the import env.proxy_of_tomorrow")
    );
    let good = module("origin-verify");
    let pinned = format!("oci://127.0.0.1:1/a@{}", digest(b""));
    assert!(
        run(&["publish", &pinned, &good])
            .refused()
            .contains("a digest is what comes out of it")
    );
    assert_eq!(
        run(&["publish", image, &good, "--annotation", "novalue"]).refused(),
        "--annotation novalue: expected KEY=VALUE"
    );
    assert!(
        run(&["publish", image, &good, "--sbom", &text])
            .refused()
            .ends_with("not a CycloneDX SBOM in JSON")
    );
    let nobody = run(&["publish", image, &good]).refused();
    assert!(nobody.starts_with("127.0.0.1:1: "), "{nobody}");
    assert!(nobody.contains("onnection refused"), "{nobody}");
}

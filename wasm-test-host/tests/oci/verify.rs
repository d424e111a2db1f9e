//! What Istio's agent or Envoy would refuse, `backstop verify` refuses in one line, wherever the image is.

use std::collections::BTreeMap;

use backstop_host::oci::{
    Blob, Image, ImageFolder, Layout, Registry, RegistryAuth, digest, tar_gzip,
};

use crate::registry::LoopbackRegistry;
use crate::run::{ORIGIN_VERIFY, file, module, run};

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const RAW: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

fn image(layers: Vec<Blob>) -> Image {
    let config = Blob::new("application/vnd.oci.image.config.v1+json", "{}");
    Image::of_blobs(config, layers, BTreeMap::new())
}

/// The smallest module that Envoy would load: it answers every request with Continue.
fn guest(imports: &str, abi: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module {imports} (memory (export "memory") 1) (func (export "{abi}"))
            (func (export "malloc") (param i32) (result i32) i32.const 0)
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0))"#
    ))
    .unwrap()
}

fn compat(wasm: &[u8]) -> Image {
    Image::of_module(wasm, Layout::Compat, BTreeMap::new())
}

#[test]
fn a_published_filter_is_verified_by_tag_by_digest_in_a_folder_and_as_a_file() {
    let registry = LoopbackRegistry::open();
    let folder = tempfile::tempdir().unwrap();
    let config = file(&folder, "config.json", ORIGIN_VERIFY);
    let path = module("origin-verify");
    let wasm = std::fs::read(&path).unwrap();
    let module = format!(
        "module {} of {} bytes, ABI 0.2.1, starts\n",
        digest(&wasm),
        wasm.len()
    );
    for layout in ["compat", "artifact"] {
        let image = registry.image("backstop/origin-verify:1");
        let pin = run(&["publish", "--layout", layout, &image, &path]).ok();
        let pin = pin.trim_end();
        let of_manifest = pin.rsplit_once('@').unwrap().1;
        let expected = format!("ok: {layout} image {of_manifest}, {module}");
        assert_eq!(run(&["verify", &image, "--config", &config]).ok(), expected);
        assert_eq!(run(&["verify", pin, "--config", &config]).ok(), expected);

        let to = folder.path().join(layout);
        let to = to.to_str().unwrap();
        run(&[
            "publish",
            "--layout",
            layout,
            &image,
            &path,
            "--to-layout",
            to,
        ])
        .ok();
        assert_eq!(run(&["verify", to, "--config", &config]).ok(), expected);
        let tagged = format!("{to}:1");
        assert_eq!(
            run(&["verify", &tagged, "--config", &config]).ok(),
            expected
        );
    }
    assert_eq!(
        run(&["verify", &path, "--config", &config]).ok(),
        format!("ok: file, {module}")
    );
    // Without a configuration it gets the empty one, and origin-verify says what it lacks.
    let refused = run(&["verify", &path]).refused();
    assert!(refused.contains(": does not start: "), "{refused}");
    assert!(refused.contains("secrets"), "{refused}");
}

#[test]
fn what_the_agent_or_envoy_refuses_is_refused_in_one_line() {
    let registry = LoopbackRegistry::open();
    let (_, other) = tar_gzip("filter.wasm", &guest("", "proxy_abi_version_0_2_1"));
    let (_, text) = tar_gzip("plugin.wasm", b"#!/bin/sh\n");
    let unknown = guest(
        r#"(import "env" "proxy_of_tomorrow" (func))"#,
        "proxy_abi_version_0_2_1",
    );
    let large = compat(&[&guest("", "proxy_abi_version_0_2_1")[..], &[0; 4096]].concat());
    for (name, image, expected) in [
        (
            "raw-layer",
            image(vec![Blob::new(RAW, "\0asm\x01\0\0\0")]),
            format!(
                "neither a compat image (its last layer is {RAW}, not {GZIP}) nor an artifact (which has two layers, not 1)"
            ),
        ),
        (
            "media-type",
            image(vec![Blob::new("application/vnd.oci.image.layer.v1.tar", "a tar")]),
            format!(
                "neither a compat image (its last layer is application/vnd.oci.image.layer.v1.tar, not {GZIP}) nor an artifact (which has two layers, not 1)"
            ),
        ),
        (
            "two-layers",
            image(vec![Blob::new(GZIP, other.clone()), Blob::new(GZIP, other)]),
            "plugin.wasm is not in the last layer".to_owned(),
        ),
        (
            "text",
            image(vec![Blob::new(GZIP, text)]),
            "the module is not WebAssembly: it does not begin with \\0asm".to_owned(),
        ),
        (
            "import",
            compat(&unknown),
            "Envoy 1.37 does not provide the import env.proxy_of_tomorrow".to_owned(),
        ),
        (
            "abi",
            compat(&guest("", "proxy_abi_version_0_3_0")),
            "missing or unknown Proxy-Wasm ABI version: the module exports none of proxy_abi_version_0_1_0, _0_2_0 and _0_2_1"
                .to_owned(),
        ),
        ("large", large, "plugin.wasm is larger than 4000 bytes".to_owned()),
    ] {
        let pushed = registry.image(&format!("hostile/{name}:1"));
        let target = pushed.parse().unwrap();
        Registry::connect(&target, RegistryAuth::Anonymous, false)
            .unwrap()
            .push(&image)
            .unwrap();
        let verify = |image: &str| run(&["verify", image, "--max-bytes", "4000"]).refused();
        assert_eq!(verify(&pushed), format!("{pushed}: {expected}"));

        let folder = tempfile::tempdir().unwrap();
        ImageFolder::write(folder.path(), &[(&image, None)]).unwrap();
        let local = folder.path().to_str().unwrap();
        assert_eq!(verify(local), format!("{local}: {expected}"));
    }
}

#[test]
fn the_smallest_module_starts_and_one_that_traps_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.wasm", guest("", "proxy_abi_version_0_2_0"));
    let ok = run(&["verify", &good]).ok();
    assert!(ok.ends_with(" bytes, ABI 0.2.0, starts\n"), "{ok}");

    let trap = r#"(func (export "_initialize") unreachable)"#;
    let trap = wat::parse_str(format!(
        r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1")) {trap}
            (func (export "malloc") (param i32) (result i32) i32.const 0))"#
    ));
    let bad = file(&folder, "bad.wasm", trap.unwrap());
    let refused = run(&["verify", &bad]).refused();
    assert!(
        refused.starts_with(&format!("{bad}: does not start: ")),
        "{refused}"
    );

    let limit = run(&["verify", &good, "--max-bytes", "10"]).refused();
    assert_eq!(limit, format!("{good}: the module is larger than 10 bytes"));
    let text = file(&folder, "text.wasm", "text");
    assert!(
        run(&["verify", &text])
            .refused()
            .ends_with("does not begin with \\0asm")
    );
}

#[test]
fn what_is_not_there_is_told() {
    let registry = LoopbackRegistry::open();
    let missing = registry.image("nobody/knows:1");
    let refused = run(&["verify", &missing]).refused();
    assert!(
        refused.starts_with(&format!("{missing}: the manifest: ")),
        "{refused}"
    );
    assert!(refused.contains("unknown"), "{refused}");
    assert_eq!(
        run(&["verify", "oci://waf:1"]).refused(),
        "oci://waf:1: names no registry; an image is named oci://HOST/REPOSITORY:TAG"
    );
    let empty = tempfile::tempdir().unwrap();
    let refused = run(&["verify", empty.path().to_str().unwrap()]).refused();
    assert!(refused.contains("index.json: No such file"), "{refused}");
}

//! Images in memory and in folders; what needs a registry is in `tests/oci`.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};

use super::*;

const WASM: &[u8] = b"\0asm\x01\0\0\0some code";

fn compat(wasm: &[u8]) -> Image {
    Image::of_module(wasm, Layout::Compat, BTreeMap::new())
}

/// Lays an image out and takes it as the agent does.
fn taken(image: &Image, limit: u64) -> Result<Accepted, String> {
    let folder = tempfile::tempdir().unwrap();
    ImageFolder::write(folder.path(), &[(image, Some("1"))]).unwrap();
    let opened = ImageFolder::open(folder.path(), Some("1")).unwrap();
    accept(&opened, limit).map_err(|error| error.to_string())
}

fn layer(media_type: &str, bytes: &[u8]) -> Blob {
    Blob::new(media_type, bytes)
}

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const RAW: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

fn image(layers: Vec<Blob>) -> Image {
    let config = Blob::new("application/vnd.oci.image.config.v1+json", "{}");
    Image::of_blobs(config, layers, BTreeMap::new())
}

#[test]
fn the_same_module_gives_the_same_bytes_in_both_layouts() {
    for layout in [Layout::Compat, Layout::Artifact] {
        let of = |wasm| {
            let annotations = BTreeMap::from([(annotation::ABI.to_owned(), "0.2.1".to_owned())]);
            Image::of_module(wasm, layout, annotations)
        };
        let (one, two) = (of(WASM), of(WASM));
        assert_eq!(
            (&one.manifest, &one.blobs, one.digest()),
            (&two.manifest, &two.blobs, two.digest())
        );
        assert_ne!(one.digest(), of(b"\0asm\x01\0\0\0other code").digest());
    }
}

#[test]
fn laying_an_image_out_twice_gives_the_same_files() {
    let read = || {
        let folder = tempfile::tempdir().unwrap();
        ImageFolder::write(folder.path(), &[(&compat(WASM), Some("1"))]).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = ["index.json", "oci-layout"]
            .into_iter()
            .map(|name| {
                (
                    name.to_owned(),
                    std::fs::read(folder.path().join(name)).unwrap(),
                )
            })
            .collect();
        for entry in std::fs::read_dir(folder.path().join("blobs/sha256")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read(path).unwrap()));
        }
        files.sort();
        files
    };
    let files = read();
    assert_eq!(files.len(), 5, "index, marker, manifest, config, layer");
    assert_eq!(files, read());
}

#[test]
fn the_layer_tells_no_time_no_owner_and_no_system() {
    let (tar, gzip) = tar_gzip(PLUGIN_WASM, WASM);
    assert_eq!(gzip[..2], [0x1f, 0x8b]);
    assert_eq!(
        (&gzip[4..8], gzip[9]),
        (&[0u8; 4][..], 255),
        "RFC 1952 MTIME and OS"
    );
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(gzip.as_slice())
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, tar);
    let mut archive = tar::Archive::new(tar.as_slice());
    let entry = archive.entries().unwrap().next().unwrap().unwrap();
    let header = entry.header();
    assert_eq!(
        (
            header.mtime().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mode().unwrap(),
        ),
        (0, 0, 0, 0o644)
    );
}

#[test]
fn the_compat_config_names_the_unpacked_layer() {
    let image = compat(WASM);
    let config: Value = serde_json::from_slice(&image.blobs[0].bytes).unwrap();
    let (tar, _) = tar_gzip(PLUGIN_WASM, WASM);
    assert_eq!(config["rootfs"]["diff_ids"], json!([digest(&tar)]));
}

#[test]
fn the_agent_takes_both_layouts_and_gets_the_module() {
    for (layout, name) in [(Layout::Compat, "compat"), (Layout::Artifact, "artifact")] {
        let image = Image::of_module(WASM, layout, BTreeMap::new());
        let accepted = taken(&image, 1 << 20).unwrap();
        assert_eq!(
            accepted,
            Accepted {
                layout: name,
                digest: image.digest(),
                wasm: WASM.to_vec(),
            }
        );
    }
}

#[test]
fn the_agent_takes_docker_images_by_their_last_layer() {
    let (_, gzip) = tar_gzip("./opt/plugin.wasm", WASM);
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let mut image = image(vec![layer(docker, b"base"), layer(docker, &gzip)]);
    let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json");
    image.manifest = manifest.to_string().into_bytes();
    let accepted = taken(&image, 1 << 20).unwrap();
    assert_eq!(
        (accepted.layout, accepted.wasm.as_slice()),
        ("docker", WASM)
    );

    manifest["layers"][1]["mediaType"] = json!(GZIP);
    image.manifest = manifest.to_string().into_bytes();
    assert_eq!(
        taken(&image, 1 << 20).unwrap_err(),
        format!("the last layer of a Docker image has to be {docker}, not {GZIP}")
    );
}

#[test]
fn every_rule_of_the_agent_has_its_line() {
    let (_, plugin) = tar_gzip(PLUGIN_WASM, WASM);
    let (_, other) = tar_gzip("filter.wasm", WASM);
    let (_, text) = tar_gzip(PLUGIN_WASM, b"#!/bin/sh\n");
    for (layers, expected) in [
        (vec![], "the image has no layers".to_owned()),
        (
            vec![layer(RAW, WASM)],
            format!(
                "neither a compat image (its last layer is {RAW}, not {GZIP}) nor an artifact (which has two layers, not 1)"
            ),
        ),
        (
            vec![layer("a/b", WASM), layer("c/d", WASM)],
            format!(
                "neither a compat image (its last layer is c/d, not {GZIP}) nor an artifact (no layer is {RAW})"
            ),
        ),
        (
            vec![layer(GZIP, &plugin), layer(GZIP, &other)],
            "plugin.wasm is not in the last layer".to_owned(),
        ),
        (
            vec![layer(GZIP, &text)],
            "the module is not WebAssembly: it does not begin with \\0asm".to_owned(),
        ),
        (
            vec![layer(GZIP, b"this is not what gzip writes")],
            "the last layer is no gzipped tar: invalid gzip header".to_owned(),
        ),
    ] {
        assert_eq!(taken(&image(layers), 1 << 20).unwrap_err(), expected);
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let zeros = vec![0; 1 << 20];
    let (_, bomb) = tar_gzip(PLUGIN_WASM, &zeros);
    assert!(bomb.len() < 10_000, "{}", bomb.len());
    assert_eq!(
        taken(&image(vec![layer(GZIP, &bomb)]), 10_000).unwrap_err(),
        "plugin.wasm is larger than 10000 bytes"
    );
    assert_eq!(
        taken(&image(vec![layer(RAW, &zeros), layer("a/b", b"")]), 10_000).unwrap_err(),
        "the layer is larger than 10000 bytes"
    );
    // What stands before plugin.wasm is not unpacked without end either.
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("filler", vec![0; 4 << 20].as_slice()), (PLUGIN_WASM, WASM)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content).unwrap();
    }
    let tar = archive.into_inner().unwrap();
    let mut gzip = Vec::new();
    flate2::read::GzEncoder::new(tar.as_slice(), flate2::Compression::best())
        .read_to_end(&mut gzip)
        .unwrap();
    let error = taken(&image(vec![layer(GZIP, &gzip)]), 10_000).unwrap_err();
    assert!(
        error.starts_with("the last layer is no gzipped tar"),
        "{error}"
    );
}

#[test]
fn of_an_index_the_agent_takes_linux_amd64() {
    let folder = tempfile::tempdir().unwrap();
    let module = compat(WASM);
    let of_index = |platform: Value| {
        let mut index = compat(WASM);
        index.manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{"mediaType": "a/b", "digest": module.digest(), "size": 1, "platform": platform}],
        })
        .to_string()
        .into_bytes();
        ImageFolder::write(folder.path(), &[(&index, Some("index")), (&module, None)]).unwrap();
        let opened = ImageFolder::open(folder.path(), Some("index")).unwrap();
        accept(&opened, 1 << 20).map_err(|error| error.to_string())
    };
    let amd64 = of_index(json!({"os": "linux", "architecture": "amd64"})).unwrap();
    assert_eq!(
        (amd64.digest, amd64.wasm.as_slice()),
        (module.digest(), WASM)
    );
    assert!(of_index(Value::Null).is_ok());
    assert_eq!(
        of_index(json!({"os": "linux", "architecture": "arm64"})).unwrap_err(),
        "the index has no image for linux/amd64, which is the one that Istio's agent takes"
    );
}

#[test]
fn a_layout_is_read_by_tag_and_its_files_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (compat(WASM), compat(b"\0asm\x01\0\0\0two"));
    let about = Image::about(
        one.descriptor(),
        SBOM_TYPE,
        Blob::new(SBOM_TYPE, "{}"),
        BTreeMap::new(),
    );
    ImageFolder::write(folder.path(), &[(&one, Some("1")), (&about, None)]).unwrap();
    let only = ImageFolder::open(folder.path(), None).unwrap();
    assert_eq!(accept(&only, 1 << 20).unwrap().digest, one.digest());

    ImageFolder::write(folder.path(), &[(&one, Some("1")), (&two, Some("2"))]).unwrap();
    let error = |tag| {
        ImageFolder::open(folder.path(), tag)
            .unwrap_err()
            .to_string()
    };
    assert!(error(None).ends_with(": several images; choose one as DIR:TAG: 1, 2"));
    assert!(error(Some("3")).ends_with(": no image `3`; it has: 1, 2"));

    let layer = one.blobs[1].descriptor().digest;
    let path = folder
        .path()
        .join("blobs/sha256")
        .join(&layer["sha256:".len()..]);
    std::fs::write(&path, "other bytes").unwrap();
    let first = ImageFolder::open(folder.path(), Some("1")).unwrap();
    let error = accept(&first, 1 << 20).unwrap_err().to_string();
    assert!(
        error.ends_with("its content is not what its name says"),
        "{error}"
    );
}

#[test]
fn a_digest_never_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = compat(WASM);
    let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    manifest["layers"][0]["digest"] = json!("sha256:../../oci-layout");
    image.manifest = manifest.to_string().into_bytes();
    ImageFolder::write(folder.path(), &[(&image, None)]).unwrap();
    let opened = ImageFolder::open(folder.path(), None).unwrap();
    assert_eq!(
        accept(&opened, 1 << 20).unwrap_err().to_string(),
        "the layer: sha256:../../oci-layout is no sha256 digest"
    );
}

#[test]
fn a_target_names_its_registry() {
    let parse = |text: &str| text.parse::<Target>();
    let target = parse("oci://127.0.0.1:5000/backstop/waf:0.1.0").unwrap();
    assert!(target.is_loopback());
    assert_eq!(
        (target.registry(), target.tag(), target.digest()),
        ("127.0.0.1:5000", Some("0.1.0"), None)
    );
    let digest = digest(b"");
    assert_eq!(
        target.pinned(&digest),
        format!("oci://127.0.0.1:5000/backstop/waf@{digest}")
    );
    assert_eq!(
        parse(&target.pinned(&digest)).unwrap().digest(),
        Some(digest.as_str())
    );
    for (text, is_loopback) in [
        ("oci://localhost:5000/a:1", true),
        ("oci://localhost/a:1", true),
        ("oci://127.9.9.9/a:1", true),
        ("oci://127.0.0.1.evil.example/a:1", false),
        ("oci://registry.example.com/a:1", false),
    ] {
        assert_eq!(parse(text).unwrap().is_loopback(), is_loopback, "{text}");
    }
    for (text, expected) in [
        (
            "registry.example.com/a:1",
            "an image is named oci://HOST/REPOSITORY:TAG",
        ),
        (
            "https://registry.example.com/a:1",
            "an image is named oci://",
        ),
        ("oci://waf:1", "names no registry"),
        ("oci://backstop/waf:1", "names no registry"),
        ("oci://r.example/UPPER:1", "oci://r.example/UPPER:1: "),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

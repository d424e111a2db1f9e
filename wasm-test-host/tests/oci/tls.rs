//! A registry over TLS: its certificate has to lead to a root that the system trusts.

use std::process::Command;

use crate::registry::LoopbackRegistry;
use crate::run::{ORIGIN_VERIFY, command, file, finish, module};

/// A root, and a certificate of it for 0.0.0.0: an address that leads to this machine and does not count as loopback, where
/// plain HTTP would be spoken. Paths of root, certificate and key.
fn certificates(folder: &tempfile::TempDir) -> [String; 3] {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let openssl = |args: &[&str]| {
        let output = Command::new("openssl")
            .args(args)
            .output()
            .expect("openssl runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let [root, root_key, request, key, certificate] = [
        "root.pem",
        "root.key",
        "request.pem",
        "server.key",
        "server.pem",
    ]
    .map(path);
    let names = file(
        folder,
        "names.cnf",
        "subjectAltName=IP:0.0.0.0\nbasicConstraints=CA:FALSE\n",
    );
    let new_key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    openssl(
        &[
            &[
                "req",
                "-x509",
                "-subj",
                "/CN=test root",
                "-keyout",
                &root_key,
                "-out",
                &root,
            ],
            &new_key[..],
        ]
        .concat(),
    );
    openssl(
        &[
            &[
                "req",
                "-subj",
                "/CN=registry",
                "-keyout",
                &key,
                "-out",
                &request,
            ],
            &new_key[..],
        ]
        .concat(),
    );
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &root,
        "-CAkey",
        &root_key,
        "-CAcreateserial",
        "-extfile",
        &names,
        "-out",
        &certificate,
    ]);
    [root, certificate, key]
}

#[test]
fn a_registry_over_tls_needs_a_root_that_the_system_trusts() {
    let folder = tempfile::tempdir().unwrap();
    let [root, certificate, key] = certificates(&folder);
    let registry = LoopbackRegistry::with_tls(&certificate, &key);
    let port = registry.host.rsplit_once(':').unwrap().1;
    let image = format!("oci://0.0.0.0:{port}/backstop/origin-verify:1");
    let path = module("origin-verify");
    let with_roots = |args: &[&str], roots: &str| {
        finish(
            command(args)
                .env("SSL_CERT_FILE", roots)
                .env_remove("SSL_CERT_DIR"),
            b"",
        )
    };
    let publish = ["publish", &image, &path];

    let other = tempfile::tempdir().unwrap();
    let [other_root, ..] = certificates(&other);
    let refused = with_roots(&publish, &other_root).refused();
    assert!(
        refused.starts_with(&format!("0.0.0.0:{port}: ")),
        "{refused}"
    );
    assert!(refused.contains("certificate"), "{refused}");

    let pin = with_roots(&publish, &root).ok();
    let config = file(&folder, "config.json", ORIGIN_VERIFY);
    let verified = with_roots(&["verify", pin.trim_end(), "--config", &config], &root).ok();
    assert!(
        verified.starts_with("ok: compat image sha256:"),
        "{verified}"
    );

    // Plain HTTP where TLS is spoken: an answer, and none that is taken for an image.
    let plain = with_roots(&[&publish[..], &["--insecure"]].concat(), &root).refused();
    assert!(plain.starts_with(&format!("0.0.0.0:{port}: ")), "{plain}");
}

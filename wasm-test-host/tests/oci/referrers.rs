//! The SBOM is found from the image: by the registry's own list, or by the fallback tag where it has none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use backstop_host::oci::digest;
use serde_json::{Value, json};

use crate::registry::LoopbackRegistry;
use crate::run::{command, file, finish, module, run, skopeo};

const SBOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]}"#;
const SBOM_TYPE: &str = "application/vnd.cyclonedx+json";

fn raw(reference: &str) -> Vec<u8> {
    let from = format!("docker://{}", reference.strip_prefix("oci://").unwrap());
    skopeo(&["inspect", "--raw", "--tls-verify=false", &from])
}

#[test]
fn a_registry_without_the_api_gets_the_fallback_tag() {
    let registry = LoopbackRegistry::open();
    let folder = tempfile::tempdir().unwrap();
    let sbom = file(&folder, "sbom.json", SBOM);
    let path = module("origin-verify");
    let image = registry.image("backstop/origin-verify:1");
    let publish = |sbom: &str| {
        let run = finish(
            &mut command(&["publish", &image, &path, "--sbom", sbom]),
            b"",
        );
        (run.stderr.clone(), run.ok())
    };
    let (said, pin) = publish(&sbom);
    let of_image = pin.trim_end().rsplit_once('@').unwrap().1;
    let tag = of_image.replace(':', "-");
    assert!(
        said.trim_end()
            .ends_with(&format!("listed under the tag {tag}")),
        "{said}"
    );

    let repository = registry.image("backstop/origin-verify");
    let index: Value = serde_json::from_slice(&raw(&format!("{repository}:{tag}"))).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["artifactType"], SBOM_TYPE);
    let of_sbom = entries[0]["digest"].as_str().unwrap();
    let bytes = raw(&format!("{repository}@{of_sbom}"));
    assert_eq!(digest(&bytes), of_sbom);
    assert_eq!(entries[0]["size"], json!(bytes.len()));
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(manifest["subject"]["digest"], of_image);
    assert_eq!(
        manifest["subject"]["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(manifest["artifactType"], SBOM_TYPE);
    assert_eq!(manifest["layers"][0]["digest"], digest(SBOM.as_bytes()));

    // Again, nothing is added; another SBOM comes beside the first; the image stays what it is.
    let (_, again) = publish(&sbom);
    let other = file(&folder, "other.json", SBOM.replace("1.5", "1.4"));
    let (_, beside) = publish(&other);
    assert_eq!(
        (again.as_str(), beside.as_str()),
        (pin.as_str(), pin.as_str())
    );
    let index: Value = serde_json::from_slice(&raw(&format!("{repository}:{tag}"))).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn a_registry_with_the_api_lists_it_by_itself_and_gets_no_tag() {
    let behind = LoopbackRegistry::open();
    let host = listing_front(behind.host.clone());
    let folder = tempfile::tempdir().unwrap();
    let sbom = file(&folder, "sbom.json", SBOM);
    let image = format!("oci://{host}/backstop/origin-verify:1");
    let published = run(&["publish", &image, &module("origin-verify"), "--sbom", &sbom]);
    assert!(
        published.stderr.contains("found from the image"),
        "{}",
        published.stderr
    );
    published.ok();
    let name = format!("docker://{}/backstop/origin-verify", behind.host);
    let tags: Value =
        serde_json::from_slice(&skopeo(&["list-tags", "--tls-verify=false", &name])).unwrap();
    assert_eq!(tags["Tags"], json!(["1"]));
}

/// A front for a registry that knows which manifests are about which, as the distribution spec 1.1 wants it. `HOST:PORT`.
fn listing_front(registry: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let about: Arc<Mutex<BTreeMap<String, Vec<Value>>>> = Arc::default();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (registry, about) = (registry.clone(), about.clone());
            std::thread::spawn(move || {
                // A client that went away is no failure of the test.
                let _ = relay(client, &registry, &about);
            });
        }
    });
    host
}

fn relay(
    mut client: TcpStream,
    registry: &str,
    about: &Mutex<BTreeMap<String, Vec<Value>>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    if let Some((_, subject)) = path.split_once("/referrers/") {
        let subject = subject
            .split('?')
            .next()
            .unwrap_or_default()
            .replace("%3A", ":");
        let manifests = about
            .lock()
            .unwrap()
            .get(&subject)
            .cloned()
            .unwrap_or_default();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        })
        .to_string();
        return write!(
            client,
            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.index.v1+json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{index}",
            index.len()
        );
    }
    let manifest: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(subject) = manifest.pointer("/subject/digest").and_then(Value::as_str) {
        about
            .lock()
            .unwrap()
            .entry(subject.to_owned())
            .or_default()
            .push(json!({
                "mediaType": manifest["mediaType"],
                "digest": digest(&body),
                "size": body.len(),
                "artifactType": manifest["artifactType"],
            }));
    }
    let mut upstream = TcpStream::connect(registry)?;
    write!(upstream, "{head}connection: close\r\n\r\n")?;
    upstream.write_all(&body)?;
    std::io::copy(&mut upstream, &mut client)?;
    Ok(())
}

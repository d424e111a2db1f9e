//! The SBOM is found from the image: by the registry's own list, or by the fallback tag where it has none.

use std::collections::BTreeMap;
use std::sync::Mutex;

use backstop_host::oci::digest;
use serde_json::{Value, json};

use crate::front::{answer, front};
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
    let about: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::default();
    front(registry, move |asked| {
        if let Some((_, subject)) = asked.path.split_once("/referrers/") {
            let subject = subject.split('?').next()?.replace("%3A", ":");
            let manifests = about.lock().unwrap().get(&subject).cloned();
            let index = json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": manifests.unwrap_or_default(),
            });
            let media_type = "content-type: application/vnd.oci.image.index.v1+json";
            return Some(answer("200 OK", media_type, &index.to_string()));
        }
        let manifest: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let subject = manifest.pointer("/subject/digest")?.as_str()?;
        let mut about = about.lock().unwrap();
        about.entry(subject.to_owned()).or_default().push(json!({
            "mediaType": manifest["mediaType"],
            "digest": digest(&asked.body),
            "size": asked.body.len(),
            "artifactType": manifest["artifactType"],
        }));
        None
    })
}

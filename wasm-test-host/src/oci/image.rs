//! An image in memory: manifest, config and layers, with their digests.

use std::collections::BTreeMap;

use oci_client::manifest::{
    IMAGE_CONFIG_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
    OciImageManifest,
};
use serde_json::json;

use super::{PLUGIN_WASM, digest, tar_gzip};

/// The raw module as a layer of an artifact.
pub(super) const WASM_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
/// The runtime's configuration, config and second layer of an artifact.
const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
/// The config of an image that has none (OCI image spec 1.1, "Guidance for an Empty Descriptor").
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// Keys of annotations.
pub mod annotation {
    pub use oci_client::annotations::{
        ORG_OPENCONTAINERS_IMAGE_CREATED as CREATED, ORG_OPENCONTAINERS_IMAGE_LICENSES as LICENSES,
        ORG_OPENCONTAINERS_IMAGE_REVISION as REVISION, ORG_OPENCONTAINERS_IMAGE_SOURCE as SOURCE,
        ORG_OPENCONTAINERS_IMAGE_TITLE as TITLE,
    };
    /// The module's Proxy-Wasm ABI version, such as `0.2.1`.
    pub const ABI: &str = "backstop.proxy-wasm.abi";
    /// Digest of the JSON Schema of the module's configuration.
    pub const CONFIG_SCHEMA: &str = "backstop.config-schema.digest";
    /// Digest of the module itself, whatever it is wrapped in.
    pub const MODULE: &str = "backstop.module.digest";
}

/// How a module lies in an image. Istio's agent takes these two and Docker's own (`pkg/wasm/imagefetcher.go`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// One layer, a gzipped tar with `plugin.wasm`: every registry stores it, every tool copies it.
    #[default]
    Compat,
    /// Two layers, the module as it is and the runtime's configuration.
    Artifact,
}

/// Bytes with a media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What they are.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The name that a client may give the file.
    pub title: Option<String>,
}

impl Blob {
    /// Bytes of that media type.
    pub fn new(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            media_type: media_type.to_owned(),
            bytes: bytes.into(),
            title: None,
        }
    }

    /// Names the file.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// How a manifest names it.
    pub fn descriptor(&self) -> OciDescriptor {
        OciDescriptor {
            media_type: self.media_type.clone(),
            digest: digest(&self.bytes),
            size: i64::try_from(self.bytes.len()).unwrap_or(i64::MAX),
            annotations: self
                .title
                .as_ref()
                .map(|title| BTreeMap::from([(annotation::TITLE.to_owned(), title.clone())])),
            ..OciDescriptor::default()
        }
    }
}

/// An image that can be pushed.
#[derive(Clone, Debug)]
pub struct Image {
    /// The manifest as it is stored: its digest is the image's.
    pub manifest: Vec<u8>,
    /// What the manifest names: config first, then the layers.
    pub blobs: Vec<Blob>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

impl Image {
    /// The image of a module. The same arguments give the same bytes.
    pub fn of_module(
        wasm: &[u8],
        layout: Layout,
        mut annotations: BTreeMap<String, String>,
    ) -> Self {
        annotations.insert(annotation::MODULE.to_owned(), digest(wasm));
        match layout {
            Layout::Compat => {
                let (tar, gzip) = tar_gzip(PLUGIN_WASM, wasm);
                let config = json!({
                    "architecture": "wasm",
                    "os": "wasip1",
                    "config": {},
                    "rootfs": {"type": "layers", "diff_ids": [digest(&tar)]},
                });
                Self::of_blobs(
                    Blob::new(IMAGE_CONFIG_MEDIA_TYPE, config.to_string()),
                    vec![Blob::new(IMAGE_LAYER_GZIP_MEDIA_TYPE, gzip)],
                    annotations,
                )
            }
            Layout::Artifact => {
                let abi = annotations.get(annotation::ABI).cloned();
                let runtime = json!({
                    "type": "envoy_proxy",
                    "abiVersions": abi.iter().map(|abi| format!("v{abi}")).collect::<Vec<_>>(),
                    "config": {"rootIds": [""]},
                });
                let config = Blob::new(WASM_CONFIG, runtime.to_string());
                let second = config.clone().title("runtime-config.json");
                let module = Blob::new(WASM_LAYER, wasm).title("filter.wasm");
                Self::of_blobs(config, vec![module, second], annotations)
            }
        }
    }

    /// An image of these parts.
    pub fn of_blobs(
        config: Blob,
        layers: Vec<Blob>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        Self::build(config, layers, None, None, annotations)
    }

    /// An artifact of that type about another image, found from there as its referrer (OCI image spec 1.1, `subject`).
    pub fn about(
        subject: OciDescriptor,
        artifact_type: &str,
        content: Blob,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let config = Blob::new(EMPTY_CONFIG, "{}");
        let artifact_type = Some(artifact_type.to_owned());
        Self::build(
            config,
            vec![content],
            Some(subject),
            artifact_type,
            annotations,
        )
    }

    fn build(
        config: Blob,
        layers: Vec<Blob>,
        subject: Option<OciDescriptor>,
        artifact_type: Option<String>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let manifest = OciImageManifest {
            schema_version: 2,
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: config.descriptor(),
            layers: layers.iter().map(Blob::descriptor).collect(),
            subject,
            artifact_type: artifact_type.clone(),
            annotations: (!annotations.is_empty()).then(|| annotations.clone()),
        };
        Self {
            // Structs and sorted maps of text: nothing in it that JSON could not say.
            manifest: serde_json::to_vec(&manifest).unwrap_or_default(),
            blobs: std::iter::once(config).chain(layers).collect(),
            artifact_type,
            annotations,
        }
    }

    /// The manifest's digest: what pins the image.
    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// How an index or a referrer names it.
    pub fn descriptor(&self) -> OciDescriptor {
        OciDescriptor {
            media_type: OCI_IMAGE_MEDIA_TYPE.to_owned(),
            digest: self.digest(),
            size: i64::try_from(self.manifest.len()).unwrap_or(i64::MAX),
            artifact_type: self.artifact_type.clone(),
            ..OciDescriptor::default()
        }
    }

    /// Its annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}

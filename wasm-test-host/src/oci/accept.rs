//! What Istio's agent makes of an image (`pkg/wasm/imagefetcher.go`, `cache.go`): the module in it, or a refusal.

use oci_client::manifest::{
    IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OciDescriptor,
};
use serde::Deserialize;

use super::image::WASM_LAYER;
use super::layer::{LayerError, plugin_wasm};
use super::{PLUGIN_WASM, Store, StoreError, digest};

/// The agent's limit for a module, in bytes (`ISTIO_WASM_MAX_BINARY_SIZE_BYTES`).
pub const MAX_MODULE_BYTES: u64 = 256 << 20;

/// An image that the agent takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// As what: `compat`, `artifact` or `docker`.
    pub layout: &'static str,
    /// The manifest's digest, which a WasmPlugin's `sha256` is compared with.
    pub digest: String,
    /// The module.
    pub wasm: Vec<u8>,
}

/// Why the agent takes no module from an image.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("{what}: {error}")]
    Store {
        /// What was asked for.
        what: &'static str,
        /// Why it cannot be read.
        error: StoreError,
    },
    /// No JSON of a manifest.
    #[error("the manifest cannot be read: {0}")]
    Manifest(String),
    /// An old schema.
    #[error("the manifest's schemaVersion is {0}, not 2")]
    SchemaVersion(u8),
    /// An index without an image that the agent would choose.
    #[error("the index has no image for linux/amd64, which is the one that Istio's agent takes")]
    Platform,
    /// Nothing in it.
    #[error("the image has no layers")]
    NoLayers,
    /// A Docker manifest with another layer.
    #[error(
        "the last layer of a Docker image has to be {IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE}, not {0}"
    )]
    DockerLayer(String),
    /// Neither of the OCI layouts.
    #[error(
        "neither a compat image (its last layer is {last}, not {IMAGE_LAYER_GZIP_MEDIA_TYPE}) nor an artifact ({artifact})"
    )]
    Layout {
        /// The last layer's media type.
        last: String,
        /// What an artifact lacks.
        artifact: String,
    },
    /// A compat layer without the module.
    #[error("{0}")]
    Layer(String),
    /// Larger than the agent takes.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is.
        what: &'static str,
        /// Most bytes.
        limit: u64,
    },
    /// No module: its first bytes are not `\0asm`.
    #[error("{0} is not WebAssembly: it does not begin with \\0asm")]
    NotWasm(&'static str),
}

impl From<LayerError> for Refused {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::TooLarge(limit) => Self::TooLarge {
                what: PLUGIN_WASM,
                limit,
            },
            LayerError::Broken(_) | LayerError::NoPlugin => Self::Layer(error.to_string()),
        }
    }
}

/// What of a manifest or an index counts here. Unknown fields are the sender's business.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    layers: Vec<OciDescriptor>,
    #[serde(default)]
    manifests: Vec<IndexEntry>,
}

#[derive(Deserialize)]
struct IndexEntry {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// Reads the module as the agent would. `limit` is the most bytes of a module.
///
/// # Errors
/// The first rule of the agent's that the image breaks.
pub fn accept(store: &dyn Store, limit: u64) -> Result<Accepted, Refused> {
    let (bytes, manifest) = manifest(store, None)?;
    let is_index = [OCI_IMAGE_INDEX_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE]
        .contains(&manifest.media_type.as_str());
    let (bytes, manifest) = if is_index || !manifest.manifests.is_empty() {
        let chosen = manifest.manifests.iter().find(|entry| {
            // An entry without a platform counts as linux/amd64 (go-containerregistry, `childByPlatform`).
            entry
                .platform
                .as_ref()
                .is_none_or(|platform| platform.os == "linux" && platform.architecture == "amd64")
        });
        let digest = &chosen.ok_or(Refused::Platform)?.digest;
        self::manifest(store, Some(digest))?
    } else {
        (bytes, manifest)
    };
    let (layout, wasm) = module(store, &manifest, limit)?;
    accept_module(&wasm, limit)?;
    Ok(Accepted {
        layout,
        digest: digest(&bytes),
        wasm,
    })
}

/// What the agent asks of the module itself: its size and its first bytes.
///
/// # Errors
/// Too large, or no WebAssembly.
pub fn accept_module(wasm: &[u8], limit: u64) -> Result<(), Refused> {
    const WHAT: &str = "the module";
    if wasm.len() as u64 > limit {
        return Err(Refused::TooLarge { what: WHAT, limit });
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(Refused::NotWasm(WHAT));
    }
    Ok(())
}

fn manifest(store: &dyn Store, digest: Option<&str>) -> Result<(Vec<u8>, Manifest), Refused> {
    let bytes = store.manifest(digest).map_err(|error| Refused::Store {
        what: "the manifest",
        error,
    })?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| Refused::Manifest(error.to_string()))?;
    if manifest.schema_version != 2 {
        return Err(Refused::SchemaVersion(manifest.schema_version));
    }
    Ok((bytes, manifest))
}

fn module(
    store: &dyn Store,
    manifest: &Manifest,
    limit: u64,
) -> Result<(&'static str, Vec<u8>), Refused> {
    let last = manifest.layers.last().ok_or(Refused::NoLayers)?;
    if manifest.media_type == IMAGE_MANIFEST_MEDIA_TYPE {
        if last.media_type != IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE {
            return Err(Refused::DockerLayer(last.media_type.clone()));
        }
        return Ok(("docker", plugin_wasm(&blob(store, last, limit)?, limit)?));
    }
    if last.media_type == IMAGE_LAYER_GZIP_MEDIA_TYPE {
        return Ok(("compat", plugin_wasm(&blob(store, last, limit)?, limit)?));
    }
    let refused = |artifact| Refused::Layout {
        last: last.media_type.clone(),
        artifact,
    };
    if manifest.layers.len() != 2 {
        return Err(refused(format!(
            "which has two layers, not {}",
            manifest.layers.len()
        )));
    }
    let layer = manifest
        .layers
        .iter()
        .find(|layer| layer.media_type == WASM_LAYER)
        .ok_or_else(|| refused(format!("no layer is {WASM_LAYER}")))?;
    Ok(("artifact", blob(store, layer, limit)?))
}

fn blob(store: &dyn Store, layer: &OciDescriptor, limit: u64) -> Result<Vec<u8>, Refused> {
    const WHAT: &str = "the layer";
    if u64::try_from(layer.size).is_ok_and(|size| size > limit) {
        return Err(Refused::TooLarge { what: WHAT, limit });
    }
    store.blob(layer, limit).map_err(|error| match error {
        StoreError::TooLarge(limit) => Refused::TooLarge { what: WHAT, limit },
        error => Refused::Store { what: WHAT, error },
    })
}

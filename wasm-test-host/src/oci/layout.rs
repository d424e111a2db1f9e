//! An OCI image layout: images in a folder, for machines without a registry (image spec, `image-layout.md`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use oci_client::annotations::ORG_OPENCONTAINERS_IMAGE_REF_NAME as REF_NAME;
use oci_client::manifest::{OCI_IMAGE_INDEX_MEDIA_TYPE, OciDescriptor};
use serde::{Deserialize, Serialize};

use super::{Image, Store, StoreError, digest};

/// Why a folder cannot be written or read as a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file cannot be written or read.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// `index.json` is no index.
    #[error("{0}: {1}")]
    Index(PathBuf, serde_json::Error),
    /// No image, several, or none of that tag.
    #[error("{folder}: {reason}")]
    Choice {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: Option<String>,
    manifests: Vec<OciDescriptor>,
}

/// One image of a layout in a folder.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    folder: PathBuf,
    manifest: String,
}

impl ImageFolder {
    /// Writes images into a new layout, each with its tag where it has one.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(folder: &Path, images: &[(&Image, Option<&str>)]) -> Result<(), LayoutError> {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(|e| LayoutError::Io(blobs.clone(), e))?;
        let write = |path: PathBuf, bytes: &[u8]| {
            fs::write(&path, bytes).map_err(|e| LayoutError::Io(path.clone(), e))
        };
        let mut manifests = Vec::new();
        for (image, tag) in images {
            let contents = image.blobs.iter().map(|blob| blob.bytes.as_slice());
            for bytes in contents.chain([image.manifest.as_slice()]) {
                write(blobs.join(hex(&digest(bytes))), bytes)?;
            }
            manifests.push(OciDescriptor {
                annotations: tag.map(|tag| BTreeMap::from([(REF_NAME.to_owned(), tag.to_owned())])),
                ..image.descriptor()
            });
        }
        let index = Index {
            schema_version: 2,
            media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
            manifests,
        };
        let path = folder.join("index.json");
        let text = serde_json::to_vec(&index).map_err(|e| LayoutError::Index(path.clone(), e))?;
        write(path, &text)?;
        write(
            folder.join("oci-layout"),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        )
    }

    /// The image of that tag; without one, the only image that is not about another.
    ///
    /// # Errors
    /// The folder is no layout, or it has no such image.
    pub fn open(folder: &Path, tag: Option<&str>) -> Result<Self, LayoutError> {
        let path = folder.join("index.json");
        let text = fs::read(&path).map_err(|e| LayoutError::Io(path.clone(), e))?;
        let index: Index =
            serde_json::from_slice(&text).map_err(|e| LayoutError::Index(path.clone(), e))?;
        let name = |entry: &OciDescriptor| entry.annotations.as_ref()?.get(REF_NAME).cloned();
        let found: Vec<&OciDescriptor> = index
            .manifests
            .iter()
            .filter(|entry| match tag {
                Some(tag) => name(entry).as_deref() == Some(tag),
                None => entry.artifact_type.is_none(),
            })
            .collect();
        match found.as_slice() {
            [image] => Ok(Self {
                folder: folder.to_owned(),
                manifest: image.digest.clone(),
            }),
            others => {
                let tags: Vec<String> = index.manifests.iter().filter_map(name).collect();
                Err(LayoutError::Choice {
                    folder: folder.to_owned(),
                    reason: match (tag, others.len()) {
                        (Some(tag), 0) => format!("no image `{tag}`; it has: {}", tags.join(", ")),
                        (None, 0) => "no image in it".to_owned(),
                        _ => format!("several images; choose one as DIR:TAG: {}", tags.join(", ")),
                    },
                })
            }
        }
    }

    fn read(&self, wanted: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let hex = hex(wanted);
        // A digest becomes part of a path: nothing but hex digits may get there.
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StoreError::Other(format!("{wanted} is no sha256 digest")));
        }
        let path = self.folder.join("blobs/sha256").join(hex);
        let other =
            |error: std::io::Error| StoreError::Other(format!("{}: {error}", path.display()));
        if fs::metadata(&path).map_err(other)?.len() > limit {
            return Err(StoreError::TooLarge(limit));
        }
        let bytes = fs::read(&path).map_err(other)?;
        if digest(&bytes) != wanted {
            return Err(StoreError::Other(format!(
                "{}: its content is not what its name says",
                path.display()
            )));
        }
        Ok(bytes)
    }
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or_default()
}

impl Store for ImageFolder {
    fn manifest(&self, digest: Option<&str>) -> Result<Vec<u8>, StoreError> {
        self.read(
            digest.unwrap_or(&self.manifest),
            super::registry::MAX_MANIFEST,
        )
    }

    fn blob(&self, descriptor: &OciDescriptor, limit: u64) -> Result<Vec<u8>, StoreError> {
        self.read(&descriptor.digest, limit)
    }
}

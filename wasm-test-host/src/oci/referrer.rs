//! What is attached to an image: an artifact whose `subject` it is, found by the referrers API or by the fallback tag.

use oci_client::manifest::{ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OciDescriptor};

use super::registry::reqwest_header;
use super::{Image, Registry, RegistryError};

/// A CycloneDX SBOM as artifact and media type.
pub const SBOM_TYPE: &str = "application/vnd.cyclonedx+json";

/// How a registry lists what is attached to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Found from the image without our doing: by the registry itself (`GET /v2/NAME/referrers/DIGEST`), or listed before.
    Found,
    /// Under this tag, which we keep for registries without that API (distribution spec, "Referrers Tag Schema").
    ByTag(String),
}

impl Registry {
    /// Pushes an artifact that is about `subject`, and sees to it that it is found from there.
    ///
    /// # Errors
    /// The registry refuses, or cannot be reached.
    pub fn attach(&self, artifact: &Image, subject: &str) -> Result<Listed, RegistryError> {
        self.runtime
            .block_on(async {
                let own = self.image.clone_with_digest(artifact.digest());
                self.push_to(artifact, &own).await?;
                let subject = self.image.clone_with_digest(subject.to_owned());
                // Asks the API, and reads the tag where there is none.
                let mut index = self.client.pull_referrers(&subject, None).await?;
                let descriptor = artifact.descriptor();
                if index
                    .manifests
                    .iter()
                    .any(|entry| entry.digest == descriptor.digest)
                {
                    return Ok(Listed::Found);
                }
                index.media_type = Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned());
                index.manifests.push(entry(descriptor, artifact));
                index.manifests.sort_by(|a, b| a.digest.cmp(&b.digest));
                let tag = subject.digest().unwrap_or_default().replace(':', "-");
                let reference = oci_client::Reference::with_tag(
                    self.image.registry().to_owned(),
                    self.image.repository().to_owned(),
                    tag.clone(),
                );
                let bytes = serde_json::to_vec(&index)?;
                let media_type = reqwest_header(OCI_IMAGE_INDEX_MEDIA_TYPE)?;
                self.client
                    .push_manifest_raw(&reference, bytes, media_type)
                    .await?;
                Ok(Listed::ByTag(tag))
            })
            .map_err(|error| self.failed(error))
    }
}

fn entry(descriptor: OciDescriptor, artifact: &Image) -> ImageIndexEntry {
    let annotations = artifact.annotations();
    ImageIndexEntry {
        media_type: descriptor.media_type,
        digest: descriptor.digest,
        size: descriptor.size,
        platform: None,
        annotations: (!annotations.is_empty()).then(|| annotations.clone()),
        artifact_type: descriptor.artifact_type,
    }
}

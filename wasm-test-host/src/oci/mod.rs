//! A module as an OCI image: built so that the same module gives the same digest, in the two layouts that Istio's agent takes,
//! pushed to a registry or laid out in a folder, and read again by the agent's own rules.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use backstop_host::oci::{Image, Layout, MAX_MODULE_BYTES, Registry, RegistryAuth, Target, accept};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let wasm = std::fs::read("waf.wasm")?;
//! let image = Image::of_module(&wasm, Layout::Compat, BTreeMap::new());
//! let target: Target = "oci://127.0.0.1:5000/backstop/waf:0.1.0".parse()?;
//! Registry::connect(&target, RegistryAuth::Anonymous, false)?.push(&image)?;
//!
//! let pinned: Target = target.pinned(&image.digest()).parse()?;
//! let pulled = accept(&Registry::connect(&pinned, RegistryAuth::Anonymous, false)?, MAX_MODULE_BYTES)?;
//! assert_eq!(pulled.wasm, wasm);
//! # Ok(()) }
//! ```

mod accept;
mod credentials;
mod image;
mod layer;
mod layout;
mod referrer;
mod registry;
mod sbom;
mod target;

use oci_client::manifest::OciDescriptor;
use sha2::{Digest, Sha256};

pub use accept::{Accepted, MAX_MODULE_BYTES, Refused, accept, accept_module};
pub use credentials::{CredentialsError, credentials};
pub use image::{Blob, Image, Layout, annotation};
pub use layer::{PLUGIN_WASM, tar_gzip};
pub use layout::{ImageFolder, LayoutError};
pub use oci_client::secrets::RegistryAuth;
pub use referrer::{Listed, SBOM_TYPE};
pub use registry::{Registry, RegistryError};
pub use sbom::{SbomError, sbom};
pub use target::{Target, TargetError};

/// `sha256:` and 64 hex digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::from("sha256:"), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        })
}

/// What an image can be read from: manifests and blobs by their digests.
pub trait Store {
    /// The manifest of that digest; without one, the manifest that the store's own reference names.
    ///
    /// # Errors
    /// It is not there, or not what its digest says.
    fn manifest(&self, digest: Option<&str>) -> Result<Vec<u8>, StoreError>;

    /// The blob, never more than `limit` bytes of it.
    ///
    /// # Errors
    /// It is not there, not what its digest says, or larger than `limit`.
    fn blob(&self, descriptor: &OciDescriptor, limit: u64) -> Result<Vec<u8>, StoreError>;
}

/// Why something cannot be read from a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Larger than allowed.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Another reason, in one line.
    #[error("{0}")]
    Other(String),
}

#[cfg(test)]
mod tests;

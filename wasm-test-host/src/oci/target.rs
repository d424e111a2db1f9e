//! Where an image is, or goes: `oci://HOST/REPO:TAG`, as a WasmPlugin's `url` says it.

use std::net::Ipv4Addr;
use std::str::FromStr;

use oci_client::Reference;

/// A reference to an image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Reference);

/// Why a text is no reference.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No scheme, or another one.
    #[error("{0}: an image is named oci://HOST/REPOSITORY:TAG")]
    Scheme(String),
    /// No host: a default registry is never assumed.
    #[error("{0}: names no registry; an image is named oci://HOST/REPOSITORY:TAG")]
    Host(String),
    /// Something in it is not allowed.
    #[error("{0}: {1}")]
    Invalid(String, String),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let bare = text
            .strip_prefix("oci://")
            .ok_or_else(|| TargetError::Scheme(text.to_owned()))?;
        let host = bare.split_once('/').map(|(host, _)| host);
        if !host.is_some_and(|host| host.contains(['.', ':']) || host == "localhost") {
            return Err(TargetError::Host(text.to_owned()));
        }
        Reference::from_str(bare)
            .map(Self)
            .map_err(|error| TargetError::Invalid(text.to_owned(), error.to_string()))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "oci://{}", self.0.whole())
    }
}

impl Target {
    pub(super) fn reference(&self) -> &Reference {
        &self.0
    }

    /// Host and port.
    pub fn registry(&self) -> &str {
        self.0.resolve_registry()
    }

    /// The tag; none where a digest alone is named, `latest` where nothing is.
    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// The digest, where it names one.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// The same repository with a digest in place of the tag: what a WasmPlugin's `url` should say.
    pub fn pinned(&self, digest: &str) -> String {
        format!(
            "oci://{}/{}@{digest}",
            self.0.registry(),
            self.0.repository()
        )
    }

    /// Whether the registry is on this machine, where nobody else listens in.
    pub fn is_loopback(&self) -> bool {
        let registry = self.registry();
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        host == "localhost"
            || host
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

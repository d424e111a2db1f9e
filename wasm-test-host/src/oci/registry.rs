//! A registry over HTTP (OCI distribution spec): push and pull.

use std::pin::Pin;
use std::task::{Context, Poll};

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use tokio::io::AsyncWrite;
use tokio::runtime::Runtime;

use super::{Image, Store, StoreError, Target, digest};

/// Most bytes of a manifest (distribution spec: registries take at least this much, few take more).
pub(super) const MAX_MANIFEST: u64 = 4 << 20;

/// Why a registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The client itself cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// The registry wants credentials, or others.
    #[error("{registry} refuses {who}")]
    Unauthorized {
        /// Host and port.
        registry: String,
        /// Whom: nobody, or a name.
        who: String,
    },
    /// Anything else.
    #[error("{registry}: {reason}")]
    Other {
        /// Host and port.
        registry: String,
        /// What it said, in one line.
        reason: String,
    },
}

/// A connection to one repository.
pub struct Registry {
    pub(super) runtime: Runtime,
    pub(super) client: Client,
    pub(super) auth: RegistryAuth,
    pub(super) image: Reference,
}

impl Registry {
    /// A client for the target's registry: over TLS with the system's roots, in plain HTTP on loopback and with `insecure`.
    ///
    /// # Errors
    /// The TLS library or the runtime cannot be set up.
    pub fn connect(
        target: &Target,
        auth: RegistryAuth,
        insecure: bool,
    ) -> Result<Self, RegistryError> {
        // The process has one provider; that another is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let protocol = if insecure || target.is_loopback() {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        };
        let config = ClientConfig {
            protocol,
            user_agent: concat!("backstop/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client =
            Client::try_from(config).map_err(|error| RegistryError::Setup(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| RegistryError::Setup(error.to_string()))?;
        Ok(Self {
            runtime,
            client,
            auth,
            image: target.reference().clone(),
        })
    }

    /// Pushes blobs that are not there yet, then the manifest under the target's tag.
    ///
    /// # Errors
    /// The registry refuses, or cannot be reached.
    pub fn push(&self, image: &Image) -> Result<(), RegistryError> {
        self.runtime
            .block_on(self.push_to(image, &self.image))
            .map_err(|error| self.failed(error))
    }

    pub(super) async fn push_to(
        &self,
        image: &Image,
        reference: &Reference,
    ) -> Result<(), OciDistributionError> {
        self.client
            .auth(reference, &self.auth, RegistryOperation::Push)
            .await?;
        for blob in &image.blobs {
            let digest = digest(&blob.bytes);
            // Where the registry does not say, the blob is pushed: that is always right.
            if !matches!(self.client.blob_exists(reference, &digest).await, Ok(true)) {
                self.client
                    .push_blob(reference, blob.bytes.clone(), &digest)
                    .await?;
            }
        }
        let media_type = reqwest_header(OCI_IMAGE_MEDIA_TYPE)?;
        self.client
            .push_manifest_raw(reference, image.manifest.clone(), media_type)
            .await?;
        Ok(())
    }

    pub(super) fn failed(&self, error: OciDistributionError) -> RegistryError {
        let registry = self.image.resolve_registry().to_owned();
        let is_denied = match &error {
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_) => true,
            OciDistributionError::ServerError { code, .. } => matches!(code, 401 | 403),
            OciDistributionError::RegistryError { envelope, .. } => {
                envelope.errors.iter().any(|error| {
                    matches!(
                        error.code,
                        OciErrorCode::Unauthorized | OciErrorCode::Denied
                    )
                })
            }
            _ => false,
        };
        if is_denied {
            let who = match &self.auth {
                RegistryAuth::Anonymous => {
                    "access without credentials; log in with `docker login`, or give --username and --password-stdin"
                        .to_owned()
                }
                RegistryAuth::Basic(name, _) => format!("the credentials of `{name}`"),
                RegistryAuth::Bearer(_) => "the token".to_owned(),
            };
            return RegistryError::Unauthorized { registry, who };
        }
        RegistryError::Other {
            registry,
            reason: causes(&error),
        }
    }
}

/// The header's value; the type is that of the client's HTTP library.
pub(super) fn reqwest_header<V>(text: &'static str) -> Result<V, OciDistributionError>
where
    V: TryFrom<&'static str>,
{
    V::try_from(text).map_err(|_| OciDistributionError::UnsupportedMediaTypeError(text.to_owned()))
}

/// An error with its causes, in one line: "error sending request" alone helps nobody.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

impl Store for Registry {
    fn manifest(&self, digest: Option<&str>) -> Result<Vec<u8>, StoreError> {
        let reference = match digest {
            Some(digest) => self.image.clone_with_digest(digest.to_owned()),
            None => self.image.clone(),
        };
        let accepted = [
            OCI_IMAGE_MEDIA_TYPE,
            IMAGE_MANIFEST_MEDIA_TYPE,
            OCI_IMAGE_INDEX_MEDIA_TYPE,
            IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        ];
        let pulled = self.runtime.block_on(async {
            self.client
                .auth(&reference, &self.auth, RegistryOperation::Pull)
                .await?;
            self.client
                .pull_manifest_raw(&reference, &self.auth, &accepted)
                .await
        });
        let (bytes, _) =
            pulled.map_err(|error| StoreError::Other(self.failed(error).to_string()))?;
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(StoreError::TooLarge(MAX_MANIFEST));
        }
        Ok(bytes.to_vec())
    }

    fn blob(&self, descriptor: &OciDescriptor, limit: u64) -> Result<Vec<u8>, StoreError> {
        let mut out = Bounded {
            bytes: Vec::new(),
            limit,
            over: false,
        };
        let pulled = self.runtime.block_on(async {
            self.client
                .store_auth_if_needed(self.image.resolve_registry(), &self.auth)
                .await;
            self.client
                .pull_blob(&self.image, descriptor, &mut out)
                .await
        });
        if out.over {
            return Err(StoreError::TooLarge(limit));
        }
        pulled.map_err(|error| StoreError::Other(self.failed(error).to_string()))?;
        Ok(out.bytes)
    }
}

/// Memory that takes no more than so much, whatever the registry sends.
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
    over: bool,
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if (self.bytes.len() + data.len()) as u64 > self.limit {
            self.over = true;
            return Poll::Ready(Err(std::io::Error::other("too large")));
        }
        self.bytes.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

//! Who we are to a registry: from the command line, or from Docker's configuration and its helpers.

use std::env;
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

/// Why there are no credentials although some are configured. Never holds a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The configuration or its helper failed.
    #[error("credentials for {registry}: {reason}")]
    Docker {
        /// Host and port.
        registry: String,
        /// What failed.
        reason: String,
    },
    /// A token of a kind that only its own client can turn into a password.
    #[error(
        "credentials for {0}: Docker's configuration has an identity token; give --username and --password-stdin"
    )]
    IdentityToken(String),
}

/// What Docker's configuration (`$DOCKER_CONFIG/config.json` or `~/.docker/config.json`: `credHelpers`, `auths`,
/// `credsStore`) says for a registry. Anonymous where it says nothing.
///
/// # Errors
/// The configuration cannot be read, or its helper fails.
pub fn credentials(registry: &str) -> Result<RegistryAuth, CredentialsError> {
    let folder = env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".docker")));
    if !folder.is_some_and(|folder| folder.join("config.json").is_file()) {
        return Ok(RegistryAuth::Anonymous);
    }
    of_docker(
        registry,
        docker_credential::get_credential(server(registry)),
    )
}

/// Docker Hub's entry has its address of long ago.
fn server(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
        registry => registry,
    }
}

fn of_docker(
    registry: &str,
    found: Result<DockerCredential, CredentialRetrievalError>,
) -> Result<RegistryAuth, CredentialsError> {
    let failed = |reason: String| CredentialsError::Docker {
        registry: registry.to_owned(),
        reason,
    };
    match found {
        Ok(DockerCredential::UsernamePassword(name, password)) => {
            Ok(RegistryAuth::Basic(name, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => {
            Err(CredentialsError::IdentityToken(registry.to_owned()))
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(RegistryAuth::Anonymous),
        // By the helpers' protocol this text on stdout means that there is no entry.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.contains("credentials not found") =>
        {
            Ok(RegistryAuth::Anonymous)
        }
        Err(CredentialRetrievalError::HelperFailure {
            helper,
            stdout,
            stderr,
        }) => {
            let said = if stderr.trim().is_empty() {
                stdout
            } else {
                stderr
            };
            Err(failed(format!("{helper} failed: {}", said.trim())))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            Err(failed("the credential helper cannot be run".to_owned()))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper(stdout: &str) -> CredentialRetrievalError {
        CredentialRetrievalError::HelperFailure {
            helper: "docker-credential-x".to_owned(),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }
    }

    #[test]
    fn no_entry_is_anonymous_and_a_failure_is_told() {
        let of = |found| of_docker("r.example", found);
        assert_eq!(
            of(Err(CredentialRetrievalError::NoCredentialConfigured)),
            Ok(RegistryAuth::Anonymous)
        );
        assert_eq!(
            of(Err(helper("credentials not found in native keychain\n"))),
            Ok(RegistryAuth::Anonymous)
        );
        assert_eq!(
            of(Err(helper("the keychain is locked\n")))
                .unwrap_err()
                .to_string(),
            "credentials for r.example: docker-credential-x failed: the keychain is locked"
        );
        assert_eq!(
            of(Ok(DockerCredential::UsernamePassword(
                "u".into(),
                "p".into()
            ))),
            Ok(RegistryAuth::Basic("u".into(), "p".into()))
        );
        let token = of(Ok(DockerCredential::IdentityToken("secret-token".into())));
        assert!(!token.unwrap_err().to_string().contains("secret-token"));
    }

    #[test]
    fn docker_hub_has_its_own_name() {
        assert_eq!(server("docker.io"), "https://index.docker.io/v1/");
        assert_eq!(server("ghcr.io"), "ghcr.io");
    }
}

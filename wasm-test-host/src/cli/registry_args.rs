//! How a command reaches a registry.

use std::io::Read;

use clap::Args;

use super::Failure;
use crate::oci::{Registry, RegistryAuth, Target, credentials};

/// A password of more bytes than this is none.
const MAX_PASSWORD: u64 = 64 << 10;

#[derive(Debug, Args)]
pub(super) struct RegistryArgs {
    /// Speak plain HTTP. On loopback that is done anyway.
    #[arg(long)]
    insecure: bool,
    /// Log in by this name. Without it: Docker's configuration and its credential helpers.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input.
    #[arg(long, requires = "username")]
    password_stdin: bool,
}

impl RegistryArgs {
    /// A client for the target's registry.
    pub(super) fn connect(&self, target: &Target) -> Result<Registry, Failure> {
        let auth = match &self.username {
            Some(name) => RegistryAuth::Basic(name.clone(), password()?),
            None => credentials(target.registry()).map_err(Failure::new)?,
        };
        Registry::connect(target, auth, self.insecure).map_err(Failure::new)
    }
}

fn password() -> Result<String, Failure> {
    let mut password = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_PASSWORD)
        .read_to_string(&mut password)
        .map_err(|error| Failure::new(format_args!("--password-stdin: {error}")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new("--password-stdin: no password came"));
    }
    Ok(password.to_owned())
}

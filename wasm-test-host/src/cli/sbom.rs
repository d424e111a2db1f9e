//! `backstop sbom`: what a filter is made of.

use std::path::PathBuf;

use clap::Args;

use super::{Ending, Failure, print};
use crate::oci;

/// Write what a filter is made of as CycloneDX JSON: the crates of Cargo.lock that are linked into it (scope `required`) and
/// those that only run while it is built (`excluded`).
///
/// The same source gives the same bytes: there is no time and no serial number in it. Needs cargo.
#[derive(Debug, Args)]
pub(super) struct SbomArgs {
    /// The filter's crate, such as backstop-waf-filter.
    package: String,
    /// The workspace's Cargo.toml.
    #[arg(long, value_name = "FILE", default_value = "Cargo.toml")]
    manifest_path: PathBuf,
    /// The module that was built from it: its SHA-256 becomes part of the SBOM.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Where to; without it, standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &SbomArgs) -> Result<Ending, Failure> {
    let failed = |path: &PathBuf, error| Failure::new(format_args!("{}: {error}", path.display()));
    let wasm = match &args.module {
        Some(path) => Some(std::fs::read(path).map_err(|error| failed(path, error))?),
        None => None,
    };
    let sbom =
        oci::sbom(&args.manifest_path, &args.package, wasm.as_deref()).map_err(Failure::new)?;
    match &args.output {
        Some(path) => {
            std::fs::write(path, sbom).map_err(|error| failed(path, error))?;
            Ok(Ending::Done)
        }
        None => print(&String::from_utf8_lossy(&sbom)),
    }
}

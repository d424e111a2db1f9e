//! `backstop verify`: would Istio's agent take this image, and would Envoy start what is in it?

use std::path::{Path, PathBuf};

use clap::Args;

use super::registry_args::RegistryArgs;
use super::{Ending, Failure, config_file, print};
use crate::Module;
use crate::oci::{
    Accepted, ImageFolder, MAX_MODULE_BYTES, Refused, Target, accept, accept_module, digest,
};
use crate::replay::{FilterSubject, Subject};

/// Take an image as Istio's agent does and start what is in it: prints `ok: …`, or in one line why not (exit code 2).
///
/// The agent's rules first (media types, number of layers, plugin.wasm, size, first bytes), then Envoy's (imports, ABI version,
/// allocator), then a start with a configuration in this host.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// oci://HOST/REPOSITORY:TAG or …@sha256:…; the folder of an OCI layout, DIR or DIR:TAG; or a .wasm file.
    image: String,
    /// What to start it with: JSON or YAML, bare or in a WasmPlugin manifest. Default: the empty configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which of several configurations in that file.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "NAME"
    )]
    filter: String,
    /// Most bytes of a layer and of the module, as the agent's ISTIO_WASM_MAX_BINARY_SIZE_BYTES.
    #[arg(long, value_name = "BYTES", default_value_t = MAX_MODULE_BYTES)]
    max_bytes: u64,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(super) fn run(args: &VerifyArgs) -> Result<Ending, Failure> {
    let name = args.image.as_str();
    let refused = |error: &dyn std::fmt::Display| Failure::new(format_args!("{name}: {error}"));
    let config = match &args.config {
        Some(path) => config_file::read(path, &args.filter)?,
        None => Vec::new(),
    };
    let (origin, wasm) = if name.contains("://") {
        let target: Target = name.parse().map_err(Failure::new)?;
        let registry = args.registry.connect(&target)?;
        of_image(accept(&registry, args.max_bytes)).map_err(|error| refused(&error))?
    } else if name.ends_with(".wasm") {
        let wasm = read_module(Path::new(name), args.max_bytes).map_err(|error| refused(&error))?;
        ("file".to_owned(), wasm)
    } else {
        let image = image_folder(name)?;
        of_image(accept(&image, args.max_bytes)).map_err(|error| refused(&error))?
    };
    let module = Module::from_bytes(&wasm).map_err(|error| refused(&error))?;
    let abi = module.abi();
    let subject = FilterSubject::of_module(module, config);
    (&subject)
        .start()
        .map_err(|error| refused(&format_args!("does not start: {error}")))?;
    print(&format!(
        "ok: {origin}, module {} of {} bytes, ABI {abi}, starts\n",
        digest(&wasm),
        wasm.len()
    ))
}

fn of_image(accepted: Result<Accepted, Refused>) -> Result<(String, Vec<u8>), Refused> {
    let accepted = accepted?;
    let origin = format!("{} image {}", accepted.layout, accepted.digest);
    Ok((origin, accepted.wasm))
}

fn read_module(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    let wasm = if size > limit {
        return Err(Refused::TooLarge {
            what: "the module",
            limit,
        }
        .to_string());
    } else {
        std::fs::read(path).map_err(|e| e.to_string())?
    };
    accept_module(&wasm, limit).map_err(|e| e.to_string())?;
    Ok(wasm)
}

/// `DIR`, or `DIR:TAG` where `DIR` alone is the folder.
fn image_folder(name: &str) -> Result<ImageFolder, Failure> {
    let opened = match name.rsplit_once(':') {
        Some((folder, tag)) if !Path::new(name).exists() => {
            ImageFolder::open(Path::new(folder), Some(tag))
        }
        _ => ImageFolder::open(Path::new(name), None),
    };
    opened.map_err(Failure::new)
}

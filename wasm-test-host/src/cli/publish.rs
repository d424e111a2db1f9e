//! `backstop publish`: a module into a registry.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::registry_args::RegistryArgs;
use super::{Ending, Failure, print};
use crate::oci::{
    Blob, Image, ImageFolder, Layout, Listed, SBOM_TYPE, Target, accept_module, annotation, digest,
};
use crate::{oci, pack};

/// Push a module as an image that Istio's agent takes, and print what to pin it by: `oci://HOST/REPOSITORY@sha256:…`.
///
/// The same module, annotations and layout give the same digest. Nothing but that one line goes to standard output.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Where to: oci://HOST/REPOSITORY:TAG.
    image: Target,
    /// The packed module, as `make build` leaves it in target/modules.
    module: PathBuf,
    /// How the module lies in the image; Istio takes both.
    #[arg(long, value_enum, default_value_t)]
    layout: Layout,
    /// Where the source is: org.opencontainers.image.source.
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The source's commit: org.opencontainers.image.revision.
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// SPDX licence expression: org.opencontainers.image.licenses.
    #[arg(long, value_name = "SPDX")]
    licenses: Option<String>,
    /// org.opencontainers.image.created, RFC 3339: the commit's time, say, never that of the build.
    #[arg(long, value_name = "TIME")]
    created: Option<String>,
    /// JSON Schema of the module's configuration: its digest is annotated.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A CycloneDX SBOM, as `backstop sbom` writes it: attached to the image as its referrer.
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    /// Another annotation.
    #[arg(long = "annotation", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Write an OCI layout into this folder and push nothing.
    #[arg(long, value_name = "DIR")]
    to_layout: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(super) fn run(args: &PublishArgs) -> Result<Ending, Failure> {
    if let Some(digest) = args.image.digest() {
        return Err(Failure::new(format_args!(
            "{}: a digest is what comes out of it; name a tag instead of {digest}",
            args.image
        )));
    }
    let wasm = read(&args.module)?;
    let refused = |error: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {error}", args.module.display()))
    };
    accept_module(&wasm, oci::MAX_MODULE_BYTES).map_err(|error| refused(&error))?;
    pack::check(&wasm).map_err(|error| refused(&error))?;
    let image = Image::of_module(&wasm, args.layout, annotations(args)?);
    let sbom = match &args.sbom {
        Some(path) => Some(sbom_image(&image, path)?),
        None => None,
    };
    match &args.to_layout {
        Some(folder) => {
            let mut images = vec![(&image, args.image.tag())];
            images.extend(sbom.iter().map(|sbom| (sbom, None)));
            ImageFolder::write(folder, &images).map_err(Failure::new)?;
        }
        None => {
            let registry = args.registry.connect(&args.image)?;
            registry.push(&image).map_err(Failure::new)?;
            if let Some(sbom) = &sbom {
                let listed = registry
                    .attach(sbom, &image.digest())
                    .map_err(Failure::new)?;
                let how = match listed {
                    Listed::Found => "found from the image".to_owned(),
                    Listed::ByTag(tag) => format!("listed under the tag {tag}"),
                };
                note(&format!("SBOM {}: {how}", sbom.digest()));
            }
        }
    }
    print(&format!("{}\n", args.image.pinned(&image.digest())))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(format_args!("{}: {error}", path.display())))
}

fn annotations(args: &PublishArgs) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = BTreeMap::new();
    for text in &args.annotations {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                all.insert(key.to_owned(), value.to_owned());
            }
            _ => {
                return Err(Failure::new(format_args!(
                    "--annotation {text}: expected KEY=VALUE"
                )));
            }
        }
    }
    let own = [
        (annotation::SOURCE, args.source.clone()),
        (annotation::REVISION, args.revision.clone()),
        (annotation::LICENSES, args.licenses.clone()),
        (annotation::CREATED, args.created.clone()),
        // The only version that `pack::check` lets through.
        (annotation::ABI, Some("0.2.1".to_owned())),
    ];
    for (key, value) in own {
        if let Some(value) = value {
            all.insert(key.to_owned(), value);
        }
    }
    if let Some(path) = &args.schema {
        all.insert(annotation::CONFIG_SCHEMA.to_owned(), digest(&read(path)?));
    }
    Ok(all)
}

fn sbom_image(image: &Image, path: &Path) -> Result<Image, Failure> {
    let bytes = read(path)?;
    let parsed: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    if parsed.is_none_or(|sbom| sbom.pointer("/bomFormat") != Some(&"CycloneDX".into())) {
        return Err(Failure::new(format_args!(
            "{}: not a CycloneDX SBOM in JSON",
            path.display()
        )));
    }
    let annotations = match image.annotations().get(annotation::CREATED) {
        Some(created) => BTreeMap::from([(annotation::CREATED.to_owned(), created.clone())]),
        None => BTreeMap::new(),
    };
    let content = Blob::new(SBOM_TYPE, bytes).title("sbom.cdx.json");
    Ok(Image::about(
        image.descriptor(),
        SBOM_TYPE,
        content,
        annotations,
    ))
}

/// For people: standard output is for machines.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "backstop: {text}");
}

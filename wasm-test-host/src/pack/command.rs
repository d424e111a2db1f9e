//! `backstop pack`.

use std::path::PathBuf;

use anyhow::Context;

/// Arguments of `backstop pack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What cargo built.
    input: PathBuf,
    /// Where the packed module goes; folders on the way are made.
    #[arg(short, long)]
    output: PathBuf,
}

/// Runs `backstop pack` and says in one line what came of it.
///
/// # Errors
/// When a file cannot be read or written, or the module cannot be packed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let wasm = std::fs::read(&args.input).with_context(|| args.input.display().to_string())?;
    let packed = super::pack(&wasm).with_context(|| args.input.display().to_string())?;
    if let Some(folder) = args.output.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    // Whoever reads the module while it is replaced sees the old or the new one, never half of it.
    let partial = args.output.with_extension("partial");
    std::fs::write(&partial, &packed.wasm).with_context(|| partial.display().to_string())?;
    std::fs::rename(&partial, &args.output).with_context(|| args.output.display().to_string())?;
    println!(
        "{}: {} KiB (built: {} KiB), {} exports and {} imports removed",
        args.output.display(),
        packed.wasm.len().div_ceil(1024),
        wasm.len().div_ceil(1024),
        packed.removed_exports,
        packed.removed_imports,
    );
    Ok(())
}

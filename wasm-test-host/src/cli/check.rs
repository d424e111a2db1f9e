//! `backstop check`: does the filter start with this configuration?

use std::path::PathBuf;

use clap::Args;

use super::{Ending, Failure, FilterArgs, Metering, config_file, module_file, print};
use crate::replay::Subject;

/// Start the filter with a configuration: prints `ok`, or in one line what is wrong with it (exit code 2).
///
/// CONFIG is JSON or YAML: the bare configuration, a WasmPlugin manifest, or values with a `pluginConfig` in them; of
/// several the one named after the filter.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// JSON or YAML: the bare configuration, a WasmPlugin manifest, or values with a `pluginConfig`.
    config: PathBuf,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) fn run(args: &CheckArgs) -> Result<Ending, Failure> {
    let config = config_file::read(&args.config, &args.filter.filter)?;
    let module = module_file::find(&args.filter)?;
    let subject = args.filter.subject(&module, config, Metering::Fuel)?;
    match (&subject).start() {
        Ok(_) => print("ok\n"),
        Err(error) => Err(Failure::new(format_args!(
            "{}: {error}",
            args.config.display()
        ))),
    }
}

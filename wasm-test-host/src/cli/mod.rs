//! The `backstop` command: arguments in, an exit code out.
//!
//! Exit codes: 0 done; 1 a `--fail-on` condition was met, or a filter crashed on a request; 2 bad arguments, input or
//! configuration. Errors go to stderr, one line each.

mod check;
mod config_file;
mod explain;
mod explain_json;
mod explain_text;
mod hash_secret;
mod module_file;
mod paint;
mod progress;
mod publish;
mod registry_args;
mod replay;
mod replay_json;
mod replay_text;
mod rules;
mod sbom;
mod table;
mod verify;
mod waf_section;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::replay::FilterSubject;

pub use config_file::plugin_config;

/// Proxy-Wasm security filters, outside a proxy: replay recorded traffic, check a configuration, explain a verdict.
#[derive(Debug, Parser)]
#[command(name = "backstop", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// What each does stands on its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::ReplayArgs),
    Check(check::CheckArgs),
    Explain(explain::ExplainArgs),
    Rules(rules::RulesArgs),
    HashSecret(hash_secret::HashSecretArgs),
    /// Make a built filter ready for a proxy: no unused exports, no dead code, no import that Envoy lacks.
    Pack(crate::pack::command::Args),
    Publish(publish::PublishArgs),
    Verify(verify::VerifyArgs),
    Sbom(sbom::SbomArgs),
    /// Print the version.
    Version,
}

/// Which module, and with which configuration.
#[derive(Debug, Args)]
struct FilterArgs {
    /// The filter's name: waf, origin-verify, rate-limit, ext-authz, or edge for all in one.
    #[arg(long, default_value = "waf")]
    filter: String,
    /// The filter's .wasm file. Without it: $BACKSTOP_MODULES, target/modules upward from here, beside this program.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// As in an Envoy whose Wasm configuration sets this; Istio's WasmPlugin cannot.
    #[arg(long)]
    allow_on_headers_stop_iteration: bool,
}

impl FilterArgs {
    /// The filter, compiled, with this configuration.
    fn subject(
        &self,
        module: &Path,
        config: Vec<u8>,
        metering: Metering,
    ) -> Result<FilterSubject, Failure> {
        let subject = match metering {
            Metering::Fuel => FilterSubject::new(module, config),
            Metering::TimeOnly => FilterSubject::without_fuel(module, config),
        }
        .map_err(Failure::new)?;
        Ok(subject.allow_on_headers_stop_iteration(self.allow_on_headers_stop_iteration))
    }
}

/// What a compiled filter's cost is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metering {
    /// Fuel; time, too, but of code that counting slows.
    Fuel,
    /// Time, of code as a proxy runs it.
    TimeOnly,
}

/// A command's failure: one line for stderr, exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    fn new(message: impl std::fmt::Display) -> Self {
        // One line, whatever the cause's text looks like.
        Self(
            message
                .to_string()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }
}

/// How a command that did its work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    /// A `--fail-on` condition was met, or the filter failed.
    Tripped,
    /// Some input could not be read.
    BadInput,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Replay(args) => replay::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::HashSecret(args) => hash_secret::run(&args),
        Command::Pack(args) => crate::pack::command::run(&args)
            .map(|()| Ending::Done)
            .map_err(|error| Failure::new(format_args!("{error:#}"))),
        Command::Publish(args) => publish::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Sbom(args) => sbom::run(&args),
        Command::Version => print(&format!("backstop {}\n", env!("CARGO_PKG_VERSION"))),
    };
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Tripped) => ExitCode::from(1),
        Ok(Ending::BadInput) => ExitCode::from(2),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "backstop: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Writes to stdout. A reader that has gone away is no error.
fn print(text: &str) -> Result<Ending, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Ending::Done),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Ending::Done),
        Err(e) => Err(Failure::new(format_args!("stdout: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_sound() {
        super::Cli::command().debug_assert();
    }
}

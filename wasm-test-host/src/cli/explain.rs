//! `backstop explain`: how one request comes to its verdict.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backstop_detect::{Level, ScanOptions};
use backstop_waf::{Config, Policy};
use clap::Args;

use super::waf_section::WafSection;
use super::{
    Ending, Failure, FilterArgs, Metering, config_file, explain_json, explain_text, module_file,
    print,
};
use crate::explain::{Exclusion, Trace, find_exclusion, parse_curl, trace};
use crate::replay::{FilterSubject, Judge, Subject, Verdict};
use crate::traffic::{Case, Origin, parse_line};

/// Show how one request comes to its verdict: every inspected value with its place, each decoding step, the findings,
/// the verdict of the real .wasm, and what an exclusion would have to name to let the request pass.
///
/// The request is a curl command line (`backstop explain curl -d 'q=…' https://host/path`, or the whole line in one
/// argument, as a browser copies it), or a file of the JSON that `replay` reads. Its path is sent as it stands.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The filter's configuration: JSON or YAML, bare or in a WasmPlugin manifest. Default: the filter's own defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Show every value, also those that nothing was found in and that no decoding changes.
    #[arg(long)]
    all: bool,
    /// A file with one request: the JSON that `replay` reads, or a curl command line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "curl")]
    request: Option<PathBuf>,
    /// A curl command line, or a file as for `--request`.
    #[arg(
        value_name = "CURL",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present = "request"
    )]
    curl: Vec<String>,
}

/// All there is to say about one request.
pub(super) struct Explanation {
    pub(super) case: Case,
    pub(super) trace: Trace,
    pub(super) verdict: Verdict,
    /// The exclusion that lets it pass: tried in the filter.
    pub(super) exclusion: Option<Exclusion>,
    pub(super) module: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) all: bool,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Ending, Failure> {
    let case = match (&args.request, args.curl.as_slice()) {
        (Some(path), _) => read_request(path)?,
        // A file's name is no URL that anybody asks about.
        (None, [only]) if only == "-" || Path::new(only).is_file() => {
            read_request(Path::new(only))?
        }
        (None, curl) => parse_curl(curl).map_err(Failure::new)?,
    };
    let config = match &args.config {
        Some(path) => config_file::read(path, &args.filter.filter)?,
        None => Vec::new(),
    };
    let module = module_file::find(&args.filter)?;
    let subject = args
        .filter
        .subject(&module, config.clone(), Metering::Fuel)?;
    let verdict = judge(&subject, &case)?;
    let waf = WafSection::of(&args.filter.filter, &config);
    let exclusion = find_exclusion(&case, &waf.own(), &verdict, |config| {
        judge(&subject.with_config(waf.with(config)), &case)
    })?;
    let trace = trace(&case, scan_options(&waf.own()));
    let config = args.config.clone();
    let explanation = Explanation {
        case,
        trace,
        verdict,
        exclusion,
        module,
        config,
        all: args.all,
    };
    print(&if args.json {
        explain_json::render(&explanation)?
    } else {
        explain_text::render(&explanation)
    })
}

fn judge(subject: &FilterSubject, case: &Case) -> Result<Verdict, Failure> {
    subject
        .start()
        .and_then(|mut started| started.judge(case))
        .map_err(Failure::new)
}

/// The sensitivity and the categories of the WAF's configuration.
fn scan_options(config: &[u8]) -> ScanOptions {
    let policy = Config::from_json(config)
        .ok()
        .and_then(|config| Policy::compile(&config).ok());
    match policy {
        Some(policy) => policy.scanner().options().clone(),
        None => ScanOptions {
            level: Level::One,
            ..ScanOptions::default()
        },
    }
}

fn read_request(path: &std::path::Path) -> Result<Case, Failure> {
    let name = path.display().to_string();
    let mut text = Vec::new();
    let read = if name == "-" {
        std::io::stdin().lock().read_to_end(&mut text).map(|_| ())
    } else {
        std::fs::read(path).map(|bytes| text = bytes)
    };
    read.map_err(|e| Failure::new(format_args!("{name}: {e}")))?;
    if text.trim_ascii_start().starts_with(b"{") {
        let origin = Origin {
            file: Arc::from(name.as_str()),
            line: 1,
        };
        return parse_line(&text, origin).map_err(Failure::new);
    }
    let text =
        String::from_utf8(text).map_err(|_| Failure::new(format_args!("{name}: not UTF-8")))?;
    parse_curl(&[format!("{text} ")])
        .map_err(|reason| Failure::new(format_args!("{name}: {reason}")))
}

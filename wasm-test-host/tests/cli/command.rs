//! Runs the command and keeps what came of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The repository's root.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a run ended with.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self {
            code: output.status.code().expect("ended by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

/// The command, with the module that `make build` makes.
pub fn backstop(args: &[&str]) -> Command {
    let module = Path::new(ROOT).join("target/modules/waf.wasm");
    assert!(
        module.is_file(),
        "{} is missing; build it with `make build`",
        module.display()
    );
    let mut command = bare();
    command.args(args).env(
        "BACKSTOP_MODULES",
        module.parent().expect("it is in a folder"),
    );
    command
}

/// The command in a folder where no module is to be found.
pub fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstop"));
    command
        .current_dir(ROOT)
        .env_remove("BACKSTOP_MODULES")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

pub fn run(args: &[&str]) -> Run {
    finish(&mut backstop(args))
}

pub fn finish(command: &mut Command) -> Run {
    Run::of(command.output().expect("it runs"))
}

/// Runs with `input` on standard input.
pub fn run_with(args: &[&str], input: &[u8]) -> Run {
    let mut command = backstop(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(input)
        .expect("it reads");
    Run::of(child.wait_with_output().expect("it ends"))
}

/// A folder with files of a test.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("it is written");
        path.to_str().expect("UTF-8").to_string()
    }
}

//! Runs the command, and skopeo.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A configuration that origin-verify starts with.
pub const ORIGIN_VERIFY: &str =
    r#"{"secrets":[{"name":"a","sha256":"Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8="}]}"#;

/// What a run ended with.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// stdout of a run that did its work.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout
    }

    /// The one line of a run that did not.
    pub fn refused(self) -> String {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (2, ""),
            "{}",
            self.stderr
        );
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        self.stderr
            .trim_end()
            .strip_prefix("backstop: ")
            .unwrap()
            .to_owned()
    }
}

/// The command, with nobody's own Docker configuration.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstop"));
    command
        .args(args)
        .current_dir(root())
        .env("DOCKER_CONFIG", "/nonexistent")
        .stdin(Stdio::null());
    command
}

pub fn run(args: &[&str]) -> Run {
    finish(&mut command(args), b"")
}

/// Runs with `input` on standard input.
pub fn finish(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// skopeo's standard output.
pub fn skopeo(args: &[&str]) -> Vec<u8> {
    let output = Command::new("skopeo")
        .arg("--insecure-policy")
        .args(args)
        .output()
        .expect("skopeo runs: `make registry` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A filter as `make build` packs it.
pub fn module(filter: &str) -> String {
    let path = root().join(format!("target/modules/{filter}.wasm"));
    assert!(
        path.is_file(),
        "{} is missing: `make build`",
        path.display()
    );
    path.to_str().unwrap().to_owned()
}

/// A file of a test.
pub fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

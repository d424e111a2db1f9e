//! Where the built modules are: `make build` puts the packed filters there, cargo the guests.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A packed filter by its short name (`waf`).
///
/// # Panics
/// When it is not built; the message is the command to run.
pub fn filter(name: &str) -> PathBuf {
    existing(
        root().join(format!("target/modules/{name}.wasm")),
        "make build",
    )
}

/// A guest of the host's tests (`faults`).
///
/// # Panics
/// When it is not built; the message is the command to run.
pub fn guest(name: &str) -> PathBuf {
    existing(
        root().join(format!("target/wasm32-wasip1/release/guest_{name}.wasm")),
        "make guests",
    )
}

/// A service of the tests by its name (`rate-limit-service`).
///
/// # Panics
/// When it is not built; the message is the command to run.
pub fn service(name: &str) -> PathBuf {
    existing(
        root().join(format!("target/services/debug/{name}")),
        "make services",
    )
}

fn existing(path: PathBuf, command: &str) -> PathBuf {
    assert!(
        path.exists(),
        "{} is not there: run `{command}`",
        path.display()
    );
    path
}

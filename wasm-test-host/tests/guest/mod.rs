//! Finds the guest filters that `make guests` has built (all of wasm-test-host/guests, for wasm32-wasip1 and release).

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use backstop_host::{Gateway, GatewayBuilder, Module, Plugin};

/// The module of that guest crate, compiled once per test program.
pub fn module(name: &str) -> Module {
    static COMPILED: OnceLock<Mutex<Vec<(String, Module)>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap();
    if let Some((_, module)) = compiled.iter().find(|(known, _)| known == name) {
        return module.clone();
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target
        .join("wasm32-wasip1/release")
        .join(format!("guest_{name}.wasm"));
    assert!(
        path.exists(),
        "{} is not there: run `make guests`",
        path.display()
    );
    let module = Module::from_file(&path).unwrap();
    compiled.push((name.to_owned(), module.clone()));
    module
}

/// A module written as WebAssembly text.
pub fn text(source: &str) -> Result<Module, backstop_host::LoadError> {
    Module::from_bytes(&wat::parse_str(source).unwrap())
}

/// A builder with that guest as its only plugin, named like it.
pub fn with(name: &str) -> GatewayBuilder {
    Gateway::builder().plugin(Plugin::new(&module(name)).name(name))
}

/// A gateway with that guest and nothing configured.
pub fn alone(name: &str) -> Gateway {
    with(name).start().unwrap()
}

//! The filters as `make build` packs them for deployment.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use backstop_host::{Gateway, LogLevel, Module, Plugin};

/// The bytes of that filter's module.
pub fn wasm(filter: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(format!("target/modules/{filter}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; build it with `make build`", path.display()))
}

/// That filter's module, compiled once per test program.
pub fn module(filter: &str) -> Module {
    static COMPILED: OnceLock<Mutex<Vec<(String, Module)>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap();
    if let Some((_, module)) = compiled.iter().find(|(known, _)| known == filter) {
        return module.clone();
    }
    let module = Module::from_bytes(&wasm(filter)).unwrap();
    compiled.push((filter.to_owned(), module.clone()));
    module
}

/// A plugin of that filter, named like it.
pub fn plugin(filter: &str, config: impl AsRef<[u8]>) -> Plugin {
    Plugin::new(&module(filter)).name(filter).config(config)
}

/// A gateway with that plugin alone, which logs what a gateway in production does.
pub fn gateway(filter: &str, config: impl AsRef<[u8]>) -> Gateway {
    Gateway::builder()
        .plugin(plugin(filter, config))
        .log_level(LogLevel::Info)
        .start()
        .unwrap()
}

//! What a module may import and export.

use std::collections::BTreeSet;

use wasmparser::{ExternalKind, Parser, Payload};

use super::callbacks::{LIFE_CYCLE, OPTIONAL};
use crate::abi::AbiVersion;
use crate::hostcalls;

/// A rule that a module breaks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not a module.
    #[error("not a WebAssembly module: {0}")]
    Invalid(String),
    /// Another ABI version than 0.2.1, or none.
    #[error("the module does not export proxy_abi_version_0_2_1")]
    Abi,
    /// The host has no such function, so the module would not load.
    #[error("Envoy 1.37 does not provide the import {0}.{1}")]
    Import(String, String),
    /// Something that no proxy asks for; it keeps dead code alive, or Envoy calls it on each request for nothing.
    #[error("the export `{0}` is not the ABI's")]
    Export(String),
    /// No request callback at all.
    #[error("the module exports no stream callback")]
    NoCallback,
}

/// Checks a module against Envoy 1.37 and Proxy-Wasm 0.2.1: it imports only what is provided there and exports only what
/// the ABI knows. Answers the export names.
///
/// # Errors
/// The first rule that is broken.
pub fn check(wasm: &[u8]) -> Result<BTreeSet<String>, CheckError> {
    let invalid = |error: wasmparser::BinaryReaderError| CheckError::Invalid(error.to_string());
    let mut exports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(invalid)?;
                    if !hostcalls::provides(AbiVersion::V0_2_1, import.module, import.name) {
                        return Err(CheckError::Import(
                            import.module.to_owned(),
                            import.name.to_owned(),
                        ));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    let known =
                        LIFE_CYCLE.contains(&export.name) || OPTIONAL.contains(&export.name);
                    let right_kind = match export.name {
                        "memory" => export.kind == ExternalKind::Memory,
                        _ => export.kind == ExternalKind::Func,
                    };
                    if !known || !right_kind {
                        return Err(CheckError::Export(export.name.to_owned()));
                    }
                    exports.insert(export.name.to_owned());
                }
            }
            _ => {}
        }
    }
    if !exports.contains("proxy_abi_version_0_2_1") {
        return Err(CheckError::Abi);
    }
    if !OPTIONAL.iter().any(|name| exports.contains(*name)) {
        return Err(CheckError::NoCallback);
    }
    Ok(exports)
}

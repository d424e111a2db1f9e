//! A compiled filter: what Envoy would accept as code.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use wasmtime::{Config, Engine, ExternType, InstancePre, Linker};

use crate::abi::AbiVersion;
use crate::hostcalls;
use crate::vm::VmState;

/// Why a module cannot be loaded. Each of these stops Envoy, too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Path of the file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a valid module.
    #[error("not a WebAssembly module: {0}")]
    Invalid(String),
    /// `Missing or unknown Proxy-Wasm ABI version` in Envoy.
    #[error(
        "missing or unknown Proxy-Wasm ABI version: the module exports none of proxy_abi_version_0_1_0, _0_2_0 and _0_2_1"
    )]
    AbiVersion,
    /// `Failed to load Wasm module due to a missing import` in Envoy.
    #[error("Envoy 1.37 does not provide the import {module}.{name}")]
    MissingImport {
        /// Module name of the import.
        module: String,
        /// Its name.
        name: String,
    },
    /// `… due to an import type mismatch` in Envoy.
    #[error("an import has another type than Envoy 1.37 provides: {0}")]
    ImportType(String),
    /// `Wasm module is missing malloc function` in Envoy.
    #[error("the module exports neither malloc nor proxy_on_memory_allocate")]
    NoAllocator,
    /// No memory, or not by the name `memory`.
    #[error("the module exports no memory by the name `memory`")]
    NoMemory,
}

/// A compiled module. Compiled once; cheap to clone; may be shared between threads, each with gateways of its own.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    pre: InstancePre<VmState>,
    engine: Engine,
    abi: AbiVersion,
    fuel: bool,
    id: u64,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("abi", &self.inner.abi)
            .field("fuel", &self.inner.fuel)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// Reads and compiles a `.wasm` file, with fuel.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::from_bytes(&bytes)
    }

    /// Compiles WebAssembly bytes, with fuel: every callback's cost is counted, the same on every machine.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::compile(bytes, true)
    }

    /// Compiles without fuel: for measuring time. Nothing stops a runaway guest then.
    pub fn without_fuel(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::compile(bytes, false)
    }

    fn compile(bytes: &[u8], fuel: bool) -> Result<Self, LoadError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let engine = engine(fuel);
        let module = wasmtime::Module::new(engine, bytes)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        let abi = AbiVersion::EXPORTS
            .iter()
            .rfind(|(name, _)| matches!(module.get_export(name), Some(ExternType::Func(_))))
            .map(|(_, abi)| *abi)
            .ok_or(LoadError::AbiVersion)?;
        for import in module.imports() {
            if !hostcalls::provides(abi, import.module(), import.name())
                || import.ty().func().is_none()
            {
                return Err(LoadError::MissingImport {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                });
            }
        }
        if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
            return Err(LoadError::NoMemory);
        }
        if !["malloc", "proxy_on_memory_allocate"]
            .iter()
            .any(|name| module.get_export(name).is_some())
        {
            return Err(LoadError::NoAllocator);
        }
        let mut linker = Linker::new(engine);
        hostcalls::link(&mut linker).map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        let pre = linker
            .instantiate_pre(&module)
            .map_err(|error| LoadError::ImportType(format!("{error:#}")))?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            inner: Arc::new(Inner {
                pre,
                engine: engine.clone(),
                abi,
                fuel,
                id,
            }),
        })
    }

    /// The ABI it speaks.
    pub fn abi(&self) -> AbiVersion {
        self.inner.abi
    }

    /// Whether callbacks are counted in fuel.
    pub fn counts_fuel(&self) -> bool {
        self.inner.fuel
    }

    pub(crate) fn pre(&self) -> &InstancePre<VmState> {
        &self.inner.pre
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn id(&self) -> u64 {
        self.inner.id
    }
}

fn engine(fuel: bool) -> &'static Engine {
    static WITH_FUEL: OnceLock<Engine> = OnceLock::new();
    static WITHOUT: OnceLock<Engine> = OnceLock::new();
    let cell = if fuel { &WITH_FUEL } else { &WITHOUT };
    cell.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(fuel);
        // A default engine with one switch set is always accepted; the plain default is a safe fallback.
        Engine::new(&config).unwrap_or_default()
    })
}

//! How a guest ends against its will, and what may be known about it.

use std::fmt;

use wasmtime::{Trap, WasmBacktrace};

/// What Envoy does with requests once a VM has failed (`PluginConfig.failure_policy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503 `wasm_fail_stream` for this and every later request on that worker: Envoy's default.
    #[default]
    FailClosed,
    /// Requests pass unfiltered.
    FailOpen,
    /// As closed, and a new VM is started for a later request, at most one per back-off interval (1 s).
    FailReload,
}

/// Why a guest stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// A trap: `unreachable` (which is a panic in Rust built with abort), a bad memory access, ….
    Trap,
    /// The callback used more fuel than `fuel_per_callback`.
    OutOfFuel,
    /// A trap after the guest was refused memory beyond the memory limit.
    OutOfMemory,
    /// The guest called `proc_exit` with this code.
    Exit(u32),
}

/// A guest that trapped, ran away or gave up.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Name of the plugin it happened in.
    pub plugin: String,
    /// The callback that was running, by its export name without `proxy_`.
    pub callback: &'static str,
    /// What happened.
    pub kind: FailureKind,
    /// The engine's own words.
    pub message: String,
    /// Guest functions, innermost first, demangled where the module carries names.
    pub backtrace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "plugin {} failed in {}: {}",
            self.plugin, self.callback, self.message
        )?;
        for frame in &self.backtrace {
            write!(f, "\n  at {frame}")?;
        }
        Ok(())
    }
}

/// Raised by `proc_exit`.
#[derive(Debug, thiserror::Error)]
#[error("the guest called proc_exit({0})")]
pub(crate) struct Exited(pub(crate) u32);

impl Failure {
    pub(crate) fn from_trap(
        plugin: &str,
        callback: &'static str,
        error: &wasmtime::Error,
        memory_refused: bool,
    ) -> Self {
        let kind = match (error.downcast_ref::<Exited>(), error.downcast_ref::<Trap>()) {
            (Some(Exited(code)), _) => FailureKind::Exit(*code),
            (None, Some(Trap::OutOfFuel)) => FailureKind::OutOfFuel,
            (None, _) if memory_refused => FailureKind::OutOfMemory,
            (None, _) => FailureKind::Trap,
        };
        let frames = error
            .downcast_ref::<WasmBacktrace>()
            .map(WasmBacktrace::frames)
            .unwrap_or_default();
        let backtrace = frames
            .iter()
            .map(|frame| match frame.func_name() {
                Some(name) => demangle(name),
                None => format!("function {}", frame.func_index()),
            })
            .collect();
        Self {
            plugin: plugin.to_owned(),
            callback,
            kind,
            message: error.root_cause().to_string(),
            backtrace,
        }
    }
}

/// Takes the hash off a Rust symbol of the legacy scheme: enough to read a backtrace.
fn demangle(symbol: &str) -> String {
    let Some(mut rest) = symbol.strip_prefix("_ZN") else {
        return symbol.to_owned();
    };
    let mut parts = Vec::new();
    while let Some(digits) = rest
        .find(|c: char| !c.is_ascii_digit())
        .filter(|end| *end > 0)
    {
        let Ok(len) = rest[..digits].parse::<usize>() else {
            break;
        };
        let Some(part) = rest.get(digits..digits + len) else {
            break;
        };
        if !(part.len() == 17 && part.starts_with('h')) {
            parts.push(
                part.replace("$LT$", "<")
                    .replace("$GT$", ">")
                    .replace("$u20$", " ")
                    .replace("..", "::"),
            );
        }
        rest = rest.get(digits + len..).unwrap_or_default();
    }
    parts.join("::")
}

#[cfg(test)]
mod tests {
    #[test]
    fn symbols_are_readable() {
        assert_eq!(
            super::demangle("_ZN4core9panicking9panic_fmt17h0123456789abcdefE"),
            "core::panicking::panic_fmt"
        );
        assert_eq!(super::demangle("proxy_on_tick"), "proxy_on_tick");
    }
}

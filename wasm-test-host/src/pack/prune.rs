//! Unused exports removed, and with them what only they reached.

use walrus::{ModuleConfig, passes};

use super::callbacks::{CALLBACKS_SECTION, LIFE_CYCLE, declared};
use super::{PackError, Packed, check};

/// Packs a built filter.
///
/// # Errors
/// When it is not a module, does not say which callbacks it implements, or breaks a rule of [`check`].
pub fn pack(wasm: &[u8]) -> Result<Packed, PackError> {
    let mut module = ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(wasm)
        .map_err(|error| PackError::Invalid(format!("{error:#}")))?;
    let section = module
        .customs
        .remove_raw(CALLBACKS_SECTION)
        .ok_or(PackError::NoCallbacks)?;
    let wanted = declared(&section.data)?;

    let all: Vec<(walrus::ExportId, String)> = module
        .exports
        .iter()
        .map(|export| (export.id(), export.name.clone()))
        .collect();
    if let Some(missing) = wanted
        .iter()
        .find(|name| !all.iter().any(|(_, export)| export == *name))
    {
        return Err(PackError::MissingCallback(missing.clone()));
    }
    let (kept, dropped): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, name)| LIFE_CYCLE.contains(&name.as_str()) || wanted.contains(name));
    let removed_exports = dropped.len();
    for (id, _) in dropped {
        module.exports.delete(id);
    }
    let imports = module.imports.iter().count();
    passes::gc::run(&mut module);
    let removed_imports = imports - module.imports.iter().count();

    let customs: Vec<String> = module
        .customs
        .iter()
        .map(|(_, section)| section.name().to_owned())
        .collect();
    for name in customs {
        module.customs.remove_raw(&name);
    }
    let wasm = module.emit_wasm();
    check(&wasm)?;
    Ok(Packed {
        wasm,
        exports: kept.into_iter().map(|(_, name)| name).collect(),
        removed_exports,
        removed_imports,
    })
}

//! Where a filter's module is.

use std::env;
use std::path::{Path, PathBuf};

use super::{Failure, FilterArgs};

/// The module's file.
///
/// # Errors
/// It is nowhere to be found, or is not where the arguments say.
pub(super) fn find(args: &FilterArgs) -> Result<PathBuf, Failure> {
    let file = format!("{}.wasm", args.filter);
    if let Some(path) = &args.module {
        return existing(path.clone());
    }
    if let Some(folder) = env::var_os("BACKSTOP_MODULES") {
        return existing(PathBuf::from(folder).join(&file));
    }
    let here = env::current_dir().unwrap_or_default();
    let program = env::current_exe().unwrap_or_default();
    candidates(&file, &here, &program)
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::new(format_args!("{file} is not in target/modules; build it with `make build`, or name it with --module")))
}

fn existing(path: PathBuf) -> Result<PathBuf, Failure> {
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure::new(format_args!(
            "{}: no such module; build it with `make build`",
            path.display()
        )))
    }
}

/// `target/modules` of the folder we are in and of those above it, then beside the program.
fn candidates(file: &str, here: &Path, program: &Path) -> impl Iterator<Item = PathBuf> {
    let upward = here
        .ancestors()
        .map(|folder| folder.join("target/modules").join(file))
        .collect::<Vec<_>>();
    let beside = program
        .parent()
        .into_iter()
        .flat_map(|folder| [folder.join(file), folder.join("../modules").join(file)]);
    upward.into_iter().chain(beside.collect::<Vec<_>>())
}

/// A path as short as it can be from here.
pub(super) fn nearer(path: &Path) -> &Path {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_looked_for_upward_then_beside_the_program() {
        let found: Vec<String> = candidates(
            "waf.wasm",
            Path::new("/a/b"),
            Path::new("/a/target/debug/backstop"),
        )
        .map(|path| path.display().to_string())
        .collect();
        assert_eq!(
            found,
            [
                "/a/b/target/modules/waf.wasm",
                "/a/target/modules/waf.wasm",
                "/target/modules/waf.wasm",
                "/a/target/debug/waf.wasm",
                "/a/target/debug/../modules/waf.wasm",
            ]
        );
    }
}

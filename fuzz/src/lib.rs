//! What the fuzz targets check, and what they begin with.
//!
//! Each target is a function over bytes that panics when a promise is broken: spans and lengths within their bounds,
//! decodings at rest that stay at rest, a prefilter that hides nothing from a detector, the same verdict however a body
//! is cut into pieces, time that grows with the input and no faster. `fuzz_targets/` hands them to libFuzzer, `tests/`
//! runs them over their seeds.
#![forbid(unsafe_code)]

mod body;
mod config;
mod cost;
mod decode;
mod http;
mod place;
mod scan;
pub mod seeds;
mod transaction;

use backstop_detect::Category;

/// A target: its name, and what it does with one input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("decode", decode::decode),
    ("charset_compression", body::charset_compression),
    ("body", body::body),
    ("request", |data| {
        http::http(data);
        config::config(data);
        transaction::transaction(data);
    }),
    ("scan_sql", |data| {
        scan::scan(&[Category::SqlInjection], data);
    }),
    ("scan_xss", |data| scan::scan(&[Category::Xss], data)),
    ("scan_command_path", |data| {
        scan::scan(&[Category::CommandInjection, Category::PathTraversal], data);
    }),
    ("scan_others", |data| {
        scan::scan(
            &[
                Category::LdapInjection,
                Category::XxeInjection,
                Category::Ssrf,
                Category::Log4shell,
                Category::HeaderInjection,
                Category::BotScanner,
            ],
            data,
        );
    }),
];

/// Runs the target called `name`.
///
/// # Panics
/// When there is none, and when the target finds something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("no target {name}"));
    target(data);
}

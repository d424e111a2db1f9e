//! Turns every category's anchors into the prefilter's tables, so that nothing is built at run time.
// Runs on the machine that compiles; a failure here stops the build, which is what it should do.
#![allow(clippy::expect_used, clippy::indexing_slicing)]
// The anchor files also name their bits for the detectors; here only the tables matter.
#![allow(dead_code)]

#[path = "build/automaton.rs"]
mod automaton;
#[path = "src/detectors/bot/anchors.rs"]
mod bot;
#[path = "src/detectors/command/anchors.rs"]
mod command;
#[path = "src/detectors/header/anchors.rs"]
mod header;
#[path = "src/detectors/ldap/anchors.rs"]
mod ldap;
#[path = "src/detectors/log4shell/anchors.rs"]
mod log4shell;
#[path = "src/detectors/path/anchors.rs"]
mod path;
#[path = "src/detectors/sql/anchors.rs"]
mod sql;
#[path = "src/detectors/ssrf/anchors.rs"]
mod ssrf;
#[path = "src/triggers.rs"]
mod triggers;
#[path = "src/detectors/xss/anchors.rs"]
mod xss;
#[path = "src/detectors/xxe/anchors.rs"]
mod xxe;

/// Literals and the feature bits that each sets.
type Anchors = &'static [(&'static [u8], u8)];

/// Names and anchors, in the order of `Category::ALL`.
const BY_CATEGORY: &[(&str, Anchors)] = &[
    ("sql", sql::ANCHORS),
    ("xss", xss::ANCHORS),
    ("path", path::ANCHORS),
    ("command", command::ANCHORS),
    ("ldap", ldap::ANCHORS),
    ("xxe", xxe::ANCHORS),
    ("ssrf", ssrf::ANCHORS),
    ("log4shell", log4shell::ANCHORS),
    ("header", header::ANCHORS),
    ("bot", bot::ANCHORS),
];

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/triggers.rs");
    let mut builder = automaton::Builder::default();
    println!("cargo::rerun-if-changed=src/detectors/bot/tools.rs");
    for (index, (name, anchors)) in BY_CATEGORY.iter().enumerate() {
        println!("cargo::rerun-if-changed=src/detectors/{name}/anchors.rs");
        for (literal, bits) in *anchors {
            assert!(
                *bits != 0 && *bits < 64,
                "{name}: {:?}: bits are a mask of six, 0b1 to 0b11_1111, not {bits}",
                String::from_utf8_lossy(literal)
            );
            let bits = u64::from(*bits) << (6 * index);
            builder.add(literal, bits);
            // SQL Server takes any control character for a blank.
            if *name == "sql" && literal.contains(&b' ') {
                let blank = |byte: &u8| {
                    if *byte == b' ' {
                        automaton::CONTROL
                    } else {
                        *byte
                    }
                };
                builder.add(&literal.iter().map(blank).collect::<Vec<_>>(), bits);
            }
        }
    }
    for (literal, bits) in triggers::LITERALS {
        builder.add(literal, u64::from(*bits) << 60);
    }
    for lead in triggers::FOLDED {
        builder.add(&[*lead], u64::from(triggers::WIDE) << 60);
    }
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("tables.rs"), builder.build().to_rust()).expect("OUT_DIR is writable");
}

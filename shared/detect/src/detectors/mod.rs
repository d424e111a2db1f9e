//! One folder per category: `mod.rs` (the detector), `rules.rs` (its rules as data), `anchors.rs` (what the
//! prefilter looks for on its behalf; also read by `build.rs`).

use crate::prefilter::Features;
use crate::{Category, Hits, Input, Rule};

pub(crate) mod ascii;
pub mod bot;
pub mod command;
pub mod header;
pub mod ldap;
pub mod log4shell;
pub mod path;
pub(crate) mod sieve;
pub mod sql;
pub mod ssrf;
pub mod xss;
pub mod xxe;

/// A detector as a row of the dispatch table.
#[derive(Clone, Copy)]
pub struct Detector {
    /// The category it finds.
    pub category: Category,
    /// Its rules.
    pub rules: &'static [Rule],
    /// What it reads per byte of any form, in steps of [`Work`](crate::Work); for what it reads again it takes more itself.
    pub steps: usize,
    /// Whether its six prefilter bits make a look worth while.
    pub wants: fn(u8) -> bool,
    /// The detector itself.
    pub detect: fn(&Input<'_>, &mut Hits),
}

/// The features of which each alone makes a detector or a decoding have a look. Others do in pairs: most honest values have a
/// colon, an `or`, a space.
pub(crate) const ALONE: Features = {
    let mut alone = Features::TRIGGERS;
    let mut bit = 0b1;
    while bit <= 0b10_0000 {
        let wanted = [
            sql::wants(bit),
            xss::wants(bit),
            path::wants(bit),
            command::wants(bit),
            ldap::wants(bit),
            xxe::wants(bit),
            ssrf::wants(bit),
            log4shell::wants(bit),
            header::wants(bit),
            bot::wants(bit),
        ];
        let mut categories: &[Category] = &Category::ALL;
        let mut rest: &[bool] = &wanted;
        while let ([wanted, others @ ..], [category, left @ ..]) = (rest, categories) {
            if *wanted {
                alone = alone.with(*category, bit);
            }
            rest = others;
            categories = left;
        }
        bit <<= 1;
    }
    alone
};

/// Every detector, in the order of [`Category::ALL`].
pub static DETECTORS: [Detector; 10] = [
    Detector {
        category: Category::SqlInjection,
        rules: sql::rules::RULES,
        steps: 1,
        wants: sql::wants,
        detect: sql::detect,
    },
    Detector {
        category: Category::Xss,
        rules: xss::rules::RULES,
        steps: 3,
        wants: xss::wants,
        detect: xss::detect,
    },
    Detector {
        category: Category::PathTraversal,
        rules: path::rules::RULES,
        steps: 2,
        wants: path::wants,
        detect: path::detect,
    },
    Detector {
        category: Category::CommandInjection,
        rules: command::rules::RULES,
        steps: 1,
        wants: command::wants,
        detect: command::detect,
    },
    Detector {
        category: Category::LdapInjection,
        rules: ldap::rules::RULES,
        steps: 1,
        wants: ldap::wants,
        detect: ldap::detect,
    },
    Detector {
        category: Category::XxeInjection,
        rules: xxe::rules::RULES,
        steps: 0,
        wants: xxe::wants,
        detect: xxe::detect,
    },
    Detector {
        category: Category::Ssrf,
        rules: ssrf::rules::RULES,
        steps: 1,
        wants: ssrf::wants,
        detect: ssrf::detect,
    },
    Detector {
        category: Category::Log4shell,
        rules: log4shell::rules::RULES,
        steps: 1,
        wants: log4shell::wants,
        detect: log4shell::detect,
    },
    Detector {
        category: Category::HeaderInjection,
        rules: header::rules::RULES,
        steps: 0,
        wants: header::wants,
        detect: header::detect,
    },
    Detector {
        category: Category::BotScanner,
        rules: bot::rules::RULES,
        steps: 0,
        wants: bot::wants,
        detect: bot::detect,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_alone_is_what_the_detectors_say() {
        assert_eq!(ALONE.triggers(), 0b1111);
        for detector in &DETECTORS {
            for bit in 0..6 {
                let alone = ALONE.of(detector.category) >> bit & 1 == 1;
                assert_eq!(
                    (detector.wants)(1 << bit),
                    alone,
                    "{:?} {bit}",
                    detector.category
                );
            }
        }
    }
}

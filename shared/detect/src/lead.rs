//! Which of several findings in one value names the attack.
//!
//! An attack carries others' signs: an entity has a file's URL in it, a command line a file, a split response a script. The one
//! that carries is what the operator wants to read first; what it carries comes behind.

use crate::detectors::command::rules::CODE_FROM;
use crate::{Category, Level, Rule};

/// The place of `rule` among the findings of one value: the lowest leads. What is a sign only at higher sensitivity comes last.
pub(crate) const fn place(rule: &Rule) -> u8 {
    if !matches!(rule.level, Level::One) {
        return u8::MAX;
    }
    match rule.category {
        Category::XxeInjection | Category::Log4shell | Category::LdapInjection => 0,
        Category::HeaderInjection => 1,
        // A shell's separator with a command behind it; what only looks like code is an SQL function as well.
        Category::CommandInjection if rule.id < CODE_FROM => 2,
        Category::SqlInjection => 3,
        Category::CommandInjection => 4,
        Category::Xss => 5,
        Category::PathTraversal => 6,
        Category::Ssrf => 7,
        Category::BotScanner => 8,
    }
}

#[cfg(test)]
mod tests {
    use backstop_http::{Kind, Place};

    use crate::{Category, Findings, ScanOptions, Scanner};

    #[test]
    fn what_carries_the_others_is_named() {
        for (text, category) in [
            ("x;cat /etc/passwd", Category::CommandInjection),
            (
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>",
                Category::XxeInjection,
            ),
            (
                "ko%0d%0a%0d%0a<script>alert(1)</script>",
                Category::HeaderInjection,
            ),
            ("1' and sleep(5)-- -", Category::SqlInjection),
            ("../../etc/passwd", Category::PathTraversal),
        ] {
            let mut found = Findings::new();
            Scanner::new(ScanOptions::default()).inspect(
                Place::new(Kind::Query, b"q"),
                text.as_bytes(),
                &mut found,
            );
            assert_eq!(found.as_slice()[0].rule.category, category, "{text}");
        }
    }
}

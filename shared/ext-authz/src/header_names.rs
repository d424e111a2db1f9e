//! Sets of header names, as configuration writes them.

use std::fmt;

use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;

/// Names, and prefixes of names.
#[derive(Clone, Debug, Default)]
pub struct HeaderNames {
    exact: Vec<Vec<u8>>,
    prefixes: Vec<Vec<u8>>,
}

impl HeaderNames {
    /// Compiles the list at `at`: names, or prefixes ending in `*`; `*` alone is every name. Case does not matter.
    ///
    /// # Errors
    /// For a text that no header name begins with.
    pub fn compile(at: impl fmt::Display, names: &[String]) -> Result<Self, ConfigError> {
        let mut set = Self::default();
        for (index, text) in names.iter().enumerate() {
            let (name, prefix) = match text.strip_suffix('*') {
                Some(prefix) => (prefix, true),
                None => (text.as_str(), false),
            };
            let plain = name.strip_prefix(':').unwrap_or(name);
            // A name may have a `*` of its own (RFC 9110), but no one means it.
            let good = is_field_name(plain) && !plain.contains('*');
            if !(good || prefix && plain.is_empty()) {
                return Err(ConfigError::at(
                    format_args!("{at}[{index}]"),
                    format_args!("`{text}` is not a header name; write `x-name`, or `x-prefix-*`"),
                ));
            }
            let name = name.to_ascii_lowercase().into_bytes();
            if prefix {
                set.prefixes.push(name);
            } else {
                set.exact.push(name);
            }
        }
        Ok(set)
    }

    /// Whether the set has nothing.
    pub const fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }

    /// Whether a name, in small letters, is in the set.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.exact.iter().any(|exact| exact == name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_prefixes() {
        let compile = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            HeaderNames::compile("check.allowedHeaders", &names)
        };
        let set = compile(&["Cookie", "X-Forwarded-*", ":path"]).unwrap();
        for (name, expected) in [
            ("cookie", true),
            ("cookies", false),
            ("x-forwarded-for", true),
            ("x-forwarded-", true),
            ("x-forwarded", false),
            (":path", true),
            (":method", false),
        ] {
            assert_eq!(set.contains(name.as_bytes()), expected, "{name}");
        }
        assert!(compile(&["*"]).unwrap().contains(b"anything"));
        assert!(!compile(&[]).unwrap().contains(b"anything"));
        assert!(compile(&[]).unwrap().is_empty());
        for text in ["", "a b", "a*b", "a: b", "x-\u{e9}"] {
            let error = compile(&["ok", text]).unwrap_err().to_string();
            assert!(error.contains("check.allowedHeaders[1]"), "{error}");
        }
    }
}

//! The one line that says what is wrong with a configuration.

use std::fmt;

/// What is wrong with a configuration, in one line: ``waf config: $.mode: unknown variant `off`, expected …``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON path from `$`, or a line and column where the text is not JSON.
    at: String,
    message: String,
}

impl ConfigError {
    /// `message` about the value at `path` (`exclusions[2].path`, without `$.`).
    pub(crate) fn at(path: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self {
            at: format!("$.{path}"),
            message: message.to_string(),
        }
    }

    pub(super) fn not_an_object() -> Self {
        Self {
            at: "$".to_owned(),
            message: "expected an object, as in {\"mode\":\"detect\"}".to_owned(),
        }
    }

    pub(super) fn json(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let inner = error.inner();
        if !inner.is_data() {
            return Self::syntax(inner);
        }
        let path = error.path().to_string();
        Self {
            at: match path.as_str() {
                "." => "$".to_owned(),
                _ => format!("$.{path}"),
            },
            message: without_position(inner),
        }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self {
            at: format!("line {} column {}", error.line(), error.column()),
            message: format!("not JSON: {}", without_position(error)),
        }
    }
}

/// The message without the ` at line 1 column 2` that serde_json appends.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waf config: {}: {}", self.at, self.message)
    }
}

impl std::error::Error for ConfigError {}

//! Switches per attack category.

use backstop_detect::Category;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

/// One switch per attack category, by the legacy layer's keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Categories {
    /// SQL and NoSQL injection.
    pub sql_injection: CategoryConfig,
    /// Cross-site scripting.
    pub xss: CategoryConfig,
    /// Path traversal and probes for sensitive files.
    pub path_traversal: CategoryConfig,
    /// OS command and code injection.
    pub command_injection: CategoryConfig,
    /// LDAP filter injection.
    pub ldap_injection: CategoryConfig,
    /// XML external entities and entity bombs.
    pub xxe_injection: CategoryConfig,
    /// Server-side request forgery.
    pub ssrf: Ssrf,
    /// Log4j JNDI look-ups.
    pub log4shell: CategoryConfig,
    /// CR/LF header injection and response splitting.
    pub header_injection: CategoryConfig,
    /// Attack tools.
    pub bot_scanner: BotScanner,
}

impl Categories {
    /// Whether `category` is on, and the mode that it has instead of the overall one.
    pub fn of(&self, category: Category) -> (bool, Option<Mode>) {
        let plain = |config: &CategoryConfig| (config.enabled, config.mode);
        match category {
            Category::SqlInjection => plain(&self.sql_injection),
            Category::Xss => plain(&self.xss),
            Category::PathTraversal => plain(&self.path_traversal),
            Category::CommandInjection => plain(&self.command_injection),
            Category::LdapInjection => plain(&self.ldap_injection),
            Category::XxeInjection => plain(&self.xxe_injection),
            Category::Ssrf => (self.ssrf.enabled, self.ssrf.mode),
            Category::Log4shell => plain(&self.log4shell),
            Category::HeaderInjection => plain(&self.header_injection),
            Category::BotScanner => (self.bot_scanner.enabled, self.bot_scanner.mode),
        }
    }

    /// Gives every category the overall mode.
    pub(super) fn reset_modes(&mut self) {
        for config in [
            &mut self.sql_injection,
            &mut self.xss,
            &mut self.path_traversal,
            &mut self.command_injection,
            &mut self.ldap_injection,
            &mut self.xxe_injection,
            &mut self.log4shell,
            &mut self.header_injection,
        ] {
            config.mode = None;
        }
        self.ssrf.mode = None;
        self.bot_scanner.mode = None;
    }
}

/// One category.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CategoryConfig {
    /// Whether it is looked for.
    pub enabled: bool,
    /// Its mode, if it is not the overall one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl Default for CategoryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            mode: None,
        }
    }
}

/// The category of forged server-side requests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ssrf {
    /// Whether it is looked for.
    pub enabled: bool,
    /// Its mode, if it is not the overall one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Internal hosts that a value may name: `intranet.example.com`, `*.svc.cluster.local`, `10.1.2.3`.
    pub allowed_hosts: Vec<String>,
}

impl Default for Ssrf {
    fn default() -> Self {
        Self {
            enabled: true,
            mode: None,
            allowed_hosts: Vec::new(),
        }
    }
}

/// The category of attack tools.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BotScanner {
    /// Whether it is looked for.
    pub enabled: bool,
    /// Its mode, if it is not the overall one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether ordinary HTTP libraries and headless browsers (curl, python-requests) count as attack tools, too.
    pub http_libraries: bool,
}

impl Default for BotScanner {
    fn default() -> Self {
        Self {
            enabled: true,
            mode: None,
            http_libraries: false,
        }
    }
}

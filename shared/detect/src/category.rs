//! The ten attack categories, with the legacy layer's ids and configuration keys.

use std::fmt;

/// An attack category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Category {
    /// SQL and NoSQL injection (CWE-89, CWE-943).
    SqlInjection,
    /// Cross-site scripting (CWE-79).
    Xss,
    /// Path traversal and probes for sensitive files (CWE-22, CWE-538).
    PathTraversal,
    /// OS command and code injection (CWE-78, CWE-94, CWE-1336).
    CommandInjection,
    /// LDAP filter injection (CWE-90).
    LdapInjection,
    /// XML external entities and entity bombs (CWE-611, CWE-776).
    XxeInjection,
    /// Server-side request forgery (CWE-918).
    Ssrf,
    /// Log4j JNDI look-ups (CVE-2021-44228).
    Log4shell,
    /// CR/LF header injection and response splitting (CWE-93, CWE-113).
    HeaderInjection,
    /// Attack tools by user agent and probe.
    BotScanner,
}

impl Category {
    /// Every category, in the order of its discriminant.
    pub const ALL: [Category; 10] = [
        Category::SqlInjection,
        Category::Xss,
        Category::PathTraversal,
        Category::CommandInjection,
        Category::LdapInjection,
        Category::XxeInjection,
        Category::Ssrf,
        Category::Log4shell,
        Category::HeaderInjection,
        Category::BotScanner,
    ];

    /// The id in logs and metrics: a contract with the legacy layer's dashboards.
    pub const fn id(self) -> &'static str {
        match self {
            Category::SqlInjection => "SQL_INJECTION",
            Category::Xss => "XSS",
            Category::PathTraversal => "PATH_TRAVERSAL",
            Category::CommandInjection => "COMMAND_INJECTION",
            Category::LdapInjection => "LDAP_INJECTION",
            Category::XxeInjection => "XXE_INJECTION",
            Category::Ssrf => "SSRF",
            Category::Log4shell => "LOG4SHELL",
            Category::HeaderInjection => "HEADER_INJECTION",
            Category::BotScanner => "BOT_SCANNER",
        }
    }

    /// The key in configuration.
    pub const fn key(self) -> &'static str {
        match self {
            Category::SqlInjection => "sqlInjection",
            Category::Xss => "xss",
            Category::PathTraversal => "pathTraversal",
            Category::CommandInjection => "commandInjection",
            Category::LdapInjection => "ldapInjection",
            Category::XxeInjection => "xxeInjection",
            Category::Ssrf => "ssrf",
            Category::Log4shell => "log4shell",
            Category::HeaderInjection => "headerInjection",
            Category::BotScanner => "botScanner",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A set of categories, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct CategorySet(u16);

impl CategorySet {
    /// No category.
    pub const NONE: CategorySet = CategorySet(0);
    /// All ten.
    pub const ALL: CategorySet = CategorySet(0x3ff);

    /// The set of the categories listed.
    pub const fn of(categories: &[Category]) -> Self {
        let mut bits = 0;
        let mut rest = categories;
        while let [first, tail @ ..] = rest {
            bits |= 1 << *first as u16;
            rest = tail;
        }
        Self(bits)
    }

    /// Whether `category` is in the set.
    pub const fn contains(self, category: Category) -> bool {
        self.0 & (1 << category as u16) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with `category` in it.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | 1 << category as u16)
    }

    /// The set without `category`.
    #[must_use]
    pub const fn without(self, category: Category) -> Self {
        Self(self.0 & !(1 << category as u16))
    }

    /// The categories in the set, in the order of [`Category::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Category> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let category = *Category::ALL.get(rest.trailing_zeros() as usize)?;
            rest &= !(1 << category as u16);
            Some(category)
        })
    }

    /// What both sets hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

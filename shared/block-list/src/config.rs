//! The configuration as an operator writes it (JSON, camelCase).

use std::time::Duration;

use backstop_policy::{Interval, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Clients that are refused without looking further, on all workers. It is fed by BLOCK verdicts and by the WAF's detections,
/// by the address that Envoy vouches for. It takes `slots * 32 + slots / 64 * 16` bytes (16384 slots: 516 KiB; 1048576: 32.3
/// MiB), and about 100 bytes of the proxy's for each 64 slots. Where there is no room, clients that are only counted give
/// way before blocked ones, and the sooner over before the later; how many blocked ones gave way is counted. With a million
/// clients listed at once, 3 of 100 give way in 1048576 slots, 1 of 1000 in 1310720 (40.3 MiB), hardly any in 1572864.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BlockList {
    /// The list's name: plugins of one process that give the same `name`, `slots` and `mode` share one list. A list that only
    /// reports is never one that refuses.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
    pub name: String,
    /// Whether clients on the list are refused (default), or only reported. A filter that itself only reports (`mode` is
    /// `detect` or `report`) has a list that only reports, whatever is said here.
    pub mode: Mode,
    /// Which requests of a listed client are refused; all of them by default.
    pub scope: Scope,
    /// How long a client stays on the list.
    pub ttl: Interval,
    /// What an address is to the list.
    pub address: AddressKey,
    /// The cookie that names a session. If given, a BLOCK verdict lists the session, too. Detections of the WAF list
    /// addresses only: what a client writes into a cookie may be another's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_cookie: Option<String>,
    /// Whether a BLOCK verdict lists the client's address (default) beside its session.
    pub list_address_on_block: bool,
    /// Categories of the WAF that list a client at one hit. A hit is a request that the WAF refuses; for a list that only
    /// reports also one that the WAF would refuse if it were to block.
    pub categories: Vec<Category>,
    /// Categories that list a client at several hits.
    pub threshold: Threshold,
    /// Addresses and networks (CIDR) that are never listed: proxies and load balancers in front, which would be all their
    /// clients at once. The default is all private, shared, loopback and link-local networks.
    pub trusted_proxies: Vec<String>,
    /// Addresses and networks (CIDR) that are always on the list.
    pub entries: Vec<String>,
    /// Clients that are listed or counted at the same time.
    pub slots: Whole<1, 4_194_304>,
    /// The endpoint that learns of every new entry; nobody if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
}

impl Default for BlockList {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            mode: Mode::Enforce,
            scope: Scope::Everything,
            ttl: Interval(Duration::from_mins(10)),
            address: AddressKey::default(),
            session_cookie: None,
            list_address_on_block: true,
            categories: Vec::new(),
            threshold: Threshold::default(),
            trusted_proxies: [
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "::1/128",
                "fc00::/7",
                "fe80::/10",
            ]
            .map(str::to_owned)
            .to_vec(),
            entries: Vec::new(),
            slots: Whole(16_384),
            notify: None,
        }
    }
}

/// Whether listed clients are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BlockListMode")]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are logged and counted, and their requests pass.
    Report,
}

/// Which requests of a listed client are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// All of them, before anything else is done with them.
    Everything,
    /// Those of the ext_authz filter's critical APIs: other requests are not even looked up. In the WAF's section this
    /// refuses nobody, and the WAF only feeds the list.
    CriticalApis,
}

/// What an address is to the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AddressKey {
    /// How many bits of an IPv4 address count (default 32).
    pub ipv4_prefix_length: Whole<8, 32>,
    /// How many bits of an IPv6 address count (default 64: a household, or a host that takes what it likes).
    pub ipv6_prefix_length: Whole<16, 128>,
}

impl Default for AddressKey {
    fn default() -> Self {
        Self {
            ipv4_prefix_length: Whole(32),
            ipv6_prefix_length: Whole(64),
        }
    }
}

/// Several hits list a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Threshold {
    /// Whether hits are counted.
    pub enabled: bool,
    /// How many hits list a client.
    pub count: Whole<2, 255>,
    /// The time in which they come. Hits within `window` always count together; hits further apart than 9/8 of it never do.
    pub window: Interval,
    /// The categories whose hits count; each category if there is none.
    pub categories: Vec<Category>,
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            enabled: true,
            count: Whole(3),
            window: Interval(Duration::from_mins(1)),
            categories: Vec::new(),
        }
    }
}

/// A category of the WAF, by its configuration key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BlockListCategory")]
pub enum Category {
    /// SQL and NoSQL injection.
    SqlInjection,
    /// Cross-site scripting.
    Xss,
    /// Path traversal.
    PathTraversal,
    /// Command and code injection.
    CommandInjection,
    /// LDAP injection.
    LdapInjection,
    /// XML external entities.
    XxeInjection,
    /// Server-side request forgery.
    Ssrf,
    /// JNDI look-ups.
    Log4shell,
    /// Header injection.
    HeaderInjection,
    /// Attack tools.
    BotScanner,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 10] = [
        Self::SqlInjection,
        Self::Xss,
        Self::PathTraversal,
        Self::CommandInjection,
        Self::LdapInjection,
        Self::XxeInjection,
        Self::Ssrf,
        Self::Log4shell,
        Self::HeaderInjection,
        Self::BotScanner,
    ];

    /// The category whose id in logs is `id`; `None` for a category of a custom rule.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.id() == id)
    }

    /// The id in logs and towards the adapter: a contract with the legacy layer.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SqlInjection => "SQL_INJECTION",
            Self::Xss => "XSS",
            Self::PathTraversal => "PATH_TRAVERSAL",
            Self::CommandInjection => "COMMAND_INJECTION",
            Self::LdapInjection => "LDAP_INJECTION",
            Self::XxeInjection => "XXE_INJECTION",
            Self::Ssrf => "SSRF",
            Self::Log4shell => "LOG4SHELL",
            Self::HeaderInjection => "HEADER_INJECTION",
            Self::BotScanner => "BOT_SCANNER",
        }
    }
}

/// The endpoint that learns of every new entry, by POST, asynchronously. What it does not take (no 2xx) is tried again,
/// later each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notify {
    /// The proxy's cluster.
    pub cluster: String,
    /// The `:authority` of the POST. If it is not given: the host in a name of Istio's form, or else the cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The path.
    pub path: String,
    /// How long an attempt may take.
    #[serde(default = "timeout")]
    pub timeout: Interval,
    /// How many entries wait in each worker; what comes then is dropped, and counted.
    #[serde(default = "queue")]
    pub queue: Whole<1, 10_000>,
    /// How many of them are on their way at once.
    #[serde(default = "in_flight")]
    pub in_flight: Whole<1, 100>,
    /// How often an entry is tried before it is dropped, and counted.
    #[serde(default = "attempts")]
    pub attempts: Whole<1, 20>,
    /// The wait after the first attempt; each further wait is twice as long.
    #[serde(default = "backoff")]
    pub backoff: Interval,
    /// The longest wait.
    #[serde(default = "max_backoff")]
    pub max_backoff: Interval,
}

const fn timeout() -> Interval {
    Interval(Duration::from_secs(1))
}

const fn queue() -> Whole<1, 10_000> {
    Whole(256)
}

const fn in_flight() -> Whole<1, 100> {
    Whole(4)
}

const fn attempts() -> Whole<1, 20> {
    Whole(6)
}

const fn backoff() -> Interval {
    Interval(Duration::from_millis(500))
}

const fn max_backoff() -> Interval {
    Interval(Duration::from_secs(30))
}

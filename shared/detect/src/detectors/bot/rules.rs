//! The rules of BOT_SCANNER.

use super::anchors::Group;
use crate::{Category, Level, Rule, Severity};

const fn rule(
    id: u32,
    name: &'static str,
    description: &'static str,
    example: &'static str,
    lookalike: &'static str,
    reference: &'static str,
) -> Rule {
    Rule {
        id,
        name,
        category: Category::BotScanner,
        severity: Severity::Critical,
        level: Level::One,
        description,
        example,
        lookalike,
        reference,
    }
}

/// Every rule of this category.
pub static RULES: &[Rule] = &[
    SQLMAP,
    NIKTO,
    NMAP,
    MASSCAN,
    DIRBUSTER,
    GOBUSTER,
    BURP,
    SCANNER,
    FUZZER,
    BRUTE_FORCE,
    RECON,
    EXPLOIT,
    HTTP_LIBRARY,
    PROBE,
    CALLBACK,
    HEADER,
];

/// The rule of a group of marks.
pub const fn of(group: Group) -> &'static Rule {
    match group {
        Group::Sqlmap => &SQLMAP,
        Group::Nikto => &NIKTO,
        Group::Nmap => &NMAP,
        Group::Masscan => &MASSCAN,
        Group::Dirbuster => &DIRBUSTER,
        Group::Gobuster => &GOBUSTER,
        Group::Burp => &BURP,
        Group::Scanner => &SCANNER,
        Group::Fuzzer => &FUZZER,
        Group::BruteForce => &BRUTE_FORCE,
        Group::Recon => &RECON,
        Group::Exploit => &EXPLOIT,
        Group::Library => &HTTP_LIBRARY,
        Group::Probe => &PROBE,
        Group::Callback => &CALLBACK,
    }
}

const TOOLS: &str = "CAPEC-169, CAPEC-310, CRS 913100";

/// sqlmap.
pub const SQLMAP: Rule = rule(
    10001,
    "bot-sqlmap",
    "The user agent of sqlmap, which finds and exploits SQL injection.",
    "sqlmap/1.8#stable (https://sqlmap.org)",
    "Mozilla/5.0 (compatible; MapBot/1.0)",
    TOOLS,
);
/// Nikto.
pub const NIKTO: Rule = rule(
    10002,
    "bot-nikto",
    "The user agent of Nikto, a scanner for known holes.",
    "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None)",
    "Mozilla/5.0 (Nikon Browser)",
    TOOLS,
);
/// Nmap.
pub const NMAP: Rule = rule(
    10003,
    "bot-nmap",
    "The user agent of Nmap's scripting engine.",
    "Mozilla/5.0 (compatible; Nmap Scripting Engine)",
    "OpenMap/2.0",
    TOOLS,
);
/// masscan.
pub const MASSCAN: Rule = rule(
    10004,
    "bot-masscan",
    "The user agent of masscan, a port scanner for the whole internet.",
    "masscan/1.3",
    "scanner-app/1.0",
    TOOLS,
);
/// DirBuster.
pub const DIRBUSTER: Rule = rule(
    10005,
    "bot-dirbuster",
    "The user agent of DirBuster, which guesses paths.",
    "DirBuster-1.0-RC1",
    "AirBuster/1.0",
    TOOLS,
);
/// gobuster.
pub const GOBUSTER: Rule = rule(
    10006,
    "bot-gobuster",
    "The user agent of gobuster, which guesses paths and hosts.",
    "gobuster/3.6",
    "GoBus/3.6",
    TOOLS,
);
/// Burp Suite.
pub const BURP: Rule = rule(
    10007,
    "bot-burp",
    "A user agent that names Burp Suite.",
    "Mozilla/5.0 (Burp Suite Professional)",
    "Mozilla/5.0 (Burpee Garden)",
    TOOLS,
);
/// Vulnerability scanners.
pub const SCANNER: Rule = rule(
    10008,
    "bot-scanner",
    "The user agent of a vulnerability scanner.",
    "Mozilla/5.0 (compatible; Nuclei)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    TOOLS,
);
/// Content discovery and fuzzing.
pub const FUZZER: Rule = rule(
    10009,
    "bot-fuzzer",
    "The user agent of a tool that guesses paths or feeds random input.",
    "feroxbuster/2.10",
    "Mozilla/5.0 (Fuzzy Browser)",
    TOOLS,
);
/// Password guessing.
pub const BRUTE_FORCE: Rule = rule(
    10010,
    "bot-brute-force",
    "The user agent of a tool that guesses passwords.",
    "Mozilla/4.0 (Hydra)",
    "HydraPlayer/2.0",
    "CAPEC-49, CWE-307, CRS 913100",
);
/// Surveys of the internet and reconnaissance.
pub const RECON: Rule = rule(
    10011,
    "bot-recon",
    "The user agent of a tool that surveys hosts and their software.",
    "Mozilla/5.0 zgrab/0.x",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
    TOOLS,
);
/// Exploit tools.
pub const EXPLOIT: Rule = rule(
    10012,
    "bot-exploit-tool",
    "The user agent of a tool that exploits one kind of hole.",
    "commix/v3.9-stable",
    "Mozilla/5.0 (compatible; Yeti/1.1)",
    TOOLS,
);
/// Ordinary HTTP libraries; only where the scanner's options say so.
pub const HTTP_LIBRARY: Rule = rule(
    10013,
    "bot-http-library",
    "The user agent of an HTTP library, a load generator or an automated browser. Off unless switched on: honest programs \
     use them too.",
    "python-requests/2.32",
    "okhttp/4.12.0",
    "OWASP Automated Threats OAT-005, OAT-013",
);
/// Test paths of scanners.
pub const PROBE: Rule = rule(
    10014,
    "bot-probe-path",
    "A path that only a scanner asks for, to see how a server answers what does not exist.",
    "/nmaplowercheck1700000000",
    "/map/lowercheck",
    "CAPEC-169, CRS 913120",
);
/// Call-back hosts.
pub const CALLBACK: Rule = rule(
    10015,
    "bot-callback-host",
    "A value that names a host which testing tools have their victims call back.",
    "http://x1y2.oastify.com/a",
    "http://coast.me/",
    "CWE-918, CAPEC-169",
);
/// Header names of scanners.
pub const HEADER: Rule = rule(
    10016,
    "bot-scanner-header",
    "A header field that a scanner adds to its requests, whatever its value.",
    "x-scan-memo: Category=\"Audit\"",
    "x-scan-id: 7",
    "CAPEC-169, CRS 913110",
);

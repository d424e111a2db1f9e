//! What the prefilter looks for on behalf of BOT_SCANNER: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.
//!
//! The literals are the table of tools, so that neither can be without the other.

/// An attack tool's name in a user agent.
pub const TOOL: u8 = 0b0001;
/// An HTTP library's name in a user agent.
pub const LIBRARY: u8 = 0b0010;
/// A path that only a scanner asks for.
pub const PROBE: u8 = 0b0100;
/// A host that scanners have victims call back.
pub const CALLBACK: u8 = 0b1000;

/// What a mark stands for; each is one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// sqlmap.
    Sqlmap,
    /// Nikto.
    Nikto,
    /// Nmap.
    Nmap,
    /// masscan.
    Masscan,
    /// DirBuster.
    Dirbuster,
    /// gobuster.
    Gobuster,
    /// Burp Suite.
    Burp,
    /// Vulnerability scanners.
    Scanner,
    /// Content discovery and fuzzing.
    Fuzzer,
    /// Password guessing.
    BruteForce,
    /// Surveys of the whole internet and reconnaissance.
    Recon,
    /// Tools that exploit one kind of hole.
    Exploit,
    /// Ordinary HTTP libraries and automated browsers.
    Library,
    /// Scanners' test paths.
    Probe,
    /// Scanners' call-back hosts.
    Callback,
}

/// A mark, what it stands for, and where that is documented.
pub type Mark = (&'static [u8], Group, &'static str);

macro_rules! marks {
    ($($bit:ident { $($token:literal $group:ident $source:literal)* })*) => {
        /// Every mark.
        pub const MARKS: &[Mark] = &[$($(($token, Group::$group, $source)),*),*];
        /// Literals and the feature bits that each sets.
        pub const ANCHORS: &[(&[u8], u8)] = &[$($(($token, $bit)),*),*];
    };
}

include!("tools.rs");

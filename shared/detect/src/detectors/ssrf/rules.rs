//! The rules of SSRF.

use crate::{Category, Level, Rule, Severity};

macro_rules! rules {
    ($($constant:ident: $id:literal, $name:literal, $level:ident, $severity:ident, $reference:literal,
        $description:literal, $example:literal, $lookalike:literal;)*) => {
        $(
            #[doc = $description]
            pub const $constant: Rule = Rule {
                id: $id,
                name: $name,
                category: Category::Ssrf,
                severity: Severity::$severity,
                level: Level::$level,
                description: $description,
                example: $example,
                lookalike: $lookalike,
                reference: $reference,
            };
        )*
        /// Every rule of this category.
        pub static RULES: &[Rule] = &[$($constant),*];
    };
}

rules! {
    METADATA: 7001, "ssrf-aws-metadata", One, Critical, "CWE-918, CAPEC-664, CRS 934110",
        "A URL of a cloud's metadata address, in any spelling (AWS, Azure, DigitalOcean, OpenStack, Alibaba, Oracle).",
        "http://0xa9fea9fe/latest/meta-data/", "the address 169.254.169.254 in a text";
    LOCALHOST: 7002, "ssrf-localhost", One, Critical, "CWE-918, CRS 934120",
        "A URL of the server itself, in any spelling.", "http://127.1/admin", "localhost";
    INTERNAL_IP: 7003, "ssrf-internal-ip", One, Critical, "CWE-918, RFC 1918, RFC 4193, RFC 6598",
        "A URL of a private or link-local address.", "http://172.16.0.1/", "http://172.32.0.1/";
    GCP_METADATA: 7004, "ssrf-gcp-metadata", One, Critical, "CWE-918, CRS 934110",
        "A URL of a metadata service by its name.", "http://metadata.google.internal/x", "http://metadata.example.com/";
    FILE: 7005, "ssrf-file-protocol", One, Critical, "CWE-918, CWE-73",
        "A URL that opens a file of the server.", "file:///srv/x", "a file: x";
    GOPHER: 7006, "ssrf-gopher-protocol", One, Critical, "CWE-918",
        "A gopher URL, which sends any bytes to any port.", "gopher://h.example:70/_x", "a gopher: x";
    DICT: 7007, "ssrf-dict-protocol", One, Critical, "CWE-918",
        "A dict URL, which talks to text protocols.", "dict://h.example:11211/stat", "dict: a";
    FTP: 7008, "ssrf-ftp-protocol", Two, Error, "CWE-918",
        "A URL of a file transfer protocol: ftp, sftp, tftp, rsync, smb.", "ftp://h.example/x", "ftp is old";
    ODD_SCHEME: 7009, "ssrf-odd-scheme", One, Critical, "CWE-918, CRS 931110, CRS 934120",
        "A URL of a scheme that a page has no use for: ldap, rmi, tftp, jar, netdoc and others.", "ldap://h.example/x", "ldap: a";
    DISGUISED: 7010, "ssrf-disguised-host", One, Critical, "CWE-918, CRS 934120",
        "A URL whose host is an address in decimal, octal, hexadecimal, short or enclosed signs.",
        "http://123456789/", "http://123456789.example/";
    REBINDING: 7011, "ssrf-rebinding", One, Critical, "CWE-918, CWE-350",
        "A URL of a domain that answers with the address in its own name.", "http://10.0.0.1.nip.io/", "http://nip.example/";
    CALLBACK: 7012, "ssrf-callback", One, Critical, "CWE-918",
        "A URL of a domain of a tool that records call-backs.", "http://x.oast.live/", "http://oast.example/";
    INTERNAL_NAME: 7013, "ssrf-internal-name", One, Critical, "CWE-918",
        "A URL of a name that only a private network resolves.", "http://db.svc.cluster.local/", "http://local.example/";
    REMOTE_FILE: 7014, "ssrf-remote-file", One, Critical, "CWE-98, CRS 931100, CRS 931120",
        "A URL of a script on a bare address, or one that cuts off what the application appends.",
        "http://192.0.2.7/a.php", "http://192.0.2.7/a.png";
    ADDRESS: 7015, "ssrf-address", Two, Error, "CWE-918, CRS 931100",
        "A URL whose host is a bare address of the internet.", "http://192.0.2.7/", "http://a.example/";
    IN_TEXT: 7016, "ssrf-in-text", Two, Error, "CWE-918",
        "A text that starts with a URL of the server's own network, or a redirect to the user's own machine.",
        "http://10.0.0.5/ does not answer since last night", "a text without any";
    NO_SCHEME: 7017, "ssrf-no-scheme", Two, Error, "CWE-918",
        "A host and port of the server's own network without a scheme.", "127.0.0.1:6379", "10.0.0.5 is an address";
    DATA_SOURCE: 7018, "ssrf-data-source", Two, Error, "CWE-918, CRS 934120",
        "A connection string of a database.", "postgres://db.example/tickets", "postgres: a database";
}

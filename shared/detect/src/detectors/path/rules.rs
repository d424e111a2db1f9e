//! The rules of PATH_TRAVERSAL.

use crate::{Category, Level, Rule, Severity};

macro_rules! rules {
    ($($constant:ident: $id:literal, $name:literal, $level:ident, $severity:ident, $reference:literal,
        $description:literal, $example:literal, $lookalike:literal;)*) => {
        $(
            #[doc = $description]
            pub const $constant: Rule = Rule {
                id: $id,
                name: $name,
                category: Category::PathTraversal,
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
    DOTS: 3001, "path-traversal-dots", One, Critical, "CWE-22, CAPEC-126, CRS 930110",
        "A segment of two dots in a path or in a value that is a path.", "../../app/config", "wait.. what";
    TRIPLE_DOTS: 3002, "path-traversal-triple-dots", One, Critical, "CWE-32, CWE-33, CRS 930110",
        "Segments of three dots or more, which filters that delete `../` turn into it.", "....//....//app", "and so on...";
    ENCODED: 3003, "path-traversal-encoded", One, Critical, "CWE-22, CWE-173, CRS 930100",
        "A dot segment whose dots are still encoded when every valid decoding is done.", "0x2e0x2e/app", "0x2e";
    ENCODED_SLASH: 3004, "path-traversal-encoded-slash", One, Critical, "CWE-22, CWE-173, CRS 930100",
        "A dot segment behind which the slash is still encoded when every valid decoding is done.", "..0x2fapp", "a%2fb";
    BACKSLASH: 3005, "path-traversal-backslash", One, Critical, "CWE-22, CAPEC-126, CRS 930110",
        "A dot segment with a backslash behind it.", "..\\app", "folder\\file.txt";
    MIXED: 3006, "path-traversal-mixed", One, Critical, "CWE-22, CVE-2020-5902",
        "A dot segment with padding, a path parameter or both kinds of slash.", "..;/manager", "a;b/c";
    UNIX_FILE: 3010, "path-unix-file", One, Critical, "CWE-22, CWE-538, CRS 930120",
        "A file that every Unix system has and no page asks for.", "/etc/passwd", "/etcetera/passwords";
    WINDOWS_FILE: 3011, "path-windows-file", One, Critical, "CWE-22, CWE-538, CRS 930120",
        "A file or folder of Windows.", "c:\\windows\\win.ini", "window.initial";
    JAVA_FILE: 3012, "path-java-file", One, Critical, "CWE-538, CRS 930130",
        "A folder or a file of a Java web application that its server keeps to itself.", "/WEB-INF/web.xml", "/web-info/web.xml";
    CREDENTIALS: 3013, "path-credentials", One, Critical, "CWE-538, CAPEC-639",
        "A file that holds keys, tokens or the settings of a cloud or container.", "/.aws/credentials", "/aws/credentials";
    SETTINGS: 3014, "path-settings", One, Critical, "CWE-538, CRS 930130",
        "A dot file, a version control folder or an application's own settings.", "/.env", "/environment";
    SYSTEM_FOLDER: 3015, "path-system-folder", One, Critical, "CWE-22, CRS 930120",
        "A value that is an absolute path into a folder of the system.", "/var/log/app/access.log", "/variety/log";
    DRIVE: 3016, "path-drive", One, Critical, "CWE-22, CWE-39",
        "A value that is a path on a drive of Windows.", "c:\\apache\\conf\\x.xml", "C:\\fakepath\\photo.jpg";
    WRAPPER: 3017, "path-wrapper", One, Critical, "CWE-98, CRS 933200, CRS 931110",
        "A scheme that opens a local file or a stream of PHP.", "php://filter/resource=index", "file name: a";
    NUL: 3018, "path-nul", One, Critical, "CWE-158, CWE-626",
        "A NUL byte that cuts a file's name short.", "page\0.html", "page.html";
    SHARE: 3019, "path-share", One, Critical, "CWE-40, CWE-73",
        "A path to another machine's share, or to a device of Windows.", "\\\\files.example\\share\\a", "\\\\d+";
    IN_TEXT: 3020, "path-in-text", Two, Critical, "CWE-22",
        "A dot segment or a system's file inside a text or code.", "import x from '../lib'", "a text without any";
    BACKUP: 3021, "path-backup", Two, Warning, "CWE-530, CRS 930130",
        "A request for a backup copy or a dump.", "/shop.bak", "/shop.html";
    SOURCE_COPY: 3022, "path-source-copy", One, Critical, "CWE-530, CWE-541, CRS 930130",
        "A copy of a script, or a stream of NTFS, that the server hands out as text.", "/index.php.bak", "/notes.txt";
}

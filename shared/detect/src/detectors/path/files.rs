//! Files that nobody asks a web application for, as tables; a path is compared with slashes of either kind and any number.

use super::super::ascii::{Heads, at, before, candidates, ends, has};
use super::dots;

/// What kind of file a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// A file of a Unix system.
    Unix,
    /// A file of Windows.
    Windows,
    /// A file of a Java web application that the container does not serve.
    Java,
    /// Credentials: keys, tokens, cloud and container configuration.
    Credentials,
    /// A file of a version control system or of an application's settings.
    Settings,
}

/// Names that are proof wherever they stand behind a slash, a dot or the start: `etc/passwd`.
#[rustfmt::skip]
pub const PROOF: &[(&[u8], File)] = &[
    (b".aws/", File::Credentials), (b".azure/", File::Credentials), (b".bash_history", File::Settings),
    (b".bash_profile", File::Settings), (b".bashrc", File::Settings), (b".boto", File::Credentials),
    (b".bzr/", File::Settings), (b".composer/", File::Settings), (b".config/gcloud", File::Credentials),
    (b".docker/", File::Credentials), (b".dockercfg", File::Credentials), (b".dockerenv", File::Credentials),
    (b".ds_store", File::Settings), (b".env", File::Settings), (b".git-credentials", File::Credentials),
    (b".git/", File::Settings), (b".gitconfig", File::Settings), (b".gnupg/", File::Credentials),
    (b".hg/", File::Settings), (b".history", File::Settings), (b".htaccess", File::Settings),
    (b".htpasswd", File::Credentials), (b".idea/", File::Settings), (b".kube/config", File::Credentials),
    (b".my.cnf", File::Credentials), (b".mysql_history", File::Settings), (b".netrc", File::Credentials),
    (b".npmrc", File::Credentials), (b".pgpass", File::Credentials), (b".profile", File::Settings),
    (b".pypirc", File::Credentials), (b".remote-sync.json", File::Credentials), (b".rhosts", File::Settings),
    (b".s3cfg", File::Credentials), (b".ssh/", File::Credentials), (b".subversion/", File::Settings),
    (b".svn/", File::Settings), (b".terraform/", File::Credentials), (b".user.ini", File::Settings),
    (b".vault-token", File::Credentials), (b".viminfo", File::Settings), (b".vscode/", File::Settings),
    (b".zsh_history", File::Settings), (b".zshrc", File::Settings), (b"applicationcontext.xml", File::Java),
    (b"appsettings.json", File::Settings), (b"authorized_keys", File::Credentials), (b"autoexec.bat", File::Windows),
    (b"boot-inf/", File::Java), (b"boot.ini", File::Windows), (b"config.inc.php", File::Settings),
    (b"config/sam", File::Windows), (b"credentials.json", File::Credentials), (b"cvs/entries", File::Settings),
    (b"cvs/root", File::Settings), (b"database.yml", File::Settings), (b"db.properties", File::Settings),
    (b"desktop.ini", File::Windows), (b"drivers/etc", File::Windows), (b"etc/group", File::Unix),
    (b"etc/gshadow", File::Unix), (b"etc/hosts", File::Unix), (b"etc/issue", File::Unix),
    (b"etc/kubernetes/", File::Credentials), (b"etc/master.passwd", File::Unix), (b"etc/passwd", File::Unix),
    (b"etc/security/opasswd", File::Unix), (b"etc/security/passwd", File::Unix), (b"etc/shadow", File::Unix),
    (b"etc/subgid", File::Unix), (b"etc/subuid", File::Unix), (b"etc/sudoers", File::Unix),
    (b"global.asa", File::Settings), (b"httpd.conf", File::Settings), (b"id_dsa", File::Credentials),
    (b"id_ecdsa", File::Credentials), (b"id_ed25519", File::Credentials), (b"id_rsa", File::Credentials),
    (b"inetpub/", File::Windows), (b"jdbc.properties", File::Settings), (b"kubelet/", File::Credentials),
    (b"localsettings.php", File::Settings), (b"meta-inf/", File::Java), (b"my.cnf", File::Settings),
    (b"mysql_config", File::Settings), (b"nginx.conf", File::Settings), (b"php.ini", File::Settings),
    (b"phpinfo.php", File::Settings), (b"proc/1/", File::Unix), (b"proc/cmdline", File::Unix),
    (b"proc/cpuinfo", File::Unix), (b"proc/mounts", File::Unix), (b"proc/net/", File::Unix),
    (b"proc/sched_debug", File::Unix), (b"proc/self/", File::Unix), (b"proc/version", File::Unix),
    (b"repair/sam", File::Windows), (b"run/secrets/", File::Credentials), (b"sftp-config.json", File::Credentials),
    (b"sysprep.inf", File::Windows), (b"system.ini", File::Windows), (b"system32/", File::Windows),
    (b"terraform.tfstate", File::Credentials), (b"tomcat-users.xml", File::Java), (b"unattend.xml", File::Windows),
    (b"web-inf/", File::Java), (b"web.config", File::Settings), (b"weblogic.xml", File::Java),
    (b"win.ini", File::Windows), (b"windows/debug", File::Windows), (b"windows/panther", File::Windows),
    (b"windows/repair", File::Windows), (b"windows/system32", File::Windows), (b"windows/win.ini", File::Windows),
    (b"windowsupdate.log", File::Windows), (b"winnt/", File::Windows), (b"wp-config", File::Settings),
];

/// Folders whose files are the system's: a value that is a path into one of them asks for one.
#[rustfmt::skip]
pub const ROOTS: &[&[u8]] = &[
    b"/bin/", b"/boot/", b"/dev/fd", b"/dev/mem", b"/dev/random", b"/dev/shm", b"/dev/std", b"/dev/urandom", b"/dev/zero",
    b"/etc/", b"/inetpub/", b"/lib/security", b"/library/webserver", b"/mnt/", b"/opt/", b"/private/etc", b"/private/tmp", b"/private/var", b"/proc/",
    b"/program files", b"/programdata/", b"/root/.", b"/sbin/", b"/srv/http", b"/srv/www", b"/sys/block", b"/sys/class", b"/sys/devices", b"/sys/kernel", b"/sys/module",
    b"/tmp/", b"/usr/adm", b"/usr/apache", b"/usr/bin", b"/usr/etc", b"/usr/home", b"/usr/lib", b"/usr/local", b"/usr/pkg", b"/usr/ports", b"/usr/sbin",
    b"/usr/share", b"/usr/spool", b"/usr/tmp", b"/var/adm", b"/var/apache", b"/var/backup", b"/var/cache", b"/var/cpanel", b"/var/cron", b"/var/data", b"/var/db", b"/var/htmp", b"/var/lib", b"/var/local",
    b"/var/lock", b"/var/log", b"/var/mail", b"/var/mysql", b"/var/named", b"/var/nis", b"/var/opt", b"/var/run", b"/var/spool", b"/var/tmp", b"/var/vm", b"/var/webmin", b"/var/www", b"/volumes/",
    b"/winnt/", b"/windows/", b"/xampp/", b"/lampp/",
];

/// What the files behind such paths are called: logs, configuration, password lists.
const SUFFIXES: &[&[u8]] = &[
    b".cnf",
    b".conf",
    b".htaccess",
    b".htpasswd",
    b".ini",
    b".log",
    b".old",
    b".passwd",
    b".pdb",
    b".pid",
    b".pwd",
    b".sock",
    b"_log",
    b"-log",
    b"/conf",
    b"/logs",
    b"/passwd",
    b".bash_history",
];

/// Pictures, documents and parts of pages: what a relative link leads to.
const ASSETS: &[&[u8]] = &[
    b".avif", b".css", b".docx", b".gif", b".htm", b".html", b".hwp", b".ico", b".jpeg", b".jpg",
    b".js", b".md", b".mp3", b".mp4", b".pdf", b".png", b".pptx", b".svg", b".webp", b".woff",
    b".woff2", b".xlsx", b".zip",
];

/// Whether a path ends like a picture, a document or a part of a page.
pub fn asset(path: &[u8]) -> bool {
    let path = path
        .split(|byte| matches!(byte, b'?' | b'#'))
        .next()
        .unwrap_or_default();
    !path.contains(&0) && ASSETS.iter().any(|suffix| ends(path, suffix))
}

/// Whether a path ends like what a style sheet, a script or a build refers to: pictures, fonts, styles, modules.
pub fn part_of_a_page(path: &[u8]) -> bool {
    const PARTS: [&[u8]; 16] = [
        b".avif", b".css", b".gif", b".ico", b".jpeg", b".jpg", b".js", b".jsx", b".mjs", b".png",
        b".svg", b".ts", b".tsx", b".webp", b".woff", b".woff2",
    ];
    PARTS.iter().any(|suffix| ends(path, suffix))
}

/// Whether an absolute path ends like a log or a configuration file.
pub fn log_or_configuration(path: &[u8]) -> bool {
    SUFFIXES.iter().any(|suffix| ends(path, suffix))
}

/// Compares `pattern` (lower case, `/` for a slash) at `i` without regard to case, to the kind of slash and to how many
/// slashes stand in a row: where the match ends.
pub fn stands(bytes: &[u8], i: usize, pattern: &[u8]) -> Option<usize> {
    let mut k = i;
    for expected in pattern {
        if *expected == b'/' {
            let (length, _) = dots::slash(bytes, k)?;
            k += length;
            for _ in 0..16 {
                match dots::slash(bytes, k) {
                    Some((length, _)) => k += length,
                    // `/./` is a slash.
                    None if at(bytes, k) == b'.' && dots::slash(bytes, k + 1).is_some() => k += 1,
                    None => break,
                }
            }
        } else {
            if at(bytes, k).to_ascii_lowercase() != *expected {
                return None;
            }
            k += 1;
        }
    }
    Some(k)
}

static HEADS: Heads = Heads::of(PROOF);

/// Whether [`proof`] may find a file that begins with these two bytes: most words stop here.
#[inline]
pub fn may_start(first: u8, second: u8) -> bool {
    HEADS.may_start(first, second)
}

/// A file that is proof, at `i`: its kind and where its name ends. Adds to `compared` how many names it was compared with.
pub fn proof(bytes: &[u8], i: usize, compared: &mut usize) -> Option<(File, usize)> {
    // Rows that start with the same folder stand together: it is compared once.
    let mut folder: &[u8] = b"";
    let mut inside = Some(i);
    let rows = candidates(PROOF, bytes, i);
    *compared += rows.len();
    rows.iter().find_map(|(name, file)| {
        let split = name.iter().position(|byte| *byte == b'/');
        let (own, rest) = name.split_at_checked(split.map_or(0, |slash| slash + 1))?;
        if own != folder {
            folder = own;
            inside = stands(bytes, i, own);
        }
        let end = stands(bytes, inside?, rest)?;
        // The name has to end there: `.environment` is not `.env`, `etc/hostsfile` not `etc/hosts`.
        let next = at(bytes, end);
        let open = name.last() == Some(&b'/')
            || !next.is_ascii_alphanumeric() && (next != b'-' || name.starts_with(b"wp-"));
        // Samples are there to be read.
        let sample = [
            &b".example"[..],
            b".sample",
            b".dist",
            b".template",
            b".pub",
        ]
        .iter()
        .any(|suffix| has(bytes, end, suffix));
        (open && !sample).then_some((*file, end))
    })
}

/// Whether `i` starts a path into one of the system's folders.
pub fn root(bytes: &[u8], i: usize) -> Option<usize> {
    ROOTS
        .iter()
        .find_map(|name| stands(bytes, i, name))
        .filter(|end| before(bytes, *end) != b'/' || *end < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted() {
        assert!(PROOF.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn files_are_known_in_every_spelling() {
        for text in [
            "etc/passwd",
            "ETC\\Passwd",
            "etc//passwd",
            "etc/./passwd",
            "etc%2fpasswd",
            ".env",
            ".git/config",
        ] {
            assert!(proof(text.as_bytes(), 0, &mut 0).is_some(), "{text}");
        }
        for text in ["etc/passwords", ".environment", "etcetera", "etc/hostsfile"] {
            assert!(proof(text.as_bytes(), 0, &mut 0).is_none(), "{text}");
        }
        assert!(root(b"/etc/hostname", 0).is_some());
        assert!(root(b"/etching/1", 0).is_none());
        assert!(root(b"/variety", 0).is_none());
    }
}

//! Second words that only a tool has: `docker ps`, `git clone`, `reg query`. They tell a command line from prose as an option does.

use super::super::ascii::{at, from, lower};
use super::operand::Operand;
use super::word::{self, Word};

/// Tools whose names are words as well, with the words they take; sorted by tool.
#[rustfmt::skip]
const TAKEN: &[(&str, &[&str])] = &[
    ("apt", &["install", "list", "remove", "update", "upgrade"]),
    ("aws", &["configure", "ec2", "iam", "lambda", "s3", "s3api", "sts"]),
    ("docker", &["build", "cp", "exec", "images", "inspect", "info", "ps", "pull", "run"]),
    ("finger", &["root"]),
    ("git", &["clone"]),
    ("ip", &["a", "addr", "address", "l", "link", "neigh", "r", "route"]),
    ("kubectl", &["apply", "config", "create", "delete", "describe", "exec", "get", "logs", "run"]),
    ("net", &["accounts", "group", "localgroup", "session", "share", "start", "stop", "use", "user", "users", "view"]),
    ("netsh", &["advfirewall", "firewall", "interface", "trace", "winsock", "wlan"]),
    ("openssl", &["base64", "enc", "passwd", "rand", "req", "s_client", "version"]),
    ("passwd", &["root"]),
    ("pip", &["download", "install", "list"]),
    ("pip3", &["download", "install", "list"]),
    ("ps", &["a", "aux", "auxf", "auxww", "ax", "ef", "faux"]),
    ("reg", &["add", "delete", "export", "query", "save"]),
    ("route", &["print"]),
    ("sc", &["config", "create", "delete", "query", "start", "stop"]),
    ("service", &["apache2", "cron", "httpd", "mysql", "nginx", "ssh", "sshd"]),
    ("start", &["calc", "calc.exe", "cmd", "cmd.exe", "notepad", "powershell"]),
    ("su", &["-", "root"]),
    ("tar", &["cf", "cvf", "cvzf", "czf", "czvf", "xf", "xvf", "xvzf", "xzf", "xzvf", "zxf", "zxvf"]),
    ("which", &["nc", "ncat", "netcat", "wget"]),
    ("wmic", &["computersystem", "os", "process", "product", "qfe", "service", "useraccount"]),
    ("yum", &["install", "list", "update"]),
];

/// Whether `word`, in lower case, takes `second` for a word of its own.
pub fn takes(word: &[u8], second: &[u8]) -> bool {
    let mut scratch = [0; 16];
    let Some(second) = lower(second, &mut scratch).and_then(|len| scratch.get(..len)) else {
        return false;
    };
    TAKEN
        .binary_search_by(|(tool, _)| tool.as_bytes().cmp(word))
        .ok()
        .and_then(|found| TAKEN.get(found))
        .is_some_and(|(_, words)| words.iter().any(|known| known.as_bytes() == second))
}

/// `| sort -count`, `| head 10` in query languages: an ordinary name after a pipe with a long option.
pub fn sorts(bytes: &[u8], word: &Word, operand: Operand) -> bool {
    operand == Operand::Option && !matches!(word.name(), b"powershell" | b"pwsh") && {
        let start = word::skip_blanks(bytes, word.end);
        at(bytes, start + 1) != b'-'
            && from(bytes, start + 1)
                .iter()
                .take(8)
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count()
                > 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_sorted_and_known() {
        assert!(TAKEN.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (tool, _) in TAKEN {
            let weight = super::super::vocabulary::weight(tool.as_bytes());
            assert!(weight.is_some(), "{tool}");
        }
    }

    #[test]
    fn second_words_and_prose() {
        assert!(takes(b"docker", b"ps"));
        assert!(takes(b"reg", b"QUERY"));
        assert!(!takes(b"net", b"price"));
        assert!(!takes(b"ip", b"address-of-mine"));
        assert!(!takes(b"cat", b"ps"));
    }
}

//! The words that a shell runs, sorted for binary search, by how much a word says on its own.
//!
//! Sources: the names in POSIX XCU, GNU coreutils, util-linux, BusyBox, GTFOBins and LOLBAS.

use super::super::ascii::in_table;

/// How much a command's name proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// An English word or a common field name as well (`sort`, `date`): needs an argument that only a command has.
    Ordinary,
    /// Short, seldom a word of its own (`ls`, `cat`, `id`).
    Terse,
    /// Nothing but a command (`whoami`, `wget`).
    Distinct,
}

/// What `word` (lower case, without its folder and without `.exe`) is as a command.
pub fn weight(word: &[u8]) -> Option<Weight> {
    if in_table(DISTINCT, word) {
        Some(Weight::Distinct)
    } else if in_table(TERSE, word) {
        Some(Weight::Terse)
    } else if in_table(ORDINARY, word) {
        Some(Weight::Ordinary)
    } else {
        None
    }
}

/// Words that run the command after them.
pub fn is_prefix(word: &[u8]) -> bool {
    in_table(PREFIXES, word)
}

#[rustfmt::skip]
/// Names that mean nothing but a command.
pub static DISTINCT: &[&str] = &[
    "7za", "7zr", "aa-exec", "aapt", "addgroup", "adduser", "ansible", "ansible-console", "ansible-playbook",
    "apt-get", "aptitude", "arping", "awk", "base32", "base64", "basenc", "bcdboot", "bcdedit", "bitsadmin", "blkid",
    "bunzip2", "busctl", "busybox", "bzcat", "bzgrep", "bzip2", "c89", "c99", "cacls", "capsh", "certbot", "certutil",
    "chattr", "chef-client", "chef-run", "chef-shell", "chef-vault", "chgrp", "chmod", "chown", "chroot", "cmdkey",
    "cmstp", "cpan", "cpio", "cpulimit", "crontab", "cscli", "cscript", "csh", "csplit", "csvtool", "cupsfilter",
    "ddrescue", "deluser", "diskpart", "dmesg", "dmidecode", "dnf", "docker-compose", "dosbox", "dpkg", "driverquery",
    "dsquery", "dvips", "easy_install", "easyrsa", "echo", "egrep", "eqn", "espeak", "ethtool", "expr", "fdisk",
    "fgrep", "findstr", "forfiles", "fping", "fsutil", "ftpget", "ftpput", "ftpwho", "gawk", "gcc", "gcore", "gdb",
    "gdbserver", "getconf", "getent", "getfacl", "getmac", "ghci", "gparted", "gpg", "gpresult", "gunzip", "gzexe",
    "hexdump", "hexedit", "hostid", "hping3", "htdigest", "htop", "htpasswd", "icacls", "iconv", "ieexec", "ifconfig",
    "ifdown", "ifstat", "ifup", "insmod", "installutil", "ipconfig", "iptables", "iwconfig", "jexec", "jjs",
    "journalctl", "jrunscript", "killall", "ksh", "lastb", "lastlog", "lastlogin", "ldconfig", "lftp", "lftpget",
    "ll", "logrotate", "lsattr", "lsb_release", "lsblk", "lscpu", "lsmod", "lsof", "lspci", "lsusb", "ltrace",
    "lwp-download", "lwp-request", "lynx", "lzcat", "lzma", "mavinject", "mawk", "md5", "md5sum", "mkdir", "mkfifo",
    "mkfs", "mknod", "mkpasswd", "mktemp", "modprobe", "msbuild", "msgattrib", "mshta", "msiexec", "mtr",
    "mysqladmin", "mysqlshow", "nasm", "nawk", "nbtstat", "ncat", "ncdu", "ncftp", "netcat", "netplan", "netsh",
    "netstat", "nft", "nltest", "nmap", "nohup", "nroff", "nsenter", "nslookup", "ntdsutil", "odbcconf", "openvpn",
    "openvt", "opkg", "passthru", "pathping", "pax", "pcalua", "perl5", "pgrep", "pidof", "pidstat", "ping6",
    "pkexec", "pkg_info", "pkill", "printenv", "printf", "procdump", "procmail", "psftp", "psql", "ptx", "pushd",
    "pwsh", "pypy", "quser", "qwinsta", "rbash", "readelf", "redis-cli", "regasm", "regsvcs", "regsvr32", "rlwrap",
    "rmdir", "rmt", "rnano", "robocopy", "rpmquery", "rsync", "rsyslogd", "rundll32", "rvim", "schtasks", "scp",
    "sdiff", "sendmail", "setarch", "setenv", "setfacl", "setfont", "setsid", "sftp", "sha1", "sha1sum", "sha256sum",
    "sha512sum", "shred", "slsh", "smbclient", "socat", "ssconvert", "ssh-copy-id", "ssh-keygen", "ssh-keyscan",
    "sshd", "sshpass", "start-stop-daemon", "stdbuf", "strace", "stty", "sudo", "swapon", "sysctl", "syslogd",
    "systemctl", "systeminfo", "takeown", "taskkill", "tasklist", "tclsh", "tcpdump", "tcping", "tcptraceroute",
    "tcsh", "tftp", "tmux", "traceroute", "traceroute6", "tshark", "uconv", "ufw", "ulimit", "umask", "unalias",
    "uname", "unexpand", "unlzma", "unset", "unxz", "unzip", "update-alternatives", "uptime", "useradd", "userdel",
    "usermod", "uudecode", "uuencode", "vigr", "vimdiff", "vipw", "visudo", "vmstat", "vssadmin", "wevtutil", "wget",
    "whereis", "whoami", "whoami.exe", "wmic", "wscript", "xargs", "xcopy", "xdotool", "xmodmap", "xterm", "xxd",
    "xz", "xzcat", "xzgrep", "ypcat", "zcat", "zgrep", "zsoelim", "zstd", "zstdcat", "zypper",
];

#[rustfmt::skip]
/// Short names that are hardly ever words of their own.
pub static TERSE: &[&str] = &[
    "ab", "ar", "as", "at", "bg", "cat", "cd", "cmd", "cmd.exe", "command.com", "copy", "cp", "cpp", "cut", "dd",
    "del", "df", "diff", "dig", "dir", "du", "ed", "efax", "elvish", "env", "erase", "eval", "ex", "exa", "fc", "fg",
    "fi", "fmt", "ftp", "g++", "gem", "ghc", "go", "hd", "id", "ip", "ipcs", "kill", "ld", "ldd", "ln", "lp", "ls",
    "m4", "man", "md", "msg", "mv", "nc", "net", "net1", "nl", "nm", "od", "pdb", "perf", "pg", "pic", "pico", "ping",
    "pkg", "pr", "pry", "ps", "pwd", "rc", "rd", "reg", "rem", "ren", "rev", "rm", "rpm", "sash", "sc", "set", "sg",
    "sh", "sleep", "start", "su", "svn", "sync", "tac", "tar", "tbl", "tee", "tic", "tr", "tty", "type", "ver", "vi",
    "vol", "w", "wc", "who", "whois", "xelatex",
];

#[rustfmt::skip]
/// Names that are also ordinary words or shell keywords.
pub static ORDINARY: &[&str] = &[
    "alias", "ansible-vault", "apt", "arp", "ash", "aspell", "attrib", "bash", "batch", "bc", "builtin", "bundler",
    "byebug", "call", "cancel", "cargo", "cc", "chage", "chsh", "cls", "cobc", "column", "comm", "command",
    "composer", "crash", "curl", "dash", "date", "dd.exe", "declare", "dialog", "do", "doas", "docker", "done",
    "else", "exec", "exit", "expand", "expect", "export", "false", "file", "find", "finger", "flock", "fold", "for",
    "gimp", "ginsh", "git", "goto", "grc", "grep", "gzip", "halt", "head", "help", "hg", "history", "host",
    "hostname", "if", "install", "ionice", "irb", "java", "javac", "jobs", "joe", "jq", "knife", "kubectl", "last",
    "latex", "less", "locate", "logger", "logname", "logout", "logsave", "lua", "lualatex", "lynis", "mail", "mailx",
    "make", "mlocate", "more", "mosquitto", "mount", "msfconsole", "msgcat", "multitime", "mysql", "mysqldump",
    "nano", "nast", "nc.exe", "nice", "nmtui", "node", "npm", "npx", "octave", "open", "openssl", "pandoc", "passwd",
    "paste", "patch", "pdflatex", "pdftex", "perl", "pftp", "php", "php5", "php7", "php8", "pinky", "pip", "pip3",
    "poweroff", "powershell", "print", "ps4", "puppet", "python", "python2", "python3", "rake", "reboot", "rename",
    "replace", "reset", "restic", "route", "ruby", "run", "rview", "scanmem", "screen", "script", "sed", "service",
    "shift", "shutdown", "sort", "source", "split", "sqlite3", "ss", "ssh", "stat", "strings", "subst", "sudoedit",
    "suspend", "tail", "tasksh", "telinit", "telnet", "terraform", "test", "then", "time", "timedatectl", "timeout",
    "top", "torify", "touch", "tracert", "trap", "tree", "troff", "true", "truncate", "umount", "uniq", "unlink",
    "until", "users", "valgrind", "verify", "view", "vim", "vlc", "watch", "which", "while", "wish", "xdg-open",
    "xpath", "yarn", "yelp", "yum", "zip", "zless", "zsh",
];

#[rustfmt::skip]
/// Commands and keywords that are followed by another command.
pub static PREFIXES: &[&str] = &[
    "builtin", "busybox", "call", "command", "coproc", "do", "doas", "else", "env", "eval", "exec", "if", "ionice",
    "ltrace", "nice", "nohup", "setsid", "start", "stdbuf", "strace", "sudo", "then", "time", "timeout", "until",
    "watch", "while", "xargs",
];

#[rustfmt::skip]
/// Commands of cmd.exe, whose case does not matter.
pub static WINDOWS: &[&str] = &[
    "assoc", "attrib", "call", "cd", "chdir", "cls", "cmd", "copy", "del", "dir", "echo", "erase", "exit", "ftp",
    "md", "move", "net", "net1", "path", "ping", "powershell", "rd", "reg", "rem", "ren", "sc", "set", "type", "ver",
    "vol", "where", "whoami",
];

/// Whether a shell of Windows knows `word`.
pub fn is_windows(word: &[u8]) -> bool {
    in_table(WINDOWS, word)
}

#[cfg(test)]
mod tests {
    use super::super::super::ascii::is_sorted;
    use super::*;

    #[test]
    fn tables_are_sorted() {
        for table in [DISTINCT, TERSE, ORDINARY, PREFIXES, WINDOWS] {
            assert!(is_sorted(table));
        }
    }

    #[test]
    fn no_word_stands_in_two_tables() {
        for word in DISTINCT {
            assert!(
                !in_table(TERSE, word.as_bytes()) && !in_table(ORDINARY, word.as_bytes()),
                "{word}"
            );
        }
        for word in TERSE {
            assert!(!in_table(ORDINARY, word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn words_weigh_what_they_say() {
        assert_eq!(weight(b"whoami"), Some(Weight::Distinct));
        assert_eq!(weight(b"cat"), Some(Weight::Terse));
        assert_eq!(weight(b"sort"), Some(Weight::Ordinary));
        assert_eq!(weight(b"concert"), None);
    }
}

//! The words that a shell runs, by their first letter, with how much a word says on its own.
//!
//! Sources: the names in POSIX XCU, GNU coreutils, util-linux, BusyBox, GTFOBins and LOLBAS.

use super::super::ascii::{compare, in_table};
use super::super::sieve::Sieve;

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

use Weight::{Distinct, Ordinary, Terse};

/// What `word` (lower case, without its folder and without `.exe`) is as a command.
pub fn weight(word: &[u8]) -> Option<Weight> {
    if !KNOWN.may_hold(word) {
        return None;
    }
    let rows = starting_with(*word.first()?);
    let found = rows
        .binary_search_by(|(name, _)| compare(name.as_bytes(), word))
        .ok()?;
    rows.get(found).map(|(_, weight)| *weight)
}

/// All the words.
static KNOWN: Sieve = {
    let mut sieve = Sieve::EMPTY;
    let mut letter = 0_u8;
    loop {
        let mut rows = starting_with(letter);
        while let [(name, _), rest @ ..] = rows {
            sieve = sieve.with(name.as_bytes());
            rows = rest;
        }
        if letter == u8::MAX {
            break sieve;
        }
        letter += 1;
    }
};

/// Words that run the command after them: words that have a weight, too.
pub fn is_prefix(word: &[u8]) -> bool {
    in_table(PREFIXES, word)
}

/// Whether a prefix is a word that sentences have as well.
pub fn is_a_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"call" | b"command" | b"if" | b"start" | b"time" | b"until" | b"watch" | b"while"
    )
}

/// Whether a shell of Windows knows `word`.
pub fn is_windows(word: &[u8]) -> bool {
    in_table(WINDOWS, word)
}

/// The rows whose names start with `letter`, sorted.
#[rustfmt::skip]
const fn starting_with(letter: u8) -> &'static [(&'static str, Weight)] {
    match letter {
        b'7' => &[ ("7za", Distinct), ("7zr", Distinct),
        ],
        b'a' => &[ ("aa-exec", Distinct), ("aapt", Distinct), ("ab", Terse), ("addgroup", Distinct),
            ("adduser", Distinct), ("alias", Ordinary), ("ansible", Distinct), ("ansible-console", Distinct),
            ("ansible-playbook", Distinct), ("ansible-vault", Ordinary), ("apt", Ordinary), ("apt-get", Distinct),
            ("aptitude", Distinct), ("ar", Terse), ("arp", Ordinary), ("arping", Distinct), ("as", Terse),
            ("ash", Ordinary), ("aspell", Ordinary), ("assoc", Ordinary), ("at", Terse), ("attrib", Ordinary),
            ("awk", Distinct), ("aws", Ordinary),
        ],
        b'b' => &[ ("base32", Distinct), ("base64", Ordinary), ("basenc", Distinct), ("bash", Ordinary),
            ("batch", Ordinary), ("bc", Ordinary), ("bcdboot", Distinct), ("bcdedit", Distinct), ("bg", Terse),
            ("bitsadmin", Distinct), ("blkid", Distinct), ("builtin", Ordinary), ("bundler", Ordinary),
            ("bunzip2", Distinct), ("busctl", Distinct), ("busybox", Distinct), ("byebug", Ordinary),
            ("bzcat", Distinct), ("bzgrep", Distinct), ("bzip2", Distinct),
        ],
        b'c' => &[ ("c89", Distinct), ("c99", Distinct), ("cacls", Distinct), ("calc", Ordinary), ("call", Ordinary),
            ("cancel", Ordinary), ("capsh", Distinct), ("cargo", Ordinary), ("cat", Terse), ("cc", Ordinary),
            ("cd", Terse), ("certbot", Distinct), ("certutil", Distinct), ("chage", Ordinary), ("chattr", Distinct),
            ("chdir", Ordinary), ("chef-client", Distinct), ("chef-run", Distinct), ("chef-shell", Distinct),
            ("chef-vault", Distinct), ("chgrp", Distinct), ("chmod", Distinct), ("chown", Distinct),
            ("chroot", Distinct), ("chsh", Ordinary), ("cls", Ordinary), ("cmd", Terse), ("cmd.exe", Terse),
            ("cmdkey", Distinct), ("cmstp", Distinct), ("cobc", Ordinary), ("column", Ordinary), ("comm", Ordinary),
            ("command", Ordinary), ("command.com", Terse), ("composer", Ordinary), ("coproc", Ordinary),
            ("copy", Terse), ("cp", Terse), ("cpan", Distinct), ("cpio", Distinct), ("cpp", Terse),
            ("cpulimit", Distinct), ("crash", Ordinary), ("crontab", Distinct), ("cscli", Distinct),
            ("cscript", Distinct), ("csh", Distinct), ("csplit", Distinct), ("csvtool", Distinct),
            ("cupsfilter", Distinct), ("curl", Ordinary), ("cut", Terse),
        ],
        b'd' => &[ ("dash", Ordinary), ("date", Ordinary), ("dd", Terse), ("dd.exe", Ordinary),
            ("ddrescue", Distinct), ("declare", Ordinary), ("del", Terse), ("deluser", Distinct), ("df", Terse),
            ("dialog", Ordinary), ("diff", Terse), ("dig", Terse), ("dir", Terse), ("diskpart", Distinct),
            ("dmesg", Distinct), ("dmidecode", Distinct), ("dnf", Distinct), ("do", Ordinary), ("doas", Ordinary),
            ("docker", Ordinary), ("docker-compose", Distinct), ("done", Ordinary), ("dosbox", Distinct),
            ("dpkg", Distinct), ("driverquery", Distinct), ("dsquery", Distinct), ("du", Terse), ("dvips", Distinct),
        ],
        b'e' => &[ ("easy_install", Distinct), ("easyrsa", Distinct), ("echo", Distinct), ("ed", Terse),
            ("efax", Terse), ("egrep", Distinct), ("else", Ordinary), ("elvish", Terse), ("env", Terse),
            ("eqn", Distinct), ("erase", Terse), ("espeak", Distinct), ("ethtool", Distinct), ("eval", Terse),
            ("ex", Terse), ("exa", Terse), ("exec", Ordinary), ("exit", Ordinary), ("expand", Ordinary),
            ("expect", Ordinary), ("export", Ordinary), ("expr", Distinct),
        ],
        b'f' => &[ ("false", Ordinary), ("fc", Terse), ("fdisk", Distinct), ("fg", Terse), ("fgrep", Distinct),
            ("fi", Terse), ("file", Ordinary), ("find", Ordinary), ("findstr", Distinct), ("finger", Ordinary),
            ("flock", Ordinary), ("fmt", Terse), ("fold", Ordinary), ("for", Ordinary), ("forfiles", Distinct),
            ("fping", Distinct), ("fsutil", Distinct), ("ftp", Terse), ("ftpget", Distinct), ("ftpput", Distinct),
            ("ftpwho", Distinct),
        ],
        b'g' => &[ ("g++", Terse), ("gawk", Distinct), ("gcc", Distinct), ("gcore", Distinct), ("gdb", Distinct),
            ("gdbserver", Distinct), ("gem", Terse), ("getconf", Distinct), ("getent", Distinct),
            ("getfacl", Distinct), ("getmac", Distinct), ("ghc", Terse), ("ghci", Distinct), ("gimp", Ordinary),
            ("ginsh", Ordinary), ("git", Ordinary), ("go", Terse), ("goto", Ordinary), ("gparted", Distinct),
            ("gpg", Distinct), ("gpresult", Distinct), ("grc", Ordinary), ("grep", Ordinary), ("gunzip", Distinct),
            ("gzexe", Distinct), ("gzip", Ordinary),
        ],
        b'h' => &[ ("halt", Ordinary), ("hd", Terse), ("head", Ordinary), ("help", Ordinary), ("hexdump", Distinct),
            ("hexedit", Distinct), ("hg", Ordinary), ("history", Ordinary), ("host", Ordinary), ("hostid", Distinct),
            ("hostname", Ordinary), ("hping3", Distinct), ("htdigest", Distinct), ("htop", Distinct),
            ("htpasswd", Distinct),
        ],
        b'i' => &[ ("icacls", Distinct), ("iconv", Distinct), ("id", Terse), ("ieexec", Distinct), ("if", Ordinary),
            ("ifconfig", Distinct), ("ifdown", Distinct), ("ifstat", Distinct), ("ifup", Distinct),
            ("insmod", Distinct), ("install", Ordinary), ("installutil", Distinct), ("ionice", Ordinary),
            ("ip", Terse), ("ipconfig", Distinct), ("ipcs", Terse), ("iptables", Distinct), ("irb", Ordinary),
            ("iwconfig", Distinct),
        ],
        b'j' => &[ ("java", Ordinary), ("javac", Ordinary), ("jexec", Distinct), ("jjs", Distinct),
            ("jobs", Ordinary), ("joe", Ordinary), ("journalctl", Distinct), ("jq", Ordinary),
            ("jrunscript", Distinct),
        ],
        b'k' => &[ ("kill", Terse), ("killall", Distinct), ("knife", Ordinary), ("ksh", Distinct),
            ("kubectl", Ordinary),
        ],
        b'l' => &[ ("last", Ordinary), ("lastb", Distinct), ("lastlog", Distinct), ("lastlogin", Distinct),
            ("latex", Ordinary), ("ld", Terse), ("ldconfig", Distinct), ("ldd", Terse), ("less", Ordinary),
            ("lftp", Distinct), ("lftpget", Distinct), ("ll", Distinct), ("ln", Terse), ("locate", Ordinary),
            ("logger", Ordinary), ("logname", Ordinary), ("logout", Ordinary), ("logrotate", Distinct),
            ("logsave", Ordinary), ("lp", Terse), ("ls", Terse), ("lsattr", Distinct), ("lsb_release", Distinct),
            ("lsblk", Distinct), ("lscpu", Distinct), ("lsmod", Distinct), ("lsof", Distinct), ("lspci", Distinct),
            ("lsusb", Distinct), ("ltrace", Distinct), ("lua", Ordinary), ("lualatex", Ordinary),
            ("lwp-download", Distinct), ("lwp-request", Distinct), ("lynis", Ordinary), ("lynx", Distinct),
            ("lzcat", Distinct), ("lzma", Distinct),
        ],
        b'm' => &[ ("m4", Terse), ("mail", Ordinary), ("mailx", Ordinary), ("make", Ordinary), ("man", Terse),
            ("mavinject", Distinct), ("mawk", Distinct), ("md", Terse), ("md5", Distinct), ("md5sum", Distinct),
            ("mkdir", Distinct), ("mkfifo", Distinct), ("mkfs", Distinct), ("mknod", Distinct),
            ("mkpasswd", Distinct), ("mktemp", Distinct), ("mlocate", Ordinary), ("modprobe", Distinct),
            ("more", Ordinary), ("mosquitto", Ordinary), ("mount", Ordinary), ("move", Ordinary),
            ("msbuild", Distinct), ("msfconsole", Ordinary), ("msg", Terse), ("msgattrib", Distinct),
            ("msgcat", Ordinary), ("mshta", Distinct), ("msiexec", Distinct), ("mtr", Distinct),
            ("multitime", Ordinary), ("mv", Terse), ("mysql", Ordinary), ("mysqladmin", Distinct),
            ("mysqldump", Ordinary), ("mysqlshow", Distinct),
        ],
        b'n' => &[ ("nano", Ordinary), ("nasm", Distinct), ("nast", Ordinary), ("nawk", Distinct),
            ("nbtstat", Distinct), ("nc", Terse), ("nc.exe", Ordinary), ("ncat", Distinct), ("ncdu", Distinct),
            ("ncftp", Distinct), ("net", Terse), ("net1", Terse), ("netcat", Distinct), ("netplan", Distinct),
            ("netsh", Distinct), ("netstat", Distinct), ("nft", Distinct), ("nice", Ordinary), ("nl", Terse),
            ("nltest", Distinct), ("nm", Terse), ("nmap", Distinct), ("nmtui", Ordinary), ("node", Ordinary),
            ("nohup", Distinct), ("npm", Ordinary), ("npx", Ordinary), ("nroff", Distinct), ("nsenter", Distinct),
            ("nslookup", Distinct), ("ntdsutil", Distinct),
        ],
        b'o' => &[ ("octave", Ordinary), ("od", Terse), ("odbcconf", Distinct), ("open", Ordinary),
            ("openssl", Ordinary), ("openvpn", Distinct), ("openvt", Distinct), ("opkg", Distinct),
        ],
        b'p' => &[ ("pandoc", Ordinary), ("passthru", Distinct), ("passwd", Ordinary), ("paste", Ordinary),
            ("patch", Ordinary), ("path", Ordinary), ("pathping", Distinct), ("pax", Distinct), ("pcalua", Distinct),
            ("pdb", Terse), ("pdflatex", Ordinary), ("pdftex", Ordinary), ("perf", Terse), ("perl", Ordinary),
            ("perl5", Distinct), ("pftp", Ordinary), ("pg", Terse), ("pgrep", Distinct), ("php", Ordinary),
            ("php5", Ordinary), ("php7", Ordinary), ("php8", Ordinary), ("pic", Terse), ("pico", Terse),
            ("pidof", Distinct), ("pidstat", Distinct), ("ping", Terse), ("ping6", Distinct), ("pinky", Ordinary),
            ("pip", Ordinary), ("pip3", Ordinary), ("pkexec", Distinct), ("pkg", Terse), ("pkg_info", Distinct),
            ("pkill", Distinct), ("poweroff", Ordinary), ("powershell", Ordinary), ("pr", Terse), ("print", Ordinary),
            ("printenv", Distinct), ("printf", Distinct), ("procdump", Distinct), ("procmail", Distinct),
            ("pry", Terse), ("ps", Terse), ("ps4", Ordinary), ("psftp", Distinct), ("psql", Distinct),
            ("ptx", Distinct), ("puppet", Ordinary), ("pushd", Distinct), ("pwd", Terse), ("pwsh", Distinct),
            ("pypy", Distinct), ("python", Ordinary), ("python2", Ordinary), ("python3", Ordinary),
        ],
        b'q' => &[ ("quser", Distinct), ("qwinsta", Distinct),
        ],
        b'r' => &[ ("rake", Ordinary), ("rbash", Distinct), ("rc", Terse), ("rd", Terse), ("readelf", Distinct),
            ("reboot", Ordinary), ("redis-cli", Distinct), ("reg", Terse), ("regasm", Distinct),
            ("regsvcs", Distinct), ("regsvr32", Distinct), ("rem", Terse), ("ren", Terse), ("rename", Ordinary),
            ("replace", Ordinary), ("reset", Ordinary), ("restic", Ordinary), ("rev", Terse), ("rlwrap", Distinct),
            ("rm", Terse), ("rmdir", Distinct), ("rmt", Distinct), ("rnano", Distinct), ("robocopy", Distinct),
            ("route", Ordinary), ("rpm", Terse), ("rpmquery", Distinct), ("rsync", Distinct), ("rsyslogd", Distinct),
            ("ruby", Ordinary), ("run", Ordinary), ("rundll32", Distinct), ("rview", Ordinary), ("rvim", Distinct),
        ],
        b's' => &[ ("sash", Terse), ("sc", Terse), ("scanmem", Ordinary), ("schtasks", Distinct), ("scp", Distinct),
            ("screen", Ordinary), ("script", Ordinary), ("sdiff", Distinct), ("sed", Ordinary),
            ("sendmail", Distinct), ("service", Ordinary), ("set", Terse), ("setarch", Distinct),
            ("setenv", Distinct), ("setfacl", Distinct), ("setfont", Distinct), ("setsid", Distinct),
            ("sftp", Distinct), ("sg", Terse), ("sh", Terse), ("sha1", Distinct), ("sha1sum", Distinct),
            ("sha256sum", Distinct), ("sha512sum", Distinct), ("shift", Ordinary), ("shred", Distinct),
            ("shutdown", Ordinary), ("sleep", Terse), ("slsh", Distinct), ("smbclient", Distinct),
            ("socat", Distinct), ("sort", Ordinary), ("source", Ordinary), ("split", Ordinary), ("sqlite3", Ordinary),
            ("ss", Ordinary), ("ssconvert", Distinct), ("ssh", Ordinary), ("ssh-copy-id", Distinct),
            ("ssh-keygen", Distinct), ("ssh-keyscan", Distinct), ("sshd", Distinct), ("sshpass", Distinct),
            ("start", Terse), ("start-stop-daemon", Distinct), ("stat", Ordinary), ("stdbuf", Distinct),
            ("strace", Distinct), ("strings", Ordinary), ("stty", Distinct), ("su", Terse), ("subst", Ordinary),
            ("sudo", Distinct), ("sudoedit", Ordinary), ("suspend", Ordinary), ("svn", Terse), ("swapon", Distinct),
            ("sync", Terse), ("sysctl", Distinct), ("syslogd", Distinct), ("systemctl", Distinct),
            ("systeminfo", Distinct),
        ],
        b't' => &[ ("tac", Terse), ("tail", Ordinary), ("takeown", Distinct), ("tar", Terse), ("taskkill", Distinct),
            ("tasklist", Distinct), ("tasksh", Ordinary), ("tbl", Terse), ("tclsh", Distinct), ("tcpdump", Distinct),
            ("tcping", Distinct), ("tcptraceroute", Distinct), ("tcsh", Distinct), ("tee", Terse),
            ("telinit", Ordinary), ("telnet", Ordinary), ("telnetd", Distinct), ("terraform", Ordinary), ("test", Ordinary),
            ("tftp", Distinct), ("then", Ordinary), ("tic", Terse), ("time", Ordinary), ("timedatectl", Ordinary),
            ("timeout", Ordinary), ("tmux", Distinct), ("top", Ordinary), ("torify", Ordinary), ("touch", Ordinary),
            ("tr", Terse), ("traceroute", Distinct), ("traceroute6", Distinct), ("tracert", Ordinary),
            ("trap", Ordinary), ("tree", Ordinary), ("troff", Ordinary), ("true", Ordinary), ("truncate", Ordinary),
            ("tshark", Distinct), ("tty", Terse), ("type", Terse),
        ],
        b'u' => &[ ("uconv", Distinct), ("ufw", Distinct), ("ulimit", Distinct), ("umask", Distinct),
            ("umount", Ordinary), ("unalias", Distinct), ("uname", Distinct), ("unexpand", Distinct),
            ("uniq", Ordinary), ("unlink", Ordinary), ("unlzma", Distinct), ("unset", Distinct), ("until", Ordinary),
            ("unxz", Distinct), ("unzip", Distinct), ("update-alternatives", Distinct), ("uptime", Distinct),
            ("useradd", Distinct), ("userdel", Distinct), ("usermod", Distinct), ("users", Ordinary),
            ("uudecode", Distinct), ("uuencode", Distinct),
        ],
        b'v' => &[ ("valgrind", Ordinary), ("ver", Terse), ("verify", Ordinary), ("vi", Terse), ("view", Ordinary),
            ("vigr", Distinct), ("vim", Ordinary), ("vimdiff", Distinct), ("vipw", Distinct), ("visudo", Distinct),
            ("vlc", Ordinary), ("vmstat", Distinct), ("vol", Terse), ("vssadmin", Distinct),
        ],
        b'w' => &[ ("w", Terse), ("watch", Ordinary), ("wc", Terse), ("wevtutil", Distinct), ("wget", Distinct),
            ("where", Ordinary), ("whereis", Distinct), ("which", Ordinary), ("while", Ordinary), ("who", Terse),
            ("whoami", Distinct), ("whoami.exe", Distinct), ("whois", Terse), ("wish", Ordinary), ("wmic", Distinct),
            ("wscript", Distinct),
        ],
        b'x' => &[ ("xargs", Distinct), ("xcopy", Distinct), ("xdg-open", Ordinary), ("xdotool", Distinct),
            ("xelatex", Terse), ("xmodmap", Distinct), ("xpath", Ordinary), ("xterm", Distinct), ("xxd", Distinct),
            ("xz", Distinct), ("xzcat", Distinct), ("xzgrep", Distinct),
        ],
        b'y' => &[ ("yarn", Ordinary), ("yelp", Ordinary), ("ypcat", Distinct), ("yum", Ordinary),
        ],
        b'z' => &[ ("zcat", Distinct), ("zgrep", Distinct), ("zip", Ordinary), ("zless", Ordinary), ("zsh", Ordinary),
            ("zsoelim", Distinct), ("zstd", Distinct), ("zstdcat", Distinct), ("zypper", Distinct),
        ],
        _ => &[],
    }
}

/// Commands and keywords that are followed by another command.
#[rustfmt::skip]
const PREFIXES: &[&str] = &[
    "builtin", "busybox", "call", "command", "coproc", "do", "doas", "else", "env", "eval", "exec", "if", "ionice",
    "ltrace", "nice", "nohup", "setsid", "start", "stdbuf", "strace", "sudo", "then", "time", "timeout", "until",
    "watch", "while", "xargs",
];

/// Commands of cmd.exe, whose case does not matter.
#[rustfmt::skip]
const WINDOWS: &[&str] = &[
    "assoc", "attrib", "call", "cd", "chdir", "cls", "cmd", "copy", "del", "dir", "echo", "erase", "exit", "ftp",
    "md", "move", "net", "net1", "path", "ping", "powershell", "rd", "reg", "rem", "ren", "sc", "set", "type", "ver",
    "vol", "where", "whoami",
];

#[cfg(test)]
mod tests {
    use super::super::super::ascii::is_sorted;
    use super::*;

    #[test]
    fn tables_are_sorted_and_rows_stand_under_their_letter() {
        assert!(is_sorted(PREFIXES) && is_sorted(WINDOWS));
        for letter in 0..=u8::MAX {
            let rows = starting_with(letter);
            assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(rows.iter().all(|row| row.0.as_bytes()[0] == letter));
        }
        // A word that runs others is looked up before it is asked whether it does.
        assert!(
            PREFIXES
                .iter()
                .chain(WINDOWS)
                .all(|word| weight(word.as_bytes()).is_some())
        );
    }

    #[test]
    fn words_weigh_what_they_say() {
        assert_eq!(weight(b"whoami"), Some(Weight::Distinct));
        assert_eq!(weight(b"cat"), Some(Weight::Terse));
        assert_eq!(weight(b"sort"), Some(Weight::Ordinary));
        assert_eq!(weight(b"concert"), None);
    }
}

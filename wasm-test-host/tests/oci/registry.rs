//! A real registry on loopback (Debian's docker-registry) for one test.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Who may push and pull where the registry asks.
pub const USER: &str = "pusher";
/// Their password.
pub const PASSWORD: &str = "correct horse";
/// `htpasswd -nbBC 5` of the two.
const HTPASSWD: &str = "pusher:$2y$05$f8nFfuSAk6f3/EZvMWkcKuAYACKrIUL0vRU1DoWzMy3MlWidIpkYe\n";

/// A running registry, with its images in a temporary folder.
pub struct LoopbackRegistry {
    process: Child,
    folder: tempfile::TempDir,
    /// `127.0.0.1:PORT`.
    pub host: String,
}

impl LoopbackRegistry {
    /// One that anybody may push to.
    pub fn open() -> Self {
        Self::start("", "")
    }

    /// One over TLS, with that certificate and key (PEM files).
    pub fn with_tls(certificate: &str, key: &str) -> Self {
        Self::start(
            "",
            &format!(", tls: {{certificate: {certificate}, key: {key}}}"),
        )
    }

    /// One that asks for [`USER`] and [`PASSWORD`].
    pub fn with_basic_auth() -> Self {
        Self::start(
            "auth: {htpasswd: {realm: test, path: FOLDER/htpasswd}}\n",
            "",
        )
    }

    /// Starts it on a port that the kernel chooses; returns when it listens.
    fn start(auth: &str, tls: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: info, formatter: text, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {path}/images}}}}\nhttp: {{addr: \"127.0.0.1:0\"{tls}}}\n{}",
            auth.replace("FOLDER", path)
        );
        std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
        std::fs::write(folder.path().join("config.yml"), config).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts: `make registry` installs it");
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut seen = String::new();
        let host = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended:\n{seen}");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split([',', '"', ' ', '\n']).next().unwrap().to_owned();
            }
            seen.push_str(&line);
        };
        // What comes later is read and dropped, so that it never blocks.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            process,
            folder,
            host,
        }
    }

    /// `oci://HOST/NAME`.
    pub fn image(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.host)
    }
}

impl Drop for LoopbackRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

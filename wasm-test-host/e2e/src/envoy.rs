//! The Envoy process: started from `ENVOY_BIN`, asked over its admin port, ended with the test.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::bootstrap::{Bootstrap, Listener};
use crate::client::{Body, Client, request_bytes};

#[derive(Default)]
struct Stderr {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

/// A running Envoy.
pub struct Envoy {
    process: Child,
    stderr: Arc<Stderr>,
    admin: SocketAddr,
    ports: HashMap<String, SocketAddr>,
    directory: tempfile::TempDir,
}

impl Envoy {
    /// Starts Envoy with static listeners and `workers` worker threads; returns when all are listening.
    ///
    /// # Errors
    /// When `ENVOY_BIN` is not set, or Envoy refuses the configuration: its last log lines are in the error.
    pub fn start(bootstrap: &Bootstrap, workers: u32) -> Result<Self> {
        Self::launch(|_| Ok(bootstrap.to_json(None)), workers)
    }

    /// Starts Envoy with listeners that [`Envoy::set_listeners`] can replace while it runs (LDS from a file, as
    /// Istio's agent delivers them over xDS).
    pub fn start_dynamic(
        bootstrap: &Bootstrap,
        listeners: &[Listener],
        workers: u32,
    ) -> Result<Self> {
        let config = |directory: &Path| {
            write_listeners(directory, listeners, 0)?;
            Ok(bootstrap.to_json(Some(&directory.join("lds.json"))))
        };
        Self::launch(config, workers)
    }

    fn launch(config: impl Fn(&Path) -> Result<Value>, workers: u32) -> Result<Self> {
        let binary =
            std::env::var_os("ENVOY_BIN").context("ENVOY_BIN is not set: run `make e2e`")?;
        let directory = tempfile::tempdir()?;
        let config_path = directory.path().join("envoy.json");
        fs::write(&config_path, config(directory.path())?.to_string())?;
        let mut process = Command::new(binary)
            .arg("-c")
            .arg(&config_path)
            .args([
                "--use-dynamic-base-id",
                "--disable-hot-restart",
                "--log-level",
                "info",
            ])
            // A replaced listener tells its connections to end with their next response, and is gone soon.
            .args(["--drain-time-s", "3", "--drain-strategy", "immediate"])
            .args(["--component-log-level", "wasm:info,lua:info"])
            .args(["--concurrency", &workers.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start ENVOY_BIN")?;
        let stderr = Arc::new(Stderr::default());
        let pipe = process.stderr.take().context("no stderr")?;
        let shared = stderr.clone();
        thread::spawn(move || collect(BufReader::new(pipe), &shared));
        let mut envoy = Self {
            process,
            stderr,
            admin: ([127, 0, 0, 1], 0).into(),
            ports: HashMap::new(),
            directory,
        };
        envoy.wait_ready()?;
        Ok(envoy)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let line = self.wait_log(|line| line.contains("admin address: "))?;
        let address = line
            .rsplit("admin address: ")
            .next()
            .unwrap_or_default()
            .trim();
        self.admin = address
            .parse()
            .with_context(|| format!("admin address in {line:?}"))?;
        self.wait_log(|line| line.contains("starting workers"))?;
        self.refresh_ports()
    }

    /// Blocks until a log line matches; an Envoy that ends before is an error with its last lines.
    pub fn wait_log(&self, matches: impl Fn(&str) -> bool) -> Result<String> {
        let mut guard = self
            .stderr
            .lines
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        loop {
            if let Some(line) = guard.0.iter().find(|line| matches(line)) {
                return Ok(line.clone());
            }
            if guard.1 {
                let tail = guard
                    .0
                    .iter()
                    .rev()
                    .take(12)
                    .rev()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("\n");
                bail!("Envoy ended before the log line came:\n{tail}");
            }
            guard = self
                .stderr
                .changed
                .wait(guard)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// The log so far.
    pub fn log(&self) -> Vec<String> {
        self.stderr
            .lines
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .0
            .clone()
    }

    /// Process id, for CPU and memory readings.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// CPU time of all its threads in nanoseconds (Linux `schedstat`).
    ///
    /// # Errors
    /// Where there is no such file.
    pub fn cpu_nanos(&self) -> Result<u64> {
        let mut sum = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            sum += text
                .split(' ')
                .next()
                .and_then(|nanos| nanos.parse::<u64>().ok())
                .context("schedstat")?;
        }
        Ok(sum)
    }

    /// Where the listener called `name` listens.
    ///
    /// # Errors
    /// When Envoy has no such listener.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        self.ports
            .get(name)
            .copied()
            .with_context(|| format!("no listener {name:?}"))
    }

    /// A connection to the listener called `name`.
    ///
    /// # Errors
    /// When there is no such listener or it refuses.
    pub fn connect(&self, name: &str) -> Result<Client> {
        Ok(Client::connect(self.listener(name)?)?)
    }

    /// GET on the admin interface.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub fn admin(&self, path: &str) -> Result<String> {
        let fields = [("host".to_owned(), b"admin".to_vec())];
        let request = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
        let response = Client::connect(self.admin)?.exchange("GET", &request)?;
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    }

    /// A counter or gauge by its exact name; 0 when it does not exist yet.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub fn stat(&self, name: &str) -> Result<u64> {
        let text = self.admin("/stats")?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Ok(value.and_then(|v| v.trim().parse().ok()).unwrap_or(0))
    }

    /// Replaces the listeners of an Envoy started with [`Envoy::start_dynamic`], atomically as the agent does.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_listeners(&self, listeners: &[Listener], version: u32) -> Result<()> {
        write_listeners(self.directory.path(), listeners, version)
    }

    /// Reads the ports of the listeners again.
    ///
    /// # Errors
    /// When the admin port does not answer as expected.
    pub fn refresh_ports(&mut self) -> Result<()> {
        let answer: Value = serde_json::from_str(&self.admin("/listeners?format=json")?)?;
        let statuses = answer["listener_statuses"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        self.ports = statuses
            .iter()
            .filter_map(|status| {
                let socket = &status["local_address"]["socket_address"];
                let port = u16::try_from(socket["port_value"].as_u64()?).ok()?;
                Some((
                    status["name"].as_str()?.to_owned(),
                    ([127, 0, 0, 1], port).into(),
                ))
            })
            .collect();
        Ok(())
    }
}

fn collect(lines: impl BufRead, stderr: &Stderr) {
    let push = |line: Option<String>| {
        let mut guard = stderr
            .lines
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match line {
            Some(line) => guard.0.push(line),
            None => guard.1 = true,
        }
        stderr.changed.notify_all();
    };
    lines
        .split(b'\n')
        .map_while(Result::ok)
        .for_each(|line| push(Some(String::from_utf8_lossy(&line).into_owned())));
    push(None);
}

fn write_listeners(directory: &Path, listeners: &[Listener], version: u32) -> Result<()> {
    let resources: Vec<Value> = listeners
        .iter()
        .map(|listener| {
            let mut resource = listener.resource();
            resource["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
            resource
        })
        .collect();
    let fresh: PathBuf = directory.join("lds.new");
    fs::write(
        &fresh,
        json!({"version_info": version.to_string(), "resources": resources}).to_string(),
    )?;
    // Envoy watches for a file moved into place.
    fs::rename(&fresh, directory.join("lds.json"))?;
    Ok(())
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

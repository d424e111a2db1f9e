//! What a gateway asks in production, as processes on loopback: a Redis, a rate-limit service that counts in it, and an
//! ext_authz service.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::client::{Body, Client, request_bytes};
use crate::modules;

/// A Redis without a disk: what it counted is gone when it is killed.
pub struct Redis {
    port: u16,
    process: Child,
}

impl Redis {
    /// Starts one on a free port; returns when it accepts connections.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not start.
    pub fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            port,
            process: redis(port)?,
        })
    }

    /// `redis://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it: connections break, new ones are refused.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        end(&mut self.process)
    }

    /// Starts a new, empty one in its place.
    ///
    /// # Errors
    /// When it does not start.
    pub fn revive(&mut self) -> Result<()> {
        self.process = redis(self.port)?;
        Ok(())
    }

    /// Stops it where it stands: connections stay, nothing is answered.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> Result<()> {
        signal(&self.process, "STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> Result<()> {
        signal(&self.process, "CONT")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = end(&mut self.process);
    }
}

fn redis(port: u16) -> Result<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start redis-server: `make redis` installs it")?;
    wait_line(&mut process, "Ready to accept connections")?;
    Ok(process)
}

/// The rate-limit service of `wasm-test-host/services`.
pub struct RateLimitService {
    process: Child,
    address: SocketAddr,
}

impl RateLimitService {
    /// Starts it on a free port with these limits; returns when it listens.
    ///
    /// # Errors
    /// When it refuses the limits, or does not reach the Redis.
    pub fn start(redis: &Redis, limits: &Value) -> Result<Self> {
        let mut process = Command::new(modules::service("rate-limit-service"))
            .args([redis.url(), limits.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let line = wait_line(&mut process, "listening on ")?;
        let address = line.rsplit(' ').next().unwrap_or_default().parse()?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it where it stands: calls are taken, nothing is answered.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> Result<()> {
        signal(&self.process, "STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> Result<()> {
        signal(&self.process, "CONT")
    }

    /// Kills it.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        end(&mut self.process)
    }
}

impl Drop for RateLimitService {
    fn drop(&mut self) {
        let _ = end(&mut self.process);
    }
}

/// The ext_authz service of `wasm-test-host/services`: gRPC, HTTP and the block list's endpoint on one port.
pub struct AuthzService {
    process: Child,
    address: SocketAddr,
}

impl AuthzService {
    /// Starts it on a free port; returns when it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Self> {
        let (process, address) = authz(0)?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions it has been asked since it was started.
    ///
    /// # Errors
    /// When it does not say.
    pub fn asked(&self) -> Result<u64> {
        Ok(self.tell("/seen/asked")?.parse()?)
    }

    /// New entries of the block list that it was told, in order.
    ///
    /// # Errors
    /// When it does not say.
    pub fn listed(&self) -> Result<Vec<String>> {
        Ok(self
            .tell("/seen/listed")?
            .lines()
            .map(str::to_owned)
            .collect())
    }

    fn tell(&self, path: &str) -> Result<String> {
        let fields = [("host".to_owned(), b"service".to_vec())];
        let request = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
        let response = Client::connect(self.address)?.exchange("GET", &request)?;
        Ok(String::from_utf8(response.body)?)
    }

    /// Stops it where it stands: calls are taken, nothing is answered.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> Result<()> {
        signal(&self.process, "STOP")
    }

    /// Kills it: connections break, new ones are refused.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        end(&mut self.process)
    }

    /// Starts a new one in its place, which has seen nothing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn revive(&mut self) -> Result<()> {
        self.process = authz(self.address.port())?.0;
        Ok(())
    }
}

impl Drop for AuthzService {
    fn drop(&mut self) {
        let _ = end(&mut self.process);
    }
}

fn authz(port: u16) -> Result<(Child, SocketAddr)> {
    let mut process = Command::new(modules::service("ext-authz-service"))
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let line = wait_line(&mut process, "listening on ")?;
    let address = line.rsplit(' ').next().unwrap_or_default().parse()?;
    Ok((process, address))
}

fn end(process: &mut Child) -> Result<()> {
    process.kill()?;
    process.wait()?;
    Ok(())
}

fn signal(process: &Child, name: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([format!("-{name}"), process.id().to_string()])
        .status()?;
    anyhow::ensure!(status.success(), "kill -{name}: {status}");
    Ok(())
}

/// Reads the process's output up to a line with `text`; what comes later is read and dropped, so that it never blocks.
fn wait_line(process: &mut Child, text: &str) -> Result<String> {
    let mut output = BufReader::new(process.stdout.take().context("no stdout")?);
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 {
            bail!("the process ended:\n{seen}");
        }
        if line.contains(text) {
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return Ok(line.trim_end().to_owned());
        }
        seen.push_str(&line);
    }
}

//! An upstream that answers 200 and records what reached it, keyed by the `x-case-id` field of each request.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::http1::{self, Framing, Message};

/// The field by which a test finds its own request at the upstream.
pub const CASE_ID: &str = "x-case-id";

/// What the upstream saw of one request.
pub type Recorded = Message;

#[derive(Default)]
struct Log {
    requests: Mutex<HashMap<String, Recorded>>,
    changed: Condvar,
}

/// A recording HTTP/1.1 server on a free loopback port; its threads end with the process.
pub struct Upstream {
    address: SocketAddr,
    log: Arc<Log>,
}

impl Upstream {
    /// Starts listening.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let log = Arc::new(Log::default());
        let shared = log.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = shared.clone();
                thread::spawn(move || serve(stream, &log));
            }
        });
        Ok(Self { address, log })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived of the request with this case id, even if only its head. Envoy has answered the client
    /// by the time a test asks, so a request that is not there did not get through.
    pub fn seen(&self, case_id: &str) -> Option<Recorded> {
        self.lock().get(case_id).cloned()
    }

    /// Waits until the request with this case id has ended (whole or cut).
    pub fn wait_ended(&self, case_id: &str) -> Recorded {
        let ended =
            |log: &HashMap<String, Recorded>| log.get(&format!("{case_id}\0ended")).cloned();
        let mut log = self.lock();
        loop {
            if let Some(recorded) = ended(&log) {
                return recorded;
            }
            log = self
                .log
                .changed
                .wait(log)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Recorded>> {
        self.log
            .requests
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn record(log: &Log, key: String, message: &Recorded) {
    log.requests
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .insert(key, message.clone());
    log.changed.notify_all();
}

fn serve(stream: TcpStream, log: &Log) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Ok(Some(mut message)) = http1::read_head(&mut reader) {
        let id = message
            .field(CASE_ID)
            .map(|v| String::from_utf8_lossy(v).into_owned())
            .unwrap_or_default();
        record(log, id.clone(), &message);
        let framing = http1::declared_framing(&message, Framing::None);
        let read = http1::read_body(&mut reader, &mut message, framing);
        record(log, id.clone(), &message);
        record(log, format!("{id}\0ended"), &message);
        if read.is_err() || !message.complete {
            return;
        }
        let head_only = message.start_line.starts_with(b"HEAD ");
        let body: &[u8] = if head_only { b"" } else { b"ok" };
        let reply = [
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n".as_slice(),
            body,
        ]
        .concat();
        if writer.write_all(&reply).is_err() {
            return;
        }
    }
}

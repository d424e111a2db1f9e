//! A front for a registry that answers some requests itself, as other registries would, and hands on the rest.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request that came to the front.
pub struct Asked {
    /// Request line and header fields, without `connection`.
    pub head: String,
    /// Path and query.
    pub path: String,
    /// Content.
    pub body: Vec<u8>,
}

impl Asked {
    /// A header field's value; `name` in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A whole answer with one header field of its own.
pub fn answer(status: &str, field: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{field}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Starts it before `registry`. What `own` does not answer is the registry's. `HOST:PORT`.
pub fn front(
    registry: String,
    own: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let own = Arc::new(own);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (registry, own) = (registry.clone(), own.clone());
            std::thread::spawn(move || {
                // A client that went away is no failure of the test.
                let _ = relay(client, &registry, own.as_ref());
            });
        }
    });
    host
}

fn relay(
    mut client: TcpStream,
    registry: &str,
    own: &dyn Fn(&Asked) -> Option<String>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line == "\r\n" || line.is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut asked = Asked {
        head,
        path,
        body: Vec::new(),
    };
    let length = asked.field("content-length").unwrap_or("0").parse();
    asked.body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut asked.body)?;
    if let Some(answer) = own(&asked) {
        return client.write_all(answer.as_bytes());
    }
    let mut upstream = TcpStream::connect(registry)?;
    write!(upstream, "{}connection: close\r\n\r\n", asked.head)?;
    upstream.write_all(&asked.body)?;
    std::io::copy(&mut upstream, &mut client)?;
    Ok(())
}

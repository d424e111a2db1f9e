//! One request as a curl command line: the options that decide what goes over the wire.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::shell_words::split;
use crate::traffic::{Case, Origin};

/// What curl sends if it is not told otherwise.
const USER_AGENT: &str = "curl/8.14.1";
/// The boundary of a form made here.
const BOUNDARY: &str = "------------------------backstop";

#[derive(Default)]
struct Request {
    url: Option<String>,
    method: Option<String>,
    headers: Vec<(String, Option<String>)>,
    data: Vec<Vec<u8>>,
    form: Vec<Vec<u8>>,
    json: bool,
    get: bool,
    head: bool,
}

/// Options with a value that change nothing in the request.
const IGNORED_WITH_VALUE: [&str; 24] = [
    "-o",
    "--output",
    "-w",
    "--write-out",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "--resolve",
    "--connect-to",
    "--cacert",
    "-E",
    "--cert",
    "--key",
    "-x",
    "--proxy",
    "-c",
    "--cookie-jar",
    "-D",
    "--dump-header",
    "--interface",
    "--max-redirs",
    "--tls-max",
    "--ciphers",
];

/// Single letters that take a value, so that `-XPOST` and `-sd x` can be told from a row of flags.
const LETTERS_WITH_VALUE: &[u8] = b"XHdbAeuFowmExcDK";

/// Reads a command line, `curl` first; a single argument is split the way a shell does it.
///
/// The path is sent as it stands (like curl's `--path-as-is`); spaces and non-ASCII characters in it are
/// percent-encoded, as a browser does.
///
/// # Errors
/// An unknown option, one without its value, a file that cannot be read, or no http(s) URL.
pub fn parse(arguments: &[String]) -> Result<Case, String> {
    let words = match arguments {
        [one] if one.contains(char::is_whitespace) => split(one)?,
        _ => arguments.to_vec(),
    };
    let mut words = words.into_iter().peekable();
    words.next_if(|word| word == "curl");
    let mut request = Request::default();
    while let Some(word) = words.next() {
        let (option, inline) = option_of(&word);
        let Some(option) = option else {
            request.set_url(word)?;
            continue;
        };
        let value = |what: &str| {
            inline
                .clone()
                .or_else(|| words.next())
                .ok_or(format!("{what} needs a value"))
        };
        request.apply(&option, value)?;
        // A row of flags, such as -sSL: the first is done, the rest follow.
        if inline.is_none() && word.len() > 2 && !word.starts_with("--") {
            for letter in word.chars().skip(2) {
                request.apply(&format!("-{letter}"), |what| {
                    words.next().ok_or(format!("{what} needs a value"))
                })?;
            }
        }
    }
    request.finish()
}

/// The option in a word and the value that hangs on it: `--data=x` has none in curl, `-XPOST` has one.
fn option_of(word: &str) -> (Option<String>, Option<String>) {
    if word.starts_with("--") && word.len() > 2 {
        return (Some(word.to_string()), None);
    }
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some('-'), Some(letter)) => {
            let rest = letters.as_str();
            let takes_value =
                u8::try_from(letter).is_ok_and(|letter| LETTERS_WITH_VALUE.contains(&letter));
            let inline = (takes_value && !rest.is_empty()).then(|| rest.to_string());
            (Some(format!("-{letter}")), inline)
        }
        _ => (None, None),
    }
}

impl Request {
    fn set_url(&mut self, url: String) -> Result<(), String> {
        match self.url.replace(url) {
            Some(first) => Err(format!(
                "two URLs: `{first}` and `{}`",
                self.url.as_deref().unwrap_or_default()
            )),
            None => Ok(()),
        }
    }

    fn apply(
        &mut self,
        option: &str,
        mut value: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<(), String> {
        match option {
            "-X" | "--request" => self.method = Some(value(option)?),
            "-H" | "--header" => self.header(&value(option)?),
            "-A" | "--user-agent" => self.set("User-Agent", value(option)?),
            "-e" | "--referer" => self.set("Referer", value(option)?),
            "-b" | "--cookie" => {
                let cookie = value(option)?;
                if !cookie.contains('=') {
                    return Err(format!(
                        "-b {cookie}: cookie files are not read; write the cookie out"
                    ));
                }
                self.set("Cookie", cookie);
            }
            "-u" | "--user" => {
                let credentials = STANDARD.encode(value(option)?);
                self.set("Authorization", format!("Basic {credentials}"));
            }
            "--oauth2-bearer" => {
                let token = value(option)?;
                self.set("Authorization", format!("Bearer {token}"));
            }
            "-d" | "--data" | "--data-ascii" => {
                let text = value(option)?;
                self.data.push(match text.strip_prefix('@') {
                    Some(path) => file(path)?
                        .into_iter()
                        .filter(|byte| !matches!(byte, b'\r' | b'\n' | 0))
                        .collect(),
                    None => text.into_bytes(),
                });
            }
            "--data-raw" => self.data.push(value(option)?.into_bytes()),
            "--data-binary" => {
                let text = value(option)?;
                self.data.push(
                    text.strip_prefix('@')
                        .map(file)
                        .transpose()?
                        .unwrap_or_else(|| text.clone().into_bytes()),
                );
            }
            "--data-urlencode" => self.data.push(url_encoded(&value(option)?)?),
            "--json" => {
                self.json = true;
                let text = value(option)?;
                let bytes = text
                    .strip_prefix('@')
                    .map(file)
                    .transpose()?
                    .unwrap_or_else(|| text.clone().into_bytes());
                // Several --json are joined without a separator.
                match self.data.last_mut() {
                    Some(last) => last.extend_from_slice(&bytes),
                    None => self.data.push(bytes),
                }
            }
            "-F" | "--form" => self.form.push(part(&value(option)?, true)?),
            "--form-string" => self.form.push(part(&value(option)?, false)?),
            "-G" | "--get" => self.get = true,
            "-I" | "--head" => self.head = true,
            "--compressed" => self.set("Accept-Encoding", "deflate, gzip, br, zstd".to_string()),
            "--url" => self.set_url(value(option)?)?,
            _ if IGNORED_WITH_VALUE.contains(&option) => {
                value(option)?;
            }
            "-k"
            | "-s"
            | "-S"
            | "-L"
            | "-v"
            | "-i"
            | "-f"
            | "-N"
            | "-g"
            | "-4"
            | "-6"
            | "-0"
            | "-#"
            | "-q"
            | "-O"
            | "-J"
            | "-n"
            | "--insecure"
            | "--silent"
            | "--show-error"
            | "--location"
            | "--verbose"
            | "--include"
            | "--fail"
            | "--no-buffer"
            | "--globoff"
            | "--ipv4"
            | "--ipv6"
            | "--http1.0"
            | "--http1.1"
            | "--http2"
            | "--http2-prior-knowledge"
            | "--http3"
            | "--path-as-is"
            | "--remote-name"
            | "--progress-bar"
            | "--no-keepalive"
            | "--fail-with-body"
            | "--location-trusted"
            | "--tlsv1.2"
            | "--tlsv1.3"
            | "--basic" => {}
            _ => return Err(format!("unknown curl option `{option}`")),
        }
        Ok(())
    }

    /// `Name: value`, `Name;` (empty) or `Name:` (not sent at all).
    fn header(&mut self, text: &str) {
        if let Some((name, value)) = text.split_once(':') {
            let value = value.trim();
            self.headers.push((
                name.to_string(),
                (!value.is_empty()).then(|| value.to_string()),
            ));
        } else if let Some(name) = text.strip_suffix(';') {
            self.headers.push((name.to_string(), Some(String::new())));
        }
    }

    fn set(&mut self, name: &str, value: String) {
        self.headers.push((name.to_string(), Some(value)));
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(have, _)| have.eq_ignore_ascii_case(name))
    }

    fn fill(&mut self, name: &str, value: &str) {
        if !self.has(name) {
            self.set(name, value.to_string());
        }
    }

    fn finish(mut self) -> Result<Case, String> {
        let url = self.url.take().ok_or("no URL")?;
        let mut url = if url.contains("://") {
            url
        } else {
            format!("http://{url}")
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!("`{url}` is no http or https URL"));
        }
        let mut body = (!self.data.is_empty()).then(|| self.data.join(&b'&'));
        if self.get
            && let Some(query) = body.take()
        {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&String::from_utf8_lossy(&query));
        }
        let multipart = !self.form.is_empty();
        if multipart {
            body = Some(multipart_body(&self.form));
        }
        let sends = body.is_some();
        self.fill("User-Agent", USER_AGENT);
        self.fill("Accept", if self.json { "application/json" } else { "*/*" });
        if multipart {
            self.fill(
                "Content-Type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            );
        } else if self.json {
            self.fill("Content-Type", "application/json");
        } else if sends {
            self.fill("Content-Type", "application/x-www-form-urlencoded");
        }
        let method = match (self.method, self.head, sends) {
            (Some(method), ..) => method,
            (None, true, _) => "HEAD".to_string(),
            (None, false, true) => "POST".to_string(),
            (None, false, false) => "GET".to_string(),
        };
        let host = self
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.and_then(|(_, value)| value.clone());
        let headers = self
            .headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_bytes(), value?.into_bytes())));
        let origin = Origin {
            file: Arc::from("curl"),
            line: 1,
        };
        let mut case = Case::new(origin, encoded(&url).into_bytes(), headers);
        if let Some(host) = host {
            case.authority = host.into_bytes();
        }
        case.method = method.into_bytes();
        case.body = body;
        Ok(case)
    }
}

fn file(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{path}: {e}"))
}

/// Spaces and non-ASCII characters percent-encoded: neither can go over the wire.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `content`, `=content`, `name=content`, `@file` or `name@file`, encoded.
fn url_encoded(text: &str) -> Result<Vec<u8>, String> {
    let (name, content) = match text.find(['=', '@']) {
        None => ("", text.as_bytes().to_vec()),
        Some(at) => {
            let (name, rest) = text.split_at(at);
            let content = rest.get(1..).unwrap_or_default();
            (
                name,
                if rest.starts_with('@') {
                    file(content)?
                } else {
                    content.as_bytes().to_vec()
                },
            )
        }
    };
    let mut out = name.as_bytes().to_vec();
    if !name.is_empty() {
        out.push(b'=');
    }
    for byte in content {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    Ok(out)
}

/// One part of a multipart body: `name=value`, `name=@file`, `name=<file`, with `;type=` and `;filename=`.
fn part(text: &str, with_files: bool) -> Result<Vec<u8>, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("-F {text}: not name=value"))?;
    let mut file_name = None;
    let mut content_type = None;
    let content = if with_files {
        let mut pieces = value.split(';');
        let source = pieces.next().unwrap_or_default();
        for piece in pieces {
            match piece.trim().split_once('=') {
                Some(("type", kind)) => content_type = Some(kind.to_string()),
                Some(("filename", name)) => file_name = Some(name.trim_matches('"').to_string()),
                _ => {
                    return Err(format!(
                        "-F {text}: `{piece}` is neither type= nor filename="
                    ));
                }
            }
        }
        if let Some(path) = source.strip_prefix('@') {
            let base = path.rsplit('/').next().unwrap_or_default();
            file_name.get_or_insert_with(|| base.to_string());
            content_type.get_or_insert_with(|| "application/octet-stream".to_string());
            file(path)?
        } else if let Some(path) = source.strip_prefix('<') {
            file(path)?
        } else {
            source.trim_matches('"').as_bytes().to_vec()
        }
    } else {
        value.as_bytes().to_vec()
    };
    let mut out = format!("Content-Disposition: form-data; name=\"{name}\"");
    if let Some(file_name) = file_name {
        out.push_str(&format!("; filename=\"{file_name}\""));
    }
    if let Some(content_type) = content_type {
        out.push_str(&format!("\r\nContent-Type: {content_type}"));
    }
    out.push_str("\r\n\r\n");
    Ok([out.into_bytes(), content].concat())
}

fn multipart_body(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    out
}

#[cfg(test)]
#[path = "curl_tests.rs"]
mod tests;

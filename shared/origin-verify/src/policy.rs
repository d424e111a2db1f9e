//! The configuration, compiled, and the judgement on a request.

use std::net::IpAddr;

use backstop_http::{
    CidrSet, Exchange, Headers, NormalizedPath, Occurrence, PathPattern, client_address,
};
use backstop_policy::answer::is_field_name;
use backstop_policy::{ConfigError, ResponseTemplate, Rollout};

use crate::config::{Config, Mode};
use crate::digest::{self, Entry, Untimely};
use crate::log_line;
use crate::verdict::{Outcome, Refusal, Verdict};

/// What a request's judgement asks its surroundings for.
pub trait Host {
    /// The client's address as the proxy vouches for it (Envoy's `source.address`). Asked at most once per request, and only
    /// if clients are exempt or something is to be logged.
    fn source_address(&self) -> Option<Vec<u8>>;

    /// Seconds since 1970. Asked only if the secret that was sent is valid at some times only.
    fn unix_seconds(&self) -> i64;
}

/// What one configuration says, ready for requests.
#[derive(Debug)]
pub struct Policy {
    header: Vec<u8>,
    pub(crate) mode: Mode,
    rollout: Rollout,
    secrets: Vec<Entry>,
    exempt_paths: Vec<PathPattern>,
    exempt_clients: CidrSet,
    response: ResponseTemplate,
    /// Whether decisions are logged.
    pub log: bool,
    /// Whether metrics are kept.
    pub metrics: bool,
}

impl Policy {
    /// Reads and compiles JSON.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        Self::compile(&Config::from_json(json)?)
    }

    /// Compiles a configuration.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn compile(config: &Config) -> Result<Self, ConfigError> {
        Self::compiled(config).map_err(|error| error.of("origin-verify"))
    }

    fn compiled(config: &Config) -> Result<Self, ConfigError> {
        if !is_field_name(&config.header_name) || is_the_proxys(&config.header_name) {
            return Err(ConfigError::at(
                "headerName",
                format_args!(
                    "`{}` is not a header that can be taken off a request; write one such as `x-origin-verify`",
                    config.header_name.escape_debug()
                ),
            ));
        }
        if config.secrets.is_empty() {
            return Err(ConfigError::at(
                "secrets",
                "no secret, so that every request would be refused; `backstop hash-secret` makes an entry",
            ));
        }
        let mut secrets: Vec<Entry> = Vec::with_capacity(config.secrets.len());
        for (index, secret) in config.secrets.iter().enumerate() {
            let entry = Entry::compile(secret).map_err(|(field, message)| {
                ConfigError::at(format_args!("secrets[{index}].{field}"), message)
            })?;
            if secrets.iter().any(|other| other.name == entry.name) {
                return Err(ConfigError::at(
                    format_args!("secrets[{index}].name"),
                    format_args!(
                        "`{}` is there already; metrics tell secrets by name",
                        entry.name
                    ),
                ));
            }
            secrets.push(entry);
        }
        let mut exempt_paths = Vec::with_capacity(config.exempt.paths.len());
        for (index, path) in config.exempt.paths.iter().enumerate() {
            exempt_paths.push(path.compile(format_args!("exempt.paths[{index}]"))?);
        }
        for (index, network) in config.exempt.clients.iter().enumerate() {
            CidrSet::parse([network])
                .map_err(|error| ConfigError::at(format_args!("exempt.clients[{index}]"), error))?;
        }
        let exempt_clients = CidrSet::parse(&config.exempt.clients)
            .map_err(|error| ConfigError::at("exempt.clients", error))?;
        Ok(Self {
            header: config.header_name.to_ascii_lowercase().into_bytes(),
            mode: config.mode,
            rollout: Rollout::of(config.enforce_percent),
            secrets,
            exempt_paths,
            exempt_clients,
            response: ResponseTemplate::compile(&config.response)?,
            log: config.logging.enabled,
            metrics: config.metrics.enabled,
        })
    }

    /// The header that carries the secret, lower case.
    pub fn header(&self) -> &str {
        std::str::from_utf8(&self.header).unwrap_or_default()
    }

    /// The names of the secrets, in the configuration's order.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|entry| entry.name.as_str())
    }

    /// The name of the secret at `position` of the list.
    pub fn secret_name(&self, position: usize) -> &str {
        self.secrets
            .get(position)
            .map_or("", |entry| entry.name.as_str())
    }

    /// Judges a request by its headers.
    pub fn verify(&self, headers: &Headers, host: &impl Host) -> Outcome {
        let occurrence = headers.occurrence(&self.header);
        let mut client = None;
        let verdict = if self.is_exempt(headers, host, &mut client) {
            Verdict::Exempt
        } else {
            self.judge(occurrence, host)
        };
        let mut outcome = self.conclude(verdict, headers, host, client);
        outcome.remove_header = occurrence != Occurrence::Absent;
        outcome
    }

    /// The outcome where the proxy failed: it did not hand out the headers (`headers` is empty then), or did not take the
    /// header off. As for a request without a secret: refused, or only reported.
    pub fn failed(&self, refusal: Refusal, headers: &Headers, host: &impl Host) -> Outcome {
        let mut outcome = self.conclude(Verdict::Refused(refusal, None), headers, host, None);
        outcome.remove_header = refusal == Refusal::HeadersUnreadable;
        outcome
    }

    /// The decision log's line for an outcome of this policy, at `unix_millis` milliseconds since 1970; only refusals
    /// have one.
    pub fn log_line(
        &self,
        headers: &Headers,
        outcome: &Outcome,
        unix_millis: u64,
    ) -> Option<String> {
        log_line::log_line(self, headers, outcome, unix_millis)
    }

    fn is_exempt(&self, headers: &Headers, host: &impl Host, client: &mut Option<Client>) -> bool {
        if !self.exempt_paths.is_empty() {
            let path = NormalizedPath::new(headers.path());
            if self.exempt_paths.iter().any(|exempt| exempt.exempts(&path)) {
                return true;
            }
        }
        if self.exempt_clients.is_empty() {
            return false;
        }
        let Client(address) = *client.insert(Client::of(host));
        address.is_some_and(|address| self.exempt_clients.contains(address))
    }

    fn judge(&self, occurrence: Occurrence<'_>, host: &impl Host) -> Verdict {
        let value = match occurrence {
            Occurrence::Absent => return Verdict::Refused(Refusal::Missing, None),
            Occurrence::Repeated(_) => return Verdict::Refused(Refusal::Repeated, None),
            Occurrence::Once(b"") => return Verdict::Refused(Refusal::Empty, None),
            Occurrence::Once(value) => value,
        };
        if std::str::from_utf8(value).is_err() {
            return Verdict::Refused(Refusal::NotUtf8, None);
        }
        let Some(position) = digest::find(&self.secrets, value) else {
            return Verdict::Refused(Refusal::Mismatch, None);
        };
        let untimely = self
            .secrets
            .get(position)
            .filter(|entry| entry.is_dated())
            .and_then(|entry| entry.untimely(host.unix_seconds()));
        match untimely {
            None => Verdict::Accepted(position),
            Some(Untimely::Early) => Verdict::Refused(Refusal::NotYetValid, Some(position)),
            Some(Untimely::Late) => Verdict::Refused(Refusal::Expired, Some(position)),
        }
    }

    fn conclude(
        &self,
        verdict: Verdict,
        headers: &Headers,
        host: &impl Host,
        client: Option<Client>,
    ) -> Outcome {
        let mut outcome = Outcome {
            verdict,
            remove_header: false,
            reply: None,
            client: String::new(),
        };
        let Verdict::Refused(refusal, _) = verdict else {
            return outcome;
        };
        let Client(address) = client.unwrap_or_else(|| Client::of(host));
        outcome.client = address.map_or_else(String::new, |address| address.to_string());
        if self.mode == Mode::Enforce && self.rollout.enforces(address) {
            let id = headers.first(b"x-request-id").unwrap_or_default();
            outcome.reply = Some(self.response.answer(
                self.response.status(),
                format!("backstop_origin_verify{{{}}}", refusal.word()),
                id,
                Exchange::of(headers).is_grpc(),
            ));
        }
        outcome
    }
}

/// The client's address, as far as the proxy knows it.
#[derive(Clone, Copy)]
struct Client(Option<IpAddr>);

impl Client {
    fn of(host: &impl Host) -> Self {
        let address = host.source_address();
        Self(address.and_then(|address| client_address(&address)))
    }
}

/// Whether a header is one that the proxy needs or makes itself.
fn is_the_proxys(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "upgrade",
        "te",
    ];
    NAMES.iter().any(|own| name.eq_ignore_ascii_case(own))
}

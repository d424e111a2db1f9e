//! The scripts of `probe/cases.yaml` in our host, compared with what a real Envoy 1.37.0 did with them
//! (`probe/envoy-1.37.0.json`, written by `probe/record.py`). A difference is a bug of ours.

mod guest;

use std::collections::BTreeMap;
use std::time::Duration;

use backstop_host::{
    FailurePolicy, Gateway, GrpcReply, HttpReply, LogLevel, Module, Outcome, Plugin, Request,
    Response,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    script: String,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    pieces: Vec<Piece>,
    #[serde(default)]
    chunked: bool,
    trailers: Option<Vec<(String, String)>>,
    #[serde(default)]
    allow: bool,
    limit: Option<usize>,
    policy: Option<String>,
    answer: Option<Answer>,
    #[serde(default)]
    then: usize,
    #[serde(default)]
    wait_ms: u64,
    #[serde(default)]
    env: Vec<(String, String)>,
    state: Option<String>,
    /// Envoy gives no answer within the recorder's patience.
    #[serde(default)]
    hangs: bool,
    /// Envoy cuts the connection.
    #[serde(default)]
    reset: bool,
    /// The log depends on how the body happens to arrive.
    #[serde(default)]
    skip_logs: bool,
    /// Whether the upstream is reached is a race.
    #[serde(default)]
    skip_upstream: bool,
    #[serde(default)]
    skip_body: bool,
    /// Lines that depend on how the body happens to arrive.
    #[serde(default)]
    fuzzy: Vec<String>,
    /// The order of lines is a race.
    #[serde(default)]
    sort_logs: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Size(usize),
    Text(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    pieces: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
struct Recorded {
    results: Vec<Result>,
    logs: Vec<String>,
    access: Vec<String>,
    upstream: Vec<Seen>,
}

#[derive(Deserialize)]
struct Result {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    #[serde(default)]
    timeout: bool,
}

#[derive(Deserialize)]
struct Seen {
    headers: Vec<(String, String)>,
    line: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    trailers: Vec<(String, String)>,
    complete: bool,
}

/// Text whose characters are bytes, as the recorder wrote it.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

fn content(pieces: &[Piece]) -> Vec<Vec<u8>> {
    let content = |piece: &Piece| match piece {
        Piece::Size(size) => vec![b'x'; *size],
        Piece::Text(text) => bytes(text),
    };
    pieces.iter().map(content).collect()
}

impl Case {
    fn gateway(&self, module: &Module) -> Gateway {
        let policy = match self.policy.as_deref() {
            Some("FAIL_OPEN") => FailurePolicy::FailOpen,
            Some("FAIL_RELOAD") => FailurePolicy::FailReload,
            _ => FailurePolicy::FailClosed,
        };
        let mut plugin = Plugin::new(module)
            .name(&self.name)
            .vm_id(&self.name)
            .config(&self.script)
            .failure_policy(policy)
            .allow_on_headers_stop_iteration(self.allow);
        for (name, value) in &self.env {
            plugin = plugin.env(name, value);
        }
        let answer = self.answer.as_ref();
        let mut response = Response::status(answer.and_then(|answer| answer.status).unwrap_or(200));
        for (name, value) in answer
            .map(|answer| answer.headers.as_slice())
            .unwrap_or_default()
        {
            response = response.header(bytes(name), bytes(value));
        }
        let pieces = match answer.and_then(|answer| answer.pieces.as_ref()) {
            Some(pieces) => content(pieces),
            None => vec![b"upstream".to_vec()],
        };
        let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
        let response = response.body(pieces.concat()).chunks(sizes);
        Gateway::builder()
            .plugin(plugin)
            .buffer_limit(self.limit.unwrap_or(1 << 20))
            .log_level(LogLevel::Info)
            .clusters(["far", "slow", "reset", "dead", "grpc_slow", "grpc_dead"])
            .clusters_without_endpoints(["empty", "grpc_empty"])
            .on_upstream(move |_| response.clone())
            .on_http_call(|call| match call.cluster.as_str() {
                "slow" => HttpReply::timeout(),
                "dead" => HttpReply::unreachable(),
                "reset" => HttpReply::reset(),
                _ => {
                    let to = if call.body.is_empty() {
                        String::new()
                    } else {
                        format!(" to {}", call.text())
                    };
                    HttpReply::ok(200, [("x-far", "yes")], format!("far says hello{to}"))
                }
            })
            .on_grpc_call(|call| match call.cluster.as_str() {
                "grpc_slow" => GrpcReply::timeout(),
                _ => GrpcReply::unreachable(),
            })
            .start()
            .unwrap()
    }

    fn request(&self) -> Request {
        let mut request = Request::new(
            self.method.as_deref().unwrap_or("GET"),
            self.path.as_deref().unwrap_or("/"),
        );
        for (name, value) in &self.headers {
            request = request.header(bytes(name), bytes(value));
        }
        request = request.header("x-case", &self.name);
        if self.chunked || self.trailers.is_some() {
            request = request.header("transfer-encoding", "chunked");
        }
        let pieces = content(&self.pieces);
        let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
        request = request.body(pieces.concat()).chunks(sizes);
        for (name, value) in self.trailers.iter().flatten() {
            request = request.trailer(name, value);
        }
        request
    }

    fn lines(&self, lines: impl Iterator<Item = String>) -> Vec<String> {
        let mut lines: Vec<String> = lines
            .filter(|line| !self.fuzzy.iter().any(|fuzzy| line.contains(fuzzy.as_str())))
            .collect();
        if self.sort_logs {
            lines.sort();
        }
        lines
    }
}

/// Headers that Envoy's connection manager, router and codec add by themselves; this host does not play them.
const NOT_OURS: &[&str] = &[
    "date",
    "server",
    "x-envoy-upstream-service-time",
    "x-forwarded-proto",
    "x-envoy-expected-rq-timeout-ms",
    "transfer-encoding",
    "connection",
    "host",
    ":authority",
    ":path",
    ":method",
    ":scheme",
    ":status",
    "content-length",
];

fn comparable<'a>(headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    headers
        .map(|(name, value)| (text(&name.to_ascii_lowercase()), text(value)))
        .filter(|(name, _)| !NOT_OURS.contains(&name.as_str()))
        .collect()
}

fn recorded(headers: &[(String, String)]) -> Vec<(String, String)> {
    let pairs: Vec<_> = headers
        .iter()
        .map(|(name, value)| (bytes(name), bytes(value)))
        .collect();
    comparable(
        pairs
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice())),
    )
}

fn differences(case: &Case, envoy: &Recorded, ours: &[Outcome]) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, envoy: String, ours: String| {
        if envoy != ours {
            found.push(format!("  {what}\n    envoy: {envoy}\n    ours:  {ours}"));
        }
    };
    if !case.skip_logs {
        let lines = ours
            .iter()
            .flat_map(|outcome| &outcome.logs)
            .map(|line| line.message.clone());
        let (theirs, ours) = (case.lines(envoy.logs.iter().cloned()), case.lines(lines));
        for index in 0..theirs.len().max(ours.len()) {
            let line = |lines: &[String]| {
                lines
                    .get(index)
                    .cloned()
                    .unwrap_or_else(|| "(no line)".to_owned())
            };
            check(&format!("log line {index}"), line(&theirs), line(&ours));
        }
    }
    for (index, (theirs, ours)) in envoy.results.iter().zip(ours).enumerate() {
        if case.hangs {
            check(
                "hangs",
                theirs.timeout.to_string(),
                ours.stalled.to_string(),
            );
        }
        check(
            &format!("status {index}"),
            theirs.status.to_string(),
            ours.status.to_string(),
        );
        if case.reset {
            check(
                "reset",
                (theirs.status == 0).to_string(),
                ours.reset.to_string(),
            );
        }
        if !case.skip_body {
            check(
                &format!("body {index}"),
                format!("{:?}", theirs.body),
                format!("{:?}", ours.response_text()),
            );
        }
        let sent = comparable(ours.response_headers.iter());
        check(
            &format!("response headers {index}"),
            format!("{:?}", recorded(&theirs.headers)),
            format!("{sent:?}"),
        );
        let mut access = envoy
            .access
            .get(index)
            .map_or("", String::as_str)
            .split('|');
        let (_, details, state) = (
            access.next(),
            access.next().unwrap_or("-"),
            access.next().unwrap_or("-"),
        );
        let or_dash = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.to_owned()
            }
        };
        // A hang ends by the recorder going away.
        if !case.hangs && !case.reset && index < envoy.access.len() {
            check(
                &format!("details {index}"),
                details.to_owned(),
                or_dash(&ours.details),
            );
        }
        if index >= envoy.access.len() {
            continue;
        }
        let kept = ours
            .state(case.state.as_deref().unwrap_or("k"))
            .unwrap_or_default();
        check(
            &format!("filter state {index}"),
            state.to_owned(),
            or_dash(&kept),
        );
    }
    if !case.skip_upstream {
        let contacts: u32 = ours.iter().map(|outcome| outcome.upstream_contacts).sum();
        check(
            "times the upstream was contacted",
            envoy.upstream.len().to_string(),
            contacts.to_string(),
        );
        let theirs = envoy.upstream.iter().take(ours.len()).map(|seen| {
            let method = seen.line.split(' ').next().unwrap_or_default();
            let path = seen.line.split(' ').nth(1).unwrap_or_default();
            format!(
                "{method} {path} {:?} {} {:?} {:?}",
                recorded(&seen.headers),
                seen.complete,
                seen.body,
                recorded(&seen.trailers)
            )
        });
        let ours = ours
            .iter()
            .filter_map(|outcome| outcome.upstream.as_ref())
            .map(|upstream| {
                let field = |name: &str| upstream.headers.text(name).unwrap_or_default();
                let trailers = upstream
                    .trailers
                    .as_ref()
                    .map(|trailers| comparable(trailers.iter()))
                    .unwrap_or_default();
                let headers = comparable(upstream.headers.iter());
                let body = upstream
                    .body
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect::<String>();
                format!(
                    "{} {} {headers:?} {} {body:?} {trailers:?}",
                    field(":method"),
                    field(":path"),
                    upstream.complete
                )
            });
        check(
            "upstream",
            theirs.collect::<Vec<_>>().join("\n           "),
            ours.collect::<Vec<_>>().join("\n           "),
        );
    }
    found
}

#[test]
fn every_script_does_in_our_host_what_it_did_in_envoy() {
    let cases: Vec<Case> = serde_norway::from_str(include_str!("probe/cases.yaml")).unwrap();
    let envoy: BTreeMap<String, Recorded> =
        serde_json::from_str(include_str!("probe/envoy-1.37.0.json")).unwrap();
    let module = guest::module("probe");
    let mut differing = 0;
    for case in &cases {
        let mut gateway = case.gateway(&module);
        gateway.advance(Duration::from_millis(case.wait_ms));
        let request = case.request();
        let outcomes: Vec<Outcome> = (0..=case.then).map(|_| gateway.send(&request)).collect();
        let found = differences(case, &envoy[&case.name], &outcomes);
        if !found.is_empty() {
            differing += 1;
            println!("{}\n{}", case.name, found.join("\n"));
        }
    }
    assert_eq!(
        differing,
        0,
        "{differing} of {} cases differ from Envoy 1.37.0",
        cases.len()
    );
}

//! What an operator may write, and what is said about the rest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_ext_authz::config::{FailureMode, Mode, Scope};
use backstop_ext_authz::{Config, Policy};

const GRPC: &str =
    r#""service": {"grpc": {"cluster": "outbound|50051||adapter.security.svc.cluster.local"}}"#;
const API: &str =
    r#"{"eventType": "QUEUE_ENTER", "path": {"template": "/queue/matches/{n}/enter"}}"#;

#[test]
fn nothing_is_a_configuration() {
    let config = Config::from_json(b"").unwrap();
    assert_eq!(config.mode, Mode::Enforce);
    assert_eq!(config.failure_mode, FailureMode::Allow);
    assert_eq!(config.status_on_error.0, 403);
    assert_eq!(config.breaker.consecutive_failures.0, 5);
    assert_eq!(config.throttle.max_delay.0.as_millis(), 2000);
    assert_eq!(config.check.event_type_header, "x-ext-authz-event-type");
    assert!(Policy::compile(&config).is_ok());
}

#[test]
fn an_api_takes_what_it_does_not_say_from_the_filter() {
    let policy = Policy::from_json(
        format!(
            r#"{{{GRPC}, "failureMode": "deny", "statusOnError": 503.0, "check": {{"bodyBytes": "1KiB"}}, "apis": [{API},
            {{"eventType": "B", "path": {{"prefix": "/b"}}, "failureMode": "allow", "statusOnError": 429,
              "timeout": "1s", "bodyBytes": 0, "requireBotToken": true, "cache": false}}]}}"#
        )
        .as_bytes(),
    )
    .unwrap();
    let apis: Vec<_> = policy.apis().collect();
    assert_eq!(apis[0].timeout.as_millis(), 800);
    assert_eq!(apis[0].failure_mode, FailureMode::Deny);
    assert_eq!((apis[0].status_on_error, apis[0].body_bytes), (503, 1024));
    assert!(apis[0].cache && !apis[0].require_bot_token);
    assert_eq!(apis[1].timeout.as_millis(), 1000);
    assert_eq!(apis[1].failure_mode, FailureMode::Allow);
    assert_eq!((apis[1].status_on_error, apis[1].body_bytes), (429, 0));
    assert!(!apis[1].cache && apis[1].require_bot_token);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        (r#"{"api": []}"#.to_owned(), "$.api", "unknown field"),
        (
            r#"{"apis": [{"eventType": "A"}]}"#.to_owned(),
            "$.apis[0]",
            "missing field `path`",
        ),
        (
            format!(r#"{{"apis": [{API}]}}"#),
            "$.service",
            "nobody to ask",
        ),
        (
            format!(r#"{{{GRPC}, "apis": [{{"eventType": "queue", "path": {{"prefix": "/"}}}}]}}"#),
            "$.apis[0].eventType",
            "capital letters",
        ),
        (
            format!(
                r#"{{{GRPC}, "apis": [{{"eventType": "A", "path": {{"template": "/a//b"}}}}]}}"#
            ),
            "$.apis[0].path.template",
            "`/a/b`",
        ),
        (
            format!(
                r#"{{{GRPC}, "apis": [{{"eventType": "A", "path": {{"prefix": "/"}}, "timeout": "0s"}}]}}"#
            ),
            "$.apis[0].timeout",
            "more than 0",
        ),
        (
            format!(
                r#"{{{GRPC}, "apis": [{{"eventType": "A", "path": {{"prefix": "/"}}, "bodyBytes": "2MiB"}}]}}"#
            ),
            "$.apis[0].bodyBytes",
            "1MiB",
        ),
        (
            r#"{"exclude": [{}]}"#.to_owned(),
            "$.exclude[0]",
            "every request",
        ),
        (
            r#"{"service": {"grpc": {"cluster": ""}}}"#.to_owned(),
            "$.service.grpc.cluster",
            "cluster",
        ),
        (
            r#"{"service": {"grpc": {"cluster": "a", "initialMetadata": {"grpc-timeout": "1S"}}}}"#
                .to_owned(),
            "$.service.grpc.initialMetadata.grpc-timeout",
            "not metadata",
        ),
        (
            r#"{"service": {"http": {"cluster": "a", "pathPrefix": "check"}}}"#.to_owned(),
            "$.service.http.pathPrefix",
            "begins with `/`",
        ),
        (
            r#"{"service": {"http": {"cluster": "a", "headersToAdd": {"host": "x"}}}}"#.to_owned(),
            "$.service.http.headersToAdd.host",
            "set here",
        ),
        (
            r#"{"check": {"allowedHeaders": ["a b"]}}"#.to_owned(),
            "$.check.allowedHeaders[0]",
            "header name",
        ),
        (
            r#"{"check": {"contextExtensions": {"event_type": "x"}}}"#.to_owned(),
            "$.check.contextExtensions.event_type",
            "event type",
        ),
        (
            r#"{"throttle": {"maxDelay": "3s"}}"#.to_owned(),
            "$.throttle.maxDelay",
            "2s",
        ),
        (
            r#"{"breaker": {"openFor": "0s"}}"#.to_owned(),
            "$.breaker.openFor",
            "more than 0",
        ),
        (
            r#"{"breaker": {"consecutiveFailures": 0}}"#.to_owned(),
            "$.breaker.consecutiveFailures",
            "1 to 10000",
        ),
        (
            r#"{"cache": {"key": []}}"#.to_owned(),
            "$.cache.key",
            "one to eight",
        ),
        (
            r#"{"cache": {"key": [{"path": {}}]}}"#.to_owned(),
            "$.cache.key",
            "everybody",
        ),
        (
            r#"{"cache": {"key": [{"path": {"x": 1}}]}}"#.to_owned(),
            "$.cache.key[0].path.x",
            "unknown field",
        ),
        (
            r#"{"cache": {"key": [{"cookie": {"name": "a b"}}]}}"#.to_owned(),
            "$.cache.key[0].cookie.name",
            "`a b`",
        ),
        (
            r#"{"blockList": {"entries": ["office"]}}"#.to_owned(),
            "$.blockList.entries[0]",
            "`office`",
        ),
        (
            r#"{"blockList": {"trustedProxies": ["10.0.0.0/8", "x"]}}"#.to_owned(),
            "$.blockList.trustedProxies[1]",
            "`x`",
        ),
        (
            r#"{"blockList": {"categories": ["SQL"]}}"#.to_owned(),
            "$.blockList.categories[0]",
            "sqlInjection",
        ),
        (
            r#"{"blockList": {"threshold": {"count": 1}}}"#.to_owned(),
            "$.blockList.threshold.count",
            "2 to 255",
        ),
        (
            r#"{"blockList": {"ttl": "0s"}}"#.to_owned(),
            "$.blockList.ttl",
            "more than 0",
        ),
        (
            r#"{"blockList": {"name": "A"}}"#.to_owned(),
            "$.blockList.name",
            "lower-case",
        ),
        (
            r#"{"blockList": {"notify": {"cluster": "a", "path": "x"}}}"#.to_owned(),
            "$.blockList.notify.path",
            "begins with `/`",
        ),
        (
            r#"{"blockList": {"notify": {"cluster": "a", "path": "/", "backoff": "1m"}}}"#
                .to_owned(),
            "$.blockList.notify.backoff",
            "maxBackoff",
        ),
        (
            r#"{"botToken": {"minLength": 9, "maxLength": 8}}"#.to_owned(),
            "$.botToken.minLength",
            "maxLength",
        ),
        (r#"{"mode": "off"}"#.to_owned(), "$.mode", "enforce"),
    ];
    for (json, at, message) in cases {
        let error = Policy::from_json(json.as_bytes()).unwrap_err().to_string();
        let expected = format!("ext-authz config: {at}: ");
        assert!(error.starts_with(&expected), "{json}\n{error}");
        assert!(error.contains(message), "{json}\n{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn the_sizes_that_the_documentation_states() {
    let of = |json: &str| Policy::from_json(json.as_bytes()).unwrap().table_bytes();
    assert_eq!(of("{}"), 0);
    assert_eq!(of(r#"{"blockList": {}}"#), 16_384 * 32 + 16_384 / 64 * 16);
    assert_eq!(
        of(r#"{"blockList": {"slots": 1048576}}"#),
        1_048_576 * 32 + 1_048_576 / 64 * 16
    );
    assert_eq!(
        of(r#"{"cache": {"key": [{"cookie": {"name": "s"}}]}}"#),
        4096 * 256 + 4096 / 16 * 16
    );
    let config = Config::from_json(br#"{"blockList": {}}"#).unwrap();
    assert_eq!(config.block_list.unwrap().scope, Scope::Everything);
}

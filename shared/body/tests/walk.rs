//! Bodies with what their requests say about them, and the visits and reports that come of it.

use std::ops::ControlFlow;

use backstop_body::{Content, Format, Limits, Report, Skipped, Violation, Walker};
use backstop_http::ContentType;

fn walk_content(content: &Content<'_>, body: &[u8]) -> (Vec<String>, Report) {
    let mut seen = Vec::new();
    let limits = Limits {
        file_prefix: 16,
        ..Limits::default()
    };
    let report = Walker::new(limits).walk(content, body, &mut |place, value| {
        seen.push(format!("{place} = {}", value.escape_ascii()));
        ControlFlow::Continue(())
    });
    assert_eq!(report.values, seen.len());
    (seen, report)
}

fn walk(content_type: &str, body: &[u8]) -> (Vec<String>, Report) {
    walk_content(
        &Content::new(ContentType::parse(content_type.as_bytes())),
        body,
    )
}

fn check(content_type: &str, body: &[u8], expected: &[&str]) -> Report {
    let (seen, report) = walk(content_type, body);
    assert_eq!(seen, expected, "{content_type}: {}", body.escape_ascii());
    report
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn each_format_as_declared() {
    let cases: &[(&str, &[u8], &[&str], Format)] = &[
        (
            FORM,
            b"a=x+y",
            &["formName:a = a", "form:a = x y"],
            Format::Form,
        ),
        (
            "application/json; charset=utf-8",
            b"{\"a\":\"x\"}",
            &["jsonKey = a", "json:/a = x"],
            Format::Json,
        ),
        (
            "application/vnd.api+json",
            b"[\"x\"]",
            &["json:/0 = x"],
            Format::Json,
        ),
        ("text/json", b"[\"x\"]", &["json:/0 = x"], Format::Json),
        (
            "application/x-ndjson",
            b"[\"x\"]\n[\"y\"]",
            &["json:/0 = x", "json:/0 = y"],
            Format::Json,
        ),
        (
            "text/xml",
            b"<a>x</a>",
            &["xmlDocument = <a>x</a>", "xml:a = x"],
            Format::Xml,
        ),
        (
            "application/soap+xml",
            b"<a b='x'/>",
            &["xmlDocument = <a b=\\'x\\'/>", "xmlAttribute:b = x"],
            Format::Xml,
        ),
        (
            "application/graphql",
            b"{ a(b: \"x\") }",
            &["graphql:b = x"],
            Format::Graphql,
        ),
        ("text/plain", b"it's", &["text = it\\'s"], Format::Text),
        ("text/csv", b"a,b\n", &["text = a,b\\n"], Format::Text),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n",
            &["multipartName:a = a", "multipart:a = x"],
            Format::Multipart,
        ),
        (
            "multipart/mixed; boundary=b",
            b"--b\r\nContent-Type: application/http\r\n\r\nPATCH a('1') HTTP/1.1\r\nContent-Type: application/json\r\n\r\n\
              {\"a\":\"x\"}\r\n--b--\r\n",
            &[
                "multipart = PATCH a(\\'1\\') HTTP/1.1",
                "multipart = Content-Type: application/json",
                "jsonKey = a",
                "json:/a = x",
            ],
            Format::Multipart,
        ),
    ];
    for (content_type, body, expected, format) in cases {
        let report = check(content_type, body, expected);
        assert_eq!(report.declared, Some(*format), "{content_type}");
        assert_eq!(report.malformed, None, "{content_type}");
    }
}

#[test]
fn crs_4341_absent_and_odd_types_are_sniffed() {
    let json: &[&str] = &["jsonKey = a", "json:/a = x"];
    let form: &[&str] = &["formName:a = a", "form:a = x"];
    for content_type in [
        "",
        "json",
        "application/x-unknown",
        "application/octet-stream",
        "/",
        "a/b, c/d",
        "image/png",
    ] {
        let report = check(content_type, b"{\"a\":\"x\"}", json);
        assert_eq!(
            (report.declared, report.sniffed),
            (None, Some(Format::Json)),
            "{content_type}"
        );
        check(content_type, b"a=x", form);
        check(
            content_type,
            b"<a>x</a>",
            &["xmlDocument = <a>x</a>", "xml:a = x"],
        );
        let part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--";
        check(
            content_type,
            part,
            &["multipartName:a = a", "multipart:a = x"],
        );
        check(
            content_type,
            b"just it's text",
            &["body = just it\\'s text"],
        );
    }
    // What only looks like a format is handed on whole as well.
    check(
        "",
        b"[see 'x",
        &["json:/0 = see", "text = see \\'x", "body = [see \\'x"],
    );
}

#[test]
fn a_body_of_another_format_than_declared_is_read_as_both() {
    let json = b"{\"a\":\"x\"}";
    // Faultless JSON under the types that beacons and command-line clients send it with is that and nothing else.
    for (content_type, declared) in [("text/plain", Format::Text), (FORM, Format::Form)] {
        let report = check(content_type, json, &["jsonKey = a", "json:/a = x"]);
        assert_eq!(
            (report.declared, report.sniffed),
            (Some(declared), Some(Format::Json))
        );
        assert_eq!(report.malformed, None);
    }
    let expected = ["json:/0 = x", r#"text = \"x\" or"#, r#"text = [\"x\" or"#];
    let (seen, _) = walk("text/plain", br#"["x" or"#);
    assert_eq!(seen, expected);
    let (seen, _) = walk(FORM, b"{\"a\":\"&b=%27 or\"}");
    assert!(
        seen.contains(&"form:b = \\' or\\\"}".to_owned()),
        "{seen:?}"
    );
    let (seen, report) = walk("application/json", b"<a>x</a>");
    assert_eq!(
        seen,
        ["text = <a>x</a>", "xmlDocument = <a>x</a>", "xml:a = x"]
    );
    assert_eq!(report.malformed.unwrap().violation, Violation::Syntax);
    let (seen, _) = walk("application/xml", json);
    assert!(seen.contains(&"json:/a = x".to_owned()), "{seen:?}");
    let (seen, _) = walk("text/plain", b"a=x%27");
    assert_eq!(seen, ["text = a=x%27", "formName:a = a", "form:a = x\\'"]);
    let (seen, report) = walk("multipart/form-data; boundary=b", json);
    assert_eq!(
        seen,
        ["text = {\\\"a\\\":\\\"x\\\"}", "jsonKey = a", "json:/a = x"]
    );
    assert_eq!(report.malformed.unwrap().violation, Violation::Boundary);
    let (seen, _) = walk(
        FORM,
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx'\r\n--b--",
    );
    assert!(seen.contains(&"multipart:a = x\\'".to_owned()), "{seen:?}");
}

#[test]
fn repeated_content_types_count_as_the_first_and_as_shown() {
    let headers = backstop_http::Headers::from_pairs([
        ("content-type", "text/plain"),
        ("content-type", "application/json"),
    ]);
    let (seen, report) = walk_content(&Content::new(ContentType::of(&headers)), b"[\"x\"]");
    assert_eq!(seen, ["json:/0 = x"]);
    assert_eq!(report.format(), Some(Format::Text));
}

#[test]
fn binary_is_skipped_and_said_so() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for content_type in [
        "",
        "image/png",
        "application/octet-stream",
        "application/x-protobuf",
    ] {
        let (seen, report) = walk(content_type, png);
        assert_eq!(seen, [""; 0]);
        assert_eq!(
            report.skipped,
            Skipped {
                binary: png.len(),
                file_rest: 0
            }
        );
        assert_eq!(report.sniffed, Some(Format::Binary));
    }
    // Text by declaration is visited whatever it holds.
    assert_eq!(
        walk("text/plain", b"\0\0\0\0\0\0'").0,
        ["text = \\x00\\x00\\x00\\x00\\x00\\x00\\'"]
    );
}

#[test]
fn parts_by_their_own_types() {
    let body = b"--b\r\nContent-Disposition: form-data; name=j\r\nContent-Type: application/json\r\n\r\n{\"a\":\"x\"}\r\n\
        --b\r\nContent-Disposition: form-data; name=u\r\n\r\n{\"a\":\"y\"}\r\n\
        --b\r\nContent-Disposition: form-data; name=s; filename=s.svg\r\nContent-Type: image/svg+xml\r\n\r\n<s>z</s>\r\n\
        --b\r\nContent-Disposition: form-data; name=p; filename=p.png\r\nContent-Type: image/png\r\n\r\n\x89PNG\0\0\r\n\
        --b\r\nContent-Disposition: form-data; name=l; filename=l.png\r\nContent-Type: image/png\r\n\r\nsixteen bytes it's more\r\n\
        --b\r\nContent-Disposition: form-data; name=t; filename=t.txt\r\nContent-Type: text/plain\r\n\r\nall of it is read\r\n\
        --b--";
    let report = check(
        "multipart/form-data; boundary=b",
        body,
        &[
            "multipartName:j = j",
            "jsonKey = a",
            "json:/a = x",
            "multipartName:u = u",
            "multipart:u = {\\\"a\\\":\\\"y\\\"}",
            "multipartName:s = s",
            "filename:s = s.svg",
            "xmlDocument = <s>z</s>",
            "xml:s = z",
            "multipartName:p = p",
            "filename:p = p.png",
            "multipartName:l = l",
            "filename:l = l.png",
            "multipart:l = sixteen bytes it",
            "multipartName:t = t",
            "filename:t = t.txt",
            "multipart:t = all of it is read",
        ],
    );
    assert_eq!(
        report.skipped,
        Skipped {
            binary: 6,
            file_rest: 7
        }
    );
    assert_eq!(report.malformed, None);
}

#[test]
fn a_field_is_read_whole_whatever_type_it_claims() {
    let field = |headers: &str, content: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=a{headers}\r\n\r\n{content}\r\n--b--"
        );
        walk("multipart/form-data; boundary=b", body.as_bytes()).0
    };
    let whole = "multipart:a = 1\\' or b=c";
    for headers in [
        "",
        "\r\nContent-Type: image/png",
        "\r\nContent-Type: text/plain",
        "\r\nContent-Type: application/json",
        "\r\nContent-Type: application/xml",
        "\r\nContent-Type: application/x-www-form-urlencoded",
        "\r\nContent-Type: multipart/mixed; boundary=c",
        "\r\nContent-Type: application/graphql",
        "; filename=\"\"",
        "; filename*=utf-8''",
    ] {
        let seen = field(headers, "1' or b=c");
        assert!(seen.contains(&whole.to_owned()), "{headers}: {seen:?}");
    }
    // Binary at its beginning, which a file would be skipped for.
    assert!(
        field("\r\nContent-Type: image/png", "\0\x01\x02' or 1")
            .contains(&"multipart:a = \\x00\\x01\\x02\\' or 1".to_owned())
    );
    // Go's reader decodes quoted-printable, others do not.
    let seen = field(
        "\r\nContent-Transfer-Encoding: quoted-printable",
        "1=27 or 1",
    );
    assert_eq!(
        seen,
        [
            "multipartName:a = a",
            "multipart:a = 1=27 or 1",
            "multipart:a = 1\\' or 1"
        ]
    );
}

#[test]
fn a_form_declared_as_something_else_is_read_as_a_form() {
    for content_type in [
        "application/json",
        "application/xml",
        "multipart/form-data",
        "application/graphql",
        "text/plain",
    ] {
        let (seen, report) = walk(content_type, b"a=1%27");
        assert!(
            seen.contains(&"form:a = 1\\'".to_owned()),
            "{content_type}: {seen:?}"
        );
        assert_eq!(report.sniffed, Some(Format::Form), "{content_type}");
    }
}

#[test]
fn multipart_without_a_usable_boundary() {
    let body = b"--real\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--real--";
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=other",
        "multipart/mixed; boundary=\"\"",
    ] {
        let report = check(
            content_type,
            body,
            &["multipartName:a = a", "multipart:a = x"],
        );
        assert_eq!(
            report.malformed.unwrap().violation,
            Violation::Boundary,
            "{content_type}"
        );
    }
    let report = check(
        "multipart/form-data; boundary=b",
        b"it's none",
        &["text = it\\'s none"],
    );
    assert_eq!(report.malformed.unwrap().violation, Violation::Boundary);
}

#[test]
fn multipart_within_multipart_ends_at_a_depth() {
    let nest = |boundary: &str, content: &str| {
        format!(
            "--{boundary}\r\nContent-Type: multipart/mixed; boundary=i{boundary}\r\n\r\n{content}\r\n--{boundary}--"
        )
    };
    let leaf = "--iib\r\nContent-Disposition: x; name=a\r\n\r\nx'\r\n--iib--";
    let body = nest("b", &nest("ib", leaf));
    let (seen, _) = walk("multipart/mixed; boundary=b", body.as_bytes());
    // The innermost is text. None of them has a name, so that a form would read one whole as a field.
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(
        seen[0].starts_with("multipart = --iib") && seen[0].contains("x\\'"),
        "{seen:?}"
    );
}

#[test]
fn charsets_are_converted_before_reading() {
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let json: &[&str] = &["jsonKey = a", "json:/a = \\'x"];
    let spelled = "{\"a\":\"'x\"}";
    check("application/json", &utf16(spelled), json);
    check("application/json; charset=utf-16le", &utf16(spelled), json);
    check("", &utf16(&format!("\u{feff}{spelled}")), json);
    check(
        "application/json",
        format!("\u{feff}{spelled}").as_bytes(),
        json,
    );
    let utf32: Vec<u8> = spelled
        .chars()
        .flat_map(|scalar| (scalar as u32).to_be_bytes())
        .collect();
    check("application/json", &utf32, json);
    // The bytes behind percent-escapes are EBCDIC for `' or`.
    check(
        "application/x-www-form-urlencoded; charset=ibm037",
        b"a=%7D%40%96%99",
        &["formName:a = a", "form:a = }@\\x96\\x99", "form:a = \\' or"],
    );
    // UTF-7 may be a lie: both readings.
    check(
        "text/plain; charset=utf-7",
        b"+ACc-",
        &["text = \\'", "text = +ACc-"],
    );
}

#[test]
fn a_false_charset_hides_nothing() {
    for content_type in [
        "application/json; charset=utf-16",
        "application/json; charset=ibm500",
    ] {
        let (seen, _) = walk(content_type, b"{\"a\":\"it's\"}");
        assert!(
            seen.contains(&"json:/a = it\\'s".to_owned()),
            "{content_type}: {seen:?}"
        );
    }
    let (seen, _) = walk(FORM, b"a\0b\0=1&c=it's");
    assert!(seen.contains(&"form:c = it\\'s".to_owned()), "{seen:?}");
    let (seen, _) = walk(FORM, b"\xff\xfea=1&c=it's");
    assert!(seen.contains(&"form:c = it\\'s".to_owned()), "{seen:?}");
    let report = check(
        "text/plain; charset=x-nonsense",
        b"it's",
        &["text = it\\'s"],
    );
    assert_eq!(report.malformed.unwrap().violation, Violation::Charset);
}

#[test]
fn a_prefix_may_end_anywhere() {
    let json = ContentType::parse(b"application/json");
    let body = b"{\"a\":\"x\",\"b\":\"it's cu";
    let (seen, report) = walk_content(&Content::prefix(json), body);
    assert_eq!(
        seen,
        [
            "jsonKey = a",
            "json:/a = x",
            "jsonKey = b",
            "json:/b = it\\'s cu"
        ]
    );
    assert_eq!(report.malformed, None);
    let (_, report) = walk_content(&Content::new(json), body);
    assert_eq!(
        report.malformed.unwrap().violation,
        Violation::UnexpectedEnd
    );
}

#[test]
fn a_break_ends_the_walk() {
    let mut seen = 0;
    let content = Content::new(ContentType::parse(b"multipart/form-data; boundary=b"));
    let body = b"--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: application/json\r\n\r\n[\"x\",\"y\"]\r\n--b--tail";
    let report = Walker::default().walk(&content, body, &mut |_, _| {
        seen += 1;
        if seen == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((seen, report.values), (2, 2));
}

#[test]
fn an_empty_body_has_no_values() {
    let (seen, report) = walk("application/json", b"");
    assert_eq!(seen, [""; 0]);
    assert_eq!(
        (report.declared, report.sniffed, report.malformed),
        (Some(Format::Json), None, None)
    );
}

#[test]
fn texts_that_pass_are_counted_and_what_does_not_pass_is_visited_next() {
    let body = br#"{"a":"plain","b":["plain","{\"c\":\"plain\"}","odd 1"],"query":"plain","d":"odd\u00202","e":"odd 3"}"#;
    let content = Content::new(ContentType::parse(b"application/json"));
    let asked = std::cell::RefCell::new(Vec::new());
    let passes = |text: &[u8]| {
        asked.borrow_mut().push(text.to_vec());
        text == b"plain"
    };
    let mut seen = Vec::new();
    let report = Walker::default().without_plain_names().walk_past(
        &content,
        body,
        &passes,
        &mut |place, value| {
            if asked.borrow().last().is_some_and(|text| text == value) {
                asked.borrow_mut().pop();
            }
            seen.push(format!("{place} = {}", value.escape_ascii()));
            ControlFlow::Continue(())
        },
    );
    assert_eq!(
        seen,
        [
            r#"json:/b/1 = {\"c\":\"plain\"}"#,
            "json:/b/2 = odd 1",
            "json:/query = plain",
            "json:/d = odd 2",
            "json:/e = odd 3",
        ]
    );
    // The keys and the texts that passed are values like the others.
    assert_eq!(report.values, 5 + 7);
    // Whatever was refused was visited before the next one was asked about.
    assert!(asked.borrow().iter().all(|text| text == b"plain"));
}

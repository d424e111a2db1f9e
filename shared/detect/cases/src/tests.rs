use super::*;

fn row(line: &str) -> Row {
    parse(line, "test.tsv".to_owned(), 7)
}

fn body(line: &str) -> String {
    let request = row(line).request().unwrap();
    request.body.unwrap().escape_ascii().to_string()
}

#[test]
fn a_row_says_where_what_and_how_strict() {
    let row = row("json:/a/b\tsql-union@2\ta\\r\\x41\\\\\tnote");
    assert_eq!(row.place(), Place::new(Kind::Json, b"/a/b"));
    assert_eq!((row.expect.as_deref(), row.level), (Some("sql-union"), 2));
    assert_eq!(row.input, b"a\rA\\");
    assert_eq!(row.id(), "test.tsv:7");
}

#[test]
fn a_value_is_encoded_for_its_place() {
    let path = |line: &str| String::from_utf8(row(line).request().unwrap().path).unwrap();
    assert_eq!(path("path\tbenign\t/a b/%"), "/a%20b/%25");
    assert_eq!(path("query:q[]\tbenign\ta+&b"), "/?q%5B%5D=a%2B%26b");
    assert_eq!(path("queryName\tbenign\ta=b"), "/?a%3Db=1");
    assert_eq!(body("form:f\tbenign\ta b&\\n"), "f=a%20b%26%0A");
    assert_eq!(
        body("json:/a/b~1c\tbenign\t\"\\\\\\n"),
        r#"{\"a\":{\"b/c\":\"\\\"\\\\\\u000a\"}}"#
    );
    assert_eq!(body("jsonKey\tbenign\t$ne"), r#"{\"$ne\":1}"#);
    assert_eq!(body("xml:e\tbenign\t<&"), "<r><e>&#60;&#38;</e></r>");
    assert!(body("filename:f\tbenign\ta.png").contains(r#"name=\"f\"; filename=\"a.png\""#));
    let cookie = row("cookie:c\tbenign\ta b;").request().unwrap();
    assert_eq!(
        cookie.headers,
        [("cookie".to_owned(), b"c=a%20b%3B".to_vec())]
    );
}

#[test]
fn what_http_cannot_carry_is_told() {
    for (line, reason) in [
        ("header:x-a\tbenign\ta\\nb", NotCarried::ControlInHeader),
        ("header:x-a\tbenign\ta ", NotCarried::BlankAroundHeader),
        ("header:referer\tbenign\t${x}", NotCarried::RefererIsNoUrl),
        ("path\tbenign\ta", NotCarried::NotAPath),
        ("filename:f\tbenign\ta\"b", NotCarried::QuoteInDisposition),
        ("xml:1\tbenign\ta", NotCarried::NotAnXmlName),
    ] {
        assert_eq!(row(line).request(), Err(reason), "{line}");
        assert!(!reason.to_string().is_empty());
    }
}

#[test]
fn a_decision_is_right_by_rule_and_place() {
    let line = r#"{"rule":"a","target":"query:q","also":["b@json:/x","c@formName:n[]"]}"#;
    let found = rules_in(line);
    assert_eq!(found, ["a@query:q", "b@json:/x", "c@formName:n[]"]);
    for (line, right) in [
        ("query:q\ta\tx", true),
        ("query:r\ta\tx", false),
        ("json:/x\tb\tx", true),
        ("json:/x\ta\tx", false),
        ("formName\tc\tx", true),
        ("json:/x\tbenign\tx", false),
    ] {
        assert_eq!(is_right(&row(line), &found), right, "{line}");
    }
    assert!(is_right(&row("path\tbenign\t/"), &[]));
    let document = ["a@xmlDocument".to_owned()];
    assert!(is_right(&row("xml:e\ta\tx"), &document));
    assert!(!is_right(&row("xmlDocument\tb\tx"), &document));
}

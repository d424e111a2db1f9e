//! Documents and what is visited in them.

use super::*;
use crate::sink::tests::visits;

fn walk(body: &[u8]) -> (Vec<String>, Outcome) {
    let mut outcome = Outcome::default();
    let seen = visits(|sink| {
        if let ControlFlow::Continue(found) = Json::default().walk(body, 4, sink) {
            outcome = found;
        }
    });
    (seen, outcome)
}

#[test]
fn keys_and_strings_by_their_pointers() {
    let cases: &[(&str, &[&str])] = &[
        (r#""x""#, &["json = x"]),
        (r#"{"a":"1"}"#, &["jsonKey = a", "json:/a = 1"]),
        (
            r#"{"a":{"b":"1"},"c":"2"}"#,
            &[
                "jsonKey = a",
                "jsonKey:/a = b",
                "json:/a/b = 1",
                "jsonKey = c",
                "json:/c = 2",
            ],
        ),
        (
            r#"["x",["y"],"z"]"#,
            &["json:/0 = x", "json:/1/0 = y", "json:/2 = z"],
        ),
        (r#"[1,-2.5e+3,true,false,null,"x"]"#, &["json:/5 = x"]),
        (
            r#"[{"a":"1"},{"a":"2"}]"#,
            &[
                "jsonKey:/0 = a",
                "json:/0/a = 1",
                "jsonKey:/1 = a",
                "json:/1/a = 2",
            ],
        ),
        (
            r#"{"a":"1","a":"2"}"#,
            &["jsonKey = a", "json:/a = 1", "jsonKey = a", "json:/a = 2"],
        ),
        (
            r#"{"a/b~c":"1"}"#,
            &["jsonKey = a/b~c", "json:/a~1b~0c = 1"],
        ),
        (
            r#"{"\u0061":"\u0027\n\ud83d"}"#,
            &["jsonKey = a", "json:/a = \\'\\n\\xef\\xbf\\xbd"],
        ),
        (r#"{"a":""} "#, &["jsonKey = a"]),
        (
            r#" { "a" : [ ] , "b" : { } } "#,
            &["jsonKey = a", "jsonKey = b"],
        ),
        (
            "{\"a\":\"1\"}\n{\"a\":\"2\"}\n",
            &["jsonKey = a", "json:/a = 1", "jsonKey = a", "json:/a = 2"],
        ),
        ("\x1e\"a\"\n\x1e\"b\"\n", &["json = a", "json = b"]),
        ("", &[]),
    ];
    for (body, expected) in cases {
        let (seen, outcome) = walk(body.as_bytes());
        assert_eq!(seen, *expected, "{body}");
        assert_eq!(outcome, Outcome::default(), "{body}");
    }
}

#[test]
fn what_some_readers_allow_is_read_on() {
    let cases: &[(&str, &[&str], Violation)] = &[
        (
            "// it's\n{\"a\":\"1\"}",
            &["text =  it\\'s", "jsonKey = a", "json:/a = 1"],
            Violation::NonStandard,
        ),
        (
            "[\"a\"/* c */,\"b\"]",
            &["json:/0 = a", "text =  c ", "json:/1 = b"],
            Violation::NonStandard,
        ),
        (
            "{a:'1',$b:NaN}",
            &[
                "jsonKey = a",
                "json:/a = 1",
                "jsonKey = $b",
                "json:/$b = NaN",
            ],
            Violation::NonStandard,
        ),
        (
            "['it\\'s']",
            &["json:/0 = it\\\\\\'s"],
            Violation::NonStandard,
        ),
        ("[0x1F]", &["json:/0 = 0x1F"], Violation::NonStandard),
        ("[,\"a\"]", &["json:/1 = a"], Violation::Syntax),
        ("[\"a", &["json:/0 = a"], Violation::UnexpectedEnd),
        ("[\"a\"", &["json:/0 = a"], Violation::UnexpectedEnd),
        ("[\"a\\", &["json:/0 = a\\\\"], Violation::UnexpectedEnd),
        (
            "[[[[[\"deep\",{\"k\":\"v\"}]]]],\"x\"]",
            &[
                "json:/0/0/0/0 = deep",
                "jsonKey:/0/0/0/0 = k",
                "json:/0/0/0/0 = v",
                "json:/1 = x",
            ],
            Violation::TooDeep,
        ),
    ];
    for (body, expected, violation) in cases {
        let (seen, outcome) = walk(body.as_bytes());
        assert_eq!(seen, *expected, "{body}");
        assert_eq!(
            outcome.malformed.map(|malformed| malformed.violation),
            Some(*violation),
            "{body}"
        );
        assert_eq!(outcome.unread, None, "{body}");
    }
}

#[test]
fn a_trailing_comma_is_no_violation_worth_a_word() {
    let (seen, outcome) = walk(b"{\"a\":[\"1\",],}");
    assert_eq!(seen, ["jsonKey = a", "json:/a/0 = 1"]);
    assert_eq!(outcome, Outcome::default());
}

#[test]
fn at_a_syntax_error_the_rest_is_left_unread() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("hello", &[], "hello"),
        (
            "{\"a\":\"1\"} trailing",
            &["jsonKey = a", "json:/a = 1"],
            "\"1\"} trailing",
        ),
        (
            "{\"a\":\"x\"y' or 1=1\"}",
            &["jsonKey = a", "json:/a = x"],
            "\"x\"y' or 1=1\"}",
        ),
        ("{\"a\":1 or 1=1}", &["jsonKey = a"], "1 or 1=1}"),
        ("[\"a\" \"b\"]", &["json:/0 = a"], "\"a\" \"b\"]"),
        ("[\"a\"}", &["json:/0 = a"], "\"a\"}"),
        ("]", &[], "]"),
        ("{(select 1)}", &[], "(select 1)}"),
        ("[\"a\":\"b\"]", &["json:/0 = a"], "\"a\":\"b\"]"),
        ("{{\"a\":1}}", &[], "{\"a\":1}}"),
        ("\"a\"'b'", &["json = a"], "\"a\"'b'"),
    ];
    for (body, expected, unread) in cases {
        let (seen, outcome) = walk(body.as_bytes());
        assert_eq!(seen, *expected, "{body}");
        assert_eq!(
            outcome.malformed.map(|malformed| malformed.violation),
            Some(Violation::Syntax),
            "{body}"
        );
        assert_eq!(
            outcome.unread.and_then(|at| body.get(at..)),
            Some(*unread),
            "{body}"
        );
    }
}

#[test]
fn graphql_documents_are_read_as_such() {
    let (seen, _) =
        walk(br#"{"query":"query { u(id: \"1' or 1=1\") { n } }","variables":{"id":"x"}}"#);
    assert_eq!(
        seen,
        [
            "jsonKey = query",
            "graphql:id = 1\\' or 1=1",
            "jsonKey = variables",
            "jsonKey:/variables = id",
            "json:/variables/id = x",
        ]
    );
    // A search endpoint's query is no document, whatever it begins like.
    let (seen, _) = walk(br#"{"query":"{ ' or 1=1 --"}"#);
    assert_eq!(seen, ["jsonKey = query", "json:/query = { \\' or 1=1 --"]);
}

use super::*;

fn seen(kind: Kind, name: &str, value: &str) -> Option<Vec<String>> {
    let mut list = Vec::new();
    let whole = unfold(
        Place::new(kind, name.as_bytes()),
        value.as_bytes(),
        &mut |place, text| list.push(format!("{place} = {}", String::from_utf8_lossy(text))),
    );
    assert!(whole || list.is_empty(), "{value}: {list:?}");
    whole.then_some(list)
}

#[test]
fn strings_of_a_document_stand_alone() {
    for (kind, name, value, expected) in [
        (
            Kind::Query,
            "where",
            "%7B%22a%22%3A%5B1%2C%22it's+ok%22%5D%7D",
            &["jsonKey:/where = a", "json:/where/a/1 = it's ok"][..],
        ),
        (Kind::Form, "f", " [\"x\", null, true]", &["json:/f/0 = x"]),
        (Kind::Json, "/a", "[\"x\"]", &["json:/a/0 = x"]),
        (
            Kind::Cookie,
            "c",
            "j%3A%7B%22a%22%3A%22x%22%7D",
            &["jsonKey:/c = a", "cookie:c = x"],
        ),
        (
            Kind::Query,
            "query",
            "query+Q($where:+B)+{+a(x:+%22it's%22)+}",
            &["graphql:x = it's"],
        ),
        (Kind::Query, "query", "%7B+a+%7D", &[]),
        (
            Kind::Form,
            "f",
            "eyJhIjoiaXQncyBtZSIsImIiOjF9",
            &["jsonKey:/f = a", "json:/f/a = it's me", "jsonKey:/f = b"],
        ),
        (Kind::Form, "f", "{}", &[]),
    ] {
        assert_eq!(
            seen(kind, name, value).as_deref(),
            Some(
                expected
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .as_slice()
            ),
            "{value}"
        );
    }
}

#[test]
fn what_is_no_faultless_document_is_left_alone() {
    for (kind, name, value) in [
        (Kind::Query, "q", "it's"),
        (Kind::Query, "q", "[news] 'a' and {b}"),
        (Kind::Form, "f", "{'a':1}"),
        (Kind::Form, "f", "{\"a\":1} or 1=1"),
        (Kind::Form, "f", "{\"a\":1"),
        (Kind::Form, "f", "{{7*7}}"),
        (Kind::Form, "f", "[1--1]"),
        (Kind::Query, "q", "{ a(x: \"it's\") }"),
        (Kind::Query, "query", "query Q { a } -- b"),
        (Kind::Header, "x", "{\"a\":\"b\"}"),
        // An image with a handler, well-formed: markup is read as text.
        (Kind::Form, "f", "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj48L3N2Zz4="),
        (
            Kind::Form,
            "f",
            "eyJhIjoiaXQncyBtZSIsImIiOjF9.eyJhIjoiYiJ9.x",
        ),
    ] {
        assert_eq!(seen(kind, name, value), None, "{value}");
    }
}

#[test]
fn a_saml_message_is_read_as_xml() {
    // <samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><a>O'Neil</a></samlp:Response>
    let message = "PHNhbWxwOlJlc3BvbnNlIHhtbG5zOnNhbWxwPSJ1cm46b2FzaXM6bmFtZXM6dGM6U0FNTDoyLjA6cHJvdG9jb2wiPjxhPk8nTmVpbDwvYT48L3NhbWxwOlJlc3BvbnNlPg==";
    let list = seen(Kind::Form, "SAMLResponse", message).unwrap();
    assert!(list.contains(&"xml:a = O'Neil".to_string()), "{list:?}");
    assert!(
        list.iter()
            .any(|visit| visit.starts_with("xmlDocument = <samlp")),
        "{list:?}"
    );
}

#[test]
fn levels_are_bounded() {
    let mut value = "\"deep\"".to_string();
    for _ in 0..5 {
        value = serde_json::to_string(&format!("[{value}]")).unwrap();
    }
    let value = format!("[{value}]");
    let list = seen(Kind::Form, "f", &value).unwrap();
    assert_eq!(list.len(), 1, "{list:?}");
    assert!(list[0].starts_with("json:/f/0/0/0 = [\""), "{list:?}");
}

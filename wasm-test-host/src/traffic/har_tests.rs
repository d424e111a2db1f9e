//! What comes out of a HAR.

use super::*;

fn items(har: &str) -> Vec<Item> {
    let mut all = Vec::new();
    let done = read(har.as_bytes(), &Arc::from("t.har"), &mut |item| {
        all.push(item);
        ControlFlow::Continue(())
    });
    assert!(done.is_continue());
    all
}

fn entry(request: &str) -> String {
    format!(
        r#"{{"log":{{"version":"1.2","entries":[{{"startedDateTime":"x","request":{request},"response":{{"content":{{"text":"{}"}}}}}}]}}}}"#,
        "x".repeat(5000)
    )
}

fn one(request: &str) -> Case {
    match items(&entry(request)).pop() {
        Some(Item::Case(case)) => *case,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_of_a_browser_over_http2() {
    let case = one(
        r#"{"method":"POST","url":"https://t.example/a?b=%20#top","httpVersion":"h2",
        "headers":[{"name":":authority","value":"t.example"},{"name":":path","value":"/a?b=%20"},
        {"name":"Content-Length","value":"3"},{"name":"Cookie","value":"a=1"}],"cookies":[{"name":"a","value":"1"}],
        "postData":{"mimeType":"text/plain","text":"한"}}"#,
    );
    assert_eq!(case.id, "t.har#1");
    assert_eq!(case.scheme, b"https");
    assert_eq!(case.authority, b"t.example");
    assert_eq!(case.path, b"/a?b=%20");
    assert_eq!(case.headers, [(b"cookie".to_vec(), b"a=1".to_vec())]);
    assert_eq!(case.body.as_deref(), Some("한".as_bytes()));
}

#[test]
fn a_body_in_base64_is_bytes() {
    let case = one(r#"{"method":"POST","url":"http://t.example","headers":[],
        "postData":{"mimeType":"application/octet-stream","encoding":"base64","text":"H4v/AA=="}}"#);
    assert_eq!(
        (case.scheme.as_slice(), case.path.as_slice()),
        (&b"http"[..], &b"/"[..])
    );
    assert_eq!(case.body.as_deref(), Some(&b"\x1f\x8b\xff\0"[..]));
}

#[test]
fn cookies_without_a_header_become_one() {
    let case = one(r#"{"method":"GET","url":"http://t.example/","headers":[],
        "cookies":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}"#);
    assert_eq!(case.headers, [(b"cookie".to_vec(), b"a=1; b=2".to_vec())]);
}

#[test]
fn fields_without_text_become_a_body() {
    let form = one(
        r#"{"method":"POST","url":"http://t.example/","postData":{"mimeType":"application/x-www-form-urlencoded",
        "params":[{"name":"a b","value":"1&2"},{"name":"c","value":"한"}]}}"#,
    );
    assert_eq!(form.body.as_deref(), Some(&b"a+b=1%262&c=%ED%95%9C"[..]));
    let multipart = one(
        r#"{"method":"POST","url":"http://t.example/","postData":{"mimeType":"multipart/form-data; boundary=XX",
        "params":[{"name":"f","fileName":"a.txt","contentType":"text/plain","value":"hi"}]}}"#,
    );
    assert_eq!(
        multipart.body.as_deref(),
        Some(&b"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--XX--\r\n"[..])
    );
}

#[test]
fn a_broken_entry_does_not_hide_the_next() {
    let har = r#"{"log":{"entries":[
        {"request":{"method":"GET","url":"http://t.example/1"}},
        {"request":{"method":"GET"}},
        {"response":{}},
        {"request":{"method":"GET","url":"data:text/plain,x"}},
        {"request":{"method":"GET","url":"http://t.example/2"},"_id":"two","_label":"benign"},
        {"request":{"method":"GET","url":"http://t.example/3"},"_label":"odd"}
    ]}}"#;
    let told: Vec<String> = items(har)
        .into_iter()
        .map(|item| match item {
            Item::Case(case) => format!("{} {:?}", case.id, case.label),
            Item::Broken(broken) => broken.to_string(),
            Item::Skipped(skipped) => format!("skipped {skipped}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "t.har#1 None",
            "t.har:3: entry 2: request: missing field `url` (column 16)",
            "t.har:4: entry 3: no request",
            "skipped t.har:5: entry 4: a data: URL is no HTTP request",
            "two Some(Benign)",
            "t.har:7: entry 6: _label: `odd` is neither `attack` nor `benign`",
        ]
    );
}

#[test]
fn a_cut_file_keeps_what_came_before_and_says_so() {
    let har = "{\"log\":{\"entries\":[\n{\"request\":{\"method\":\"GET\",\"url\":\"http://t.example/1\"}},\n{\"requ";
    let all = items(har);
    assert!(matches!(&all[0], Item::Case(_)));
    match &all[1] {
        Item::Broken(broken) => assert_eq!(
            broken.to_string(),
            "t.har:3: not a HAR: EOF while parsing a string; the rest of the file is not read"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_object_is_no_har() {
    for (text, reason) in [
        ("{}", "t.har:1: not a HAR: no log.entries"),
        (
            "{\"log\":[]}",
            "t.har:1: not a HAR: invalid type: sequence, expected an object with `entries` (column 8)",
        ),
    ] {
        match items(text).as_slice() {
            [Item::Broken(broken)] => assert_eq!(broken.to_string(), reason),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn reading_stops_when_the_sink_has_enough() {
    let har = r#"{"log":{"entries":[{"request":null},{"request":null}]}}"#;
    let mut seen = 0;
    let done = read(har.as_bytes(), &Arc::from("t.har"), &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert!(done.is_break());
    assert_eq!(seen, 1);
}

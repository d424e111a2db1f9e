//! What reads a request's head.

use backstop_http::cookies::Cookies;
use backstop_http::media_type::{Parameters, content_codings};
use backstop_http::{
    CidrSet, ContentType, Exchange, Headers, HostPattern, NormalizedPath, PathPattern, Target,
    client_address,
};
use backstop_policy::logged;

use crate::cost;

/// Everything that reads the head of a request, over the same bytes: they are told apart by nothing, and each is total.
pub fn http(data: &[u8]) {
    header_list(data);
    target(data);
    fields(data);
    if let Ok(text) = std::str::from_utf8(data) {
        patterns(text);
    }
    cost::check(data, |long| {
        target(long);
        fields(long);
    });
}

/// A list as Envoy serialises it; what is one is read again as the same.
fn header_list(data: &[u8]) {
    let Ok(headers) = Headers::parse(data.to_vec()) else {
        return;
    };
    let again = Headers::from_pairs(headers.iter());
    assert!(again.iter().eq(headers.iter()));
    assert_eq!(headers.len(), again.len());
    Exchange::of(&headers);
    ContentType::of(&headers);
    headers.content_length();
    content_codings(&headers).count();
}

fn target(data: &[u8]) {
    let target = Target::parse(data);
    // No byte of a query is lost or given twice.
    let seen: usize = target
        .params()
        .map(|param| param.name.len() + param.value.map_or(0, |value| value.len() + 1))
        .sum();
    let query = target.query.unwrap_or_default();
    assert_eq!(seen, query.iter().filter(|byte| **byte != b'&').count());

    let path = NormalizedPath::new(data);
    let bytes = path.as_bytes();
    assert_eq!(bytes.first(), Some(&b'/'));
    assert!(bytes.len() <= data.len() + 1);
    assert!(bytes == b"/" || bytes.last() != Some(&b'/'));
    assert!(!bytes.contains(&b'\\') && !bytes.contains(&b';'));
    assert!(
        path.segments()
            .all(|segment| !matches!(segment, b"" | b"." | b".."))
    );
    if !path.is_ambiguous() {
        assert_eq!(NormalizedPath::new(bytes).as_bytes(), bytes);
    }
    assert_eq!(NormalizedPath::new(target.path).as_bytes(), bytes);
    let masked = logged::masked_path(data);
    assert!(masked.len() <= 512);
}

fn fields(data: &[u8]) {
    let cookies: usize = Cookies::new(data)
        .map(|cookie| cookie.name.len() + cookie.value.len())
        .sum();
    assert!(cookies <= 2 * data.len());
    if let Some(media_type) = ContentType::parse(data).media_type() {
        media_type.charset();
        media_type.boundary();
    }
    assert!(Parameters::new(data).count() <= data.len() + 1);
    client_address(data);
    logged::is_secret_name(data);
    let mut text = String::new();
    backstop_policy::json_text::push_string(&mut text, data);
    serde_json::from_str::<String>(&text).expect("a JSON string");
}

/// The first line is a pattern, the second what it is matched with.
fn patterns(text: &str) {
    let (pattern, path) = text.split_once('\n').unwrap_or((text, "/a/b/c"));
    let path = NormalizedPath::new(path.as_bytes());
    for pattern in [
        PathPattern::exact(pattern),
        PathPattern::prefix(pattern),
        PathPattern::template(pattern),
    ] {
        match pattern {
            Ok(pattern) => {
                let exempts = pattern.exempts(&path);
                assert!(!exempts || pattern.covers(&path) && !path.is_ambiguous());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    if let Ok(host) = HostPattern::parse(pattern) {
        host.matches(path.as_bytes());
        assert!(host.matches(pattern.trim_start_matches("*.").as_bytes()) || pattern.contains('*'));
    }
    if let Ok(set) = CidrSet::parse(pattern.split(',')) {
        for network in pattern.split(',') {
            let address = network.split('/').next().unwrap_or_default();
            assert!(
                set.contains(address.parse().expect("an address")),
                "{address}"
            );
        }
    }
}

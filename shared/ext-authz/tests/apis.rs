//! Which requests are critical, however they are spelled (flaws L1, L12, L13).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::time::Duration;

use backstop_ext_authz::Config;
use backstop_ext_authz::api::Apis;
use backstop_http::{Headers, NormalizedPath};
use proptest::prelude::*;

/// The critical APIs of the legacy layer.
const LEGACY: &str = r#"{
    "apis": [
        {"eventType": "QUEUE_ENTER", "methods": ["POST"], "path": {"template": "/queue/matches/{n}/enter"}},
        {"eventType": "RECOMMENDATION_BLOCKS", "methods": ["GET"],
         "path": {"template": "/seat/matches/{n}/recommendations/blocks"}},
        {"eventType": "ASSIGN_HOLD", "methods": ["POST"],
         "path": {"template": "/seat/matches/{n}/recommendations/blocks/{b}/assign"}},
        {"eventType": "SEAT_ENTRY", "methods": ["GET"], "path": {"template": "/seat/matches/{n:int}/seat-groups"}},
        {"eventType": "SECTION_BLOCKS", "methods": ["GET"],
         "path": {"template": "/seat/matches/{n}/sections/{s}/blocks"}},
        {"eventType": "SEAT_HOLDS", "methods": ["POST"], "path": {"template": "/seat/matches/{n}/seat-holds"},
         "onAmbiguousPath": "reject"}
    ],
    "exclude": [{"path": {"prefix": "/seat/matches/0"}}]
}"#;

fn apis(json: &str) -> Apis {
    let config = Config::from_json(json.as_bytes()).unwrap();
    Apis::compile(&config, Duration::from_millis(800)).unwrap_or_else(|error| panic!("{error}"))
}

fn find(apis: &Apis, method: &str, path: &[u8]) -> Option<(String, bool)> {
    let headers = Headers::from_pairs([
        (":method", method.as_bytes()),
        (":path", path),
        (":authority", b"shop.example.com"),
    ]);
    let path = NormalizedPath::new(headers.path());
    apis.find(&headers, &path)
        .map(|matched| (matched.api.event_type.clone(), matched.ambiguous))
}

#[test]
fn each_legacy_api_is_found_and_nothing_else() {
    let apis = apis(LEGACY);
    for (method, path, expected) in [
        ("POST", "/queue/matches/1/enter", Some("QUEUE_ENTER")),
        (
            "POST",
            "/queue/matches/1/enter?x=/health",
            Some("QUEUE_ENTER"),
        ),
        ("GET", "/queue/matches/1/enter", None),
        (
            "GET",
            "/seat/matches/7/recommendations/blocks",
            Some("RECOMMENDATION_BLOCKS"),
        ),
        (
            "POST",
            "/seat/matches/7/recommendations/blocks/3/assign",
            Some("ASSIGN_HOLD"),
        ),
        ("GET", "/seat/matches/7/seat-groups", Some("SEAT_ENTRY")),
        ("GET", "/seat/matches/x7/seat-groups", None),
        (
            "GET",
            "/seat/matches/7/sections/2/blocks",
            Some("SECTION_BLOCKS"),
        ),
        ("POST", "/seat/matches/7/seat-holds", Some("SEAT_HOLDS")),
        ("POST", "/seat/matches/7/seat-holds/x", None),
        ("POST", "/x?y=/queue/matches/1/enter", None),
        ("POST", "/queue/matches/enter", None),
        // Excluded, but only by its plain spelling.
        ("POST", "/seat/matches/0/seat-holds", None),
        (
            "POST",
            "/seat/matches/0/../7/seat-holds",
            Some("SEAT_HOLDS"),
        ),
        ("POST", "/seat/matches/0//seat-holds", Some("SEAT_HOLDS")),
    ] {
        let found = find(&apis, method, path.as_bytes()).map(|(event_type, _)| event_type);
        assert_eq!(found.as_deref(), expected, "{method} {path}");
    }
}

#[test]
fn l12_every_spelling_is_the_same_api() {
    let apis = apis(LEGACY);
    for path in [
        "//queue//matches/1/enter",
        "/queue/matches/1/enter/",
        "/queue/matches/1/enter;a=b",
        "/queue;x/matches/1;y=2/enter",
        "/%71ueue/matches/1/%65nter",
        "/%2571ueue/matches/1/enter",
        "/./queue/./matches/1/enter",
        "/x/../queue/matches/1/enter",
        "/x/%2e%2e/queue/matches/1/enter",
        "/x/..;/queue/matches/1/enter",
        "/queue%2fmatches%2f1%2fenter",
        "\\queue\\matches\\1\\enter",
        "/queue/matches/1/enter#x",
        // A server that takes an encoded slash for no separator reads one segment here.
        "/queue/matches/a%2fb/enter",
        "/queue/matches/a%5Cb/enter",
        "/queue/matches/a%252Fb/enter",
        "/queue/matches/a\\b/enter",
        "/queue/matches/..%2f1/enter",
        "/queue/matches/%EF%BC%91/enter",
    ] {
        let found = find(&apis, "POST", path.as_bytes());
        assert_eq!(found, Some(("QUEUE_ENTER".to_owned(), false)), "{path}");
    }
    // Where the configuration refuses ambiguous paths, a trailing slash and an encoded letter are still none.
    for (path, ambiguous) in [
        ("/seat/matches/7/seat-holds", false),
        ("/seat/matches/7/seat-holds/", false),
        ("/%73eat/matches/7/seat-holds", false),
        ("/seat//matches/7/seat-holds", true),
        ("/seat/matches/7/seat-holds;a", true),
        ("/seat/matches/7%2f/seat-holds", true),
    ] {
        let found = find(&apis, "POST", path.as_bytes());
        assert_eq!(found, Some(("SEAT_HOLDS".to_owned(), ambiguous)), "{path}");
    }
}

#[test]
fn capitals_count_unless_configured_otherwise() {
    let strict = apis(LEGACY);
    let loose = apis(&LEGACY.replacen('{', r#"{"caseInsensitivePaths": true,"#, 1));
    for path in [
        "/Queue/Matches/1/ENTER",
        "/%51ueue/matches/1/enter",
        "/QUEUE/a%2Fb/../matches/1/enter",
    ] {
        assert_eq!(find(&strict, "POST", path.as_bytes()), None, "{path}");
    }
    for path in [
        "/Queue/Matches/1/ENTER",
        "/%51ueue/matches/1/enter",
        "/queue/matches/A%2FB/Enter",
        "/queue/matches/1/enter",
    ] {
        assert!(find(&loose, "POST", path.as_bytes()).is_some(), "{path}");
    }
    assert_eq!(find(&loose, "POST", b"/Seat/Matches/0/seat-holds"), None);
}

#[test]
fn hosts_and_prefixes() {
    let apis = apis(
        r#"{"apis": [
            {"eventType": "A", "hosts": ["*.example.com"], "path": {"prefix": "/api"}},
            {"eventType": "B", "path": {"exact": "/api/x"}}
        ]}"#,
    );
    assert_eq!(find(&apis, "PUT", b"/api/x").unwrap().0, "A");
    let headers = Headers::from_pairs([
        (":method", "PUT"),
        (":path", "/api/x"),
        (":authority", "other.org"),
    ]);
    let path = NormalizedPath::new(headers.path());
    assert_eq!(apis.find(&headers, &path).unwrap().api.event_type, "B");
}

proptest! {
    /// Any mixture of harmless respellings reaches the same API.
    #[test]
    fn respelled_paths_are_found(
        id in "[a-z0-9]{1,8}",
        slashes in prop::collection::vec(1_usize..3, 4),
        encode in prop::collection::vec(0_u8..3, 40),
        tail in prop::sample::select(vec!["", "/", ";a=b", "?q=1", "/.", "//", "/x/.."]),
    ) {
        let apis = apis(LEGACY);
        let mut path = String::new();
        let mut choice = encode.into_iter().cycle();
        for (segment, slashes) in ["queue", "matches", &id, "enter"].into_iter().zip(slashes) {
            path.push_str(&"/".repeat(slashes));
            for byte in segment.bytes() {
                match choice.next() {
                    Some(1) => path.push_str(&format!("%{byte:02x}")),
                    Some(2) => path.push_str(&format!("%25{byte:02X}")),
                    _ => path.push(char::from(byte)),
                }
            }
        }
        path.push_str(tail);
        let found = find(&apis, "POST", path.as_bytes()).map(|(event_type, _)| event_type);
        prop_assert_eq!(found.as_deref(), Some("QUEUE_ENTER"), "{}", path);
    }

    /// Any bytes at all are answered.
    #[test]
    fn any_path_is_answered(path in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = find(&apis(LEGACY), "POST", &path);
    }
}

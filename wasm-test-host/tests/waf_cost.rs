//! What honest requests cost in the WAF as it is deployed, in fuel: the same on every machine. The bounds are what was
//! measured and some 15 % of room; who goes beyond has made every request of a site dearer, and says why.

use std::path::Path;
use std::sync::OnceLock;

use backstop_host::{Gateway, Module, Plugin, Request};

/// A browser's navigation, 794 bytes on the wire.
const BROWSER: &[(&str, &str)] = &[
    (
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ),
    ("accept-language", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"),
    ("accept-encoding", "gzip, deflate, br"),
    (
        "referer",
        "https://tickets.example/matches?league=kbo&month=2026-09",
    ),
    (
        "cookie",
        "session=7f1f6d3c2b9a4e55a0a1; _ga=GA1.1.1466225387.1763000000; seat_zone=1B; lang=ko; consent=2026-03-01.functional.statistics.marketing; theme=dark",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-request-id", "5f0c7c0e-2f0e-4c4e-9a53-2f6f5d1c1a11"),
];

fn get(path: &str, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(
        Request::get(path).host("tickets.example"),
        |request, (name, value)| request.header(name, *value),
    )
}

/// Fuel of all callbacks of an honest request, once metrics are defined and buffers have grown.
fn fuel(request: &Request) -> u64 {
    static MODULE: OnceLock<Module> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/waf.wasm");
        Module::from_file(&path).unwrap_or_else(|error| panic!("{error}; run `make build`"))
    });
    let mut gateway = Gateway::builder()
        .plugin(Plugin::new(module).name("waf"))
        .start()
        .unwrap();
    for _ in 0..2 {
        assert!(gateway.send(request).passed());
    }
    let outcome = gateway.send(request);
    assert!(outcome.passed());
    let callbacks: Vec<_> = outcome.costs.iter().map(|cost| cost.callback).collect();
    // No response callback, no log, no done: each would cost a call into the VM.
    assert_eq!(
        callbacks,
        ["on_context_create", "on_request_headers", "on_delete"]
    );
    outcome.fuel()
}

#[test]
fn a_browsers_get() {
    let path = "/seat/matches/4821/seat-groups?zone=1B&sort=price&page=2";
    let fuel = fuel(&get(path, BROWSER));
    assert!(fuel < 45_900, "{fuel}");
}

#[test]
fn a_request_with_nothing_in_it() {
    let fuel = fuel(&get("/", &[]));
    assert!(fuel < 5_550, "{fuel}");
}

/// Plain bytes cost the prefilter's look-up, and little beside: fuel per byte, from two lengths of the same value.
#[test]
fn plain_bytes() {
    let per_byte = |request: &dyn Fn(&str) -> Request, text: &str| {
        let [short, long] = [10, 30].map(|times| (times * text.len(), text.repeat(times)));
        let [less, more] = [&short, &long].map(|(_, value)| fuel(&request(value)));
        (more - less) as f64 / (long.0 - short.0) as f64
    };
    let header = |name: &'static str| move |value: &str| get("/", &[(name, value)]);
    let cookie = |value: &str| get("/", &[("cookie", &format!("a={value}"))]);
    let query = |value: &str| get(&format!("/?a={value}"), &[]);
    let path = |value: &str| get(&format!("/{value}"), &[]);
    for (name, cost, bound) in [
        (
            "a header of known grammar",
            per_byte(&header("accept"), "text/html,image/*;q=0.8, "),
            11.3,
        ),
        (
            "a header of any kind",
            per_byte(&header("x-trace"), "seat.7f3kQ9zXw2LmNb8v,"),
            37.0,
        ),
        (
            "a user agent",
            per_byte(&header("user-agent"), "Gecko/20100101 (X11; rv:143.0) "),
            65.0,
        ),
        (
            "a cookie",
            per_byte(&cookie, "seat.7f3kQ9zXw2LmNb8v,"),
            41.5,
        ),
        (
            "a query value",
            per_byte(&query, "seat.7f3kQ9zXw2LmNb8v,"),
            61.0,
        ),
        ("a path", per_byte(&path, "seat-groups/4821/"), 57.0),
    ] {
        assert!(cost < bound, "{name}: {cost}");
    }
}

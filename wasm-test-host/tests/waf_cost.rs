//! What honest requests cost in the WAF as it is deployed, in fuel: the same on every machine. The bounds are what was
//! measured and some 15 % of room; who goes beyond has made every request of a site dearer, and says why.

mod browser;
mod deployed;

use backstop_host::{Gateway, Request};

use browser::{BROWSER, PATH, get};

/// Fuel of all callbacks of an honest request, once metrics are defined and buffers have grown.
fn fuel(request: &Request) -> u64 {
    let mut gateway = Gateway::builder()
        .plugin(deployed::plugin("waf", ""))
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
    let fuel = fuel(&get(PATH, BROWSER));
    assert!(fuel < 41_000, "{fuel}");
}

#[test]
fn a_request_with_nothing_in_it() {
    let fuel = fuel(&get("/", &[]));
    assert!(fuel < 7_600, "{fuel}");
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
            8.4,
        ),
        (
            "a header of any kind",
            per_byte(&header("x-trace"), "seat.7f3kQ9zXw2LmNb8v,"),
            25.6,
        ),
        (
            "a user agent",
            per_byte(&header("user-agent"), "Gecko/20100101 (X11; rv:143.0) "),
            45.2,
        ),
        (
            "a cookie",
            per_byte(&cookie, "seat.7f3kQ9zXw2LmNb8v,"),
            30.0,
        ),
        (
            "a query value",
            per_byte(&query, "seat.7f3kQ9zXw2LmNb8v,"),
            34.1,
        ),
        ("a path", per_byte(&path, "seat-groups/4821/"), 42.8),
    ] {
        assert!(cost < bound, "{name}: {cost}");
    }
}

//! An honest request: a browser's navigation in a ticket shop.

use backstop_host::Request;

/// Its path.
pub const PATH: &str = "/seat/matches/4821/seat-groups?zone=1B&sort=price&page=2";

/// A browser's navigation, 794 bytes on the wire.
pub const BROWSER: &[(&str, &str)] = &[
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

/// A GET with these headers.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(
        Request::get(path).host("tickets.example"),
        |request, (name, value)| request.header(name, *value),
    )
}

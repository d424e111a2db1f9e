//! Which values of a request are inspected, and what each is called.

use backstop_http::{Headers, Kind, Place, Target, cookies};

/// Visits everything that the headers phase inspects, as it came on the wire: path, query, header fields, cookies.
pub fn of_headers(headers: &Headers, visit: &mut dyn FnMut(Place<'_>, &[u8])) {
    let target = Target::parse(headers.path());
    visit(Place::new(Kind::Path, b""), target.path);
    if let Some(fragment) = target.fragment {
        visit(Place::new(Kind::Query, b"#"), fragment);
    }
    for param in target.params() {
        visit(Place::new(Kind::QueryName, param.name), param.name);
        if let Some(value) = param.value {
            visit(Place::new(Kind::Query, param.name), value);
        }
    }
    visit(Place::new(Kind::Header, b"host"), headers.authority());
    for (name, value) in headers.regular() {
        if name != b"cookie" {
            visit(Place::new(Kind::Header, name), value);
        }
    }
    for cookie in cookies::cookies(headers) {
        visit(Place::new(Kind::CookieName, cookie.name), cookie.name);
        visit(Place::new(Kind::Cookie, cookie.name), cookie.value);
    }
}

//! Configurations.

use backstop_waf::{Config, Policy};

/// A policy, or one line that says where the configuration is wrong; what is accepted is accepted again as it is written.
pub fn config(data: &[u8]) {
    if let Err(error) = backstop_origin_verify::Policy::from_json(data) {
        one_line("origin", &error.to_string());
    }
    let policy = match Policy::from_json(data) {
        Ok(policy) => policy,
        Err(error) => return one_line("waf", &error.to_string()),
    };
    policy.scanner();
    let config = Config::from_json(data).expect("accepted a moment ago");
    let written = serde_json::to_vec(&config).expect("a configuration is JSON");
    let again = Config::from_json(&written).unwrap_or_else(|error| panic!("{error}"));
    let again = serde_json::to_vec(&again).expect("a configuration is JSON");
    assert_eq!(again, written);
}

/// `FILTER config: $.path: what is wrong`, or the line and column of what is not JSON.
fn one_line(filter: &str, line: &str) {
    assert!(!line.contains(char::is_control), "{line:?}");
    let place = line.split_once(" config: ");
    assert!(
        place.is_some_and(|(name, place)| {
            name.starts_with(filter) && (place.starts_with('$') || place.starts_with("line "))
        }),
        "{line}"
    );
}

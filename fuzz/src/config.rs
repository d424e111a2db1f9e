//! Configurations.

use backstop_waf::{Config, Policy};

/// A policy, or one line that says where the configuration is wrong; what is accepted is accepted again as it is written.
pub fn config(data: &[u8]) {
    match Policy::from_json(data) {
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains(|sign: char| sign.is_control()), "{line:?}");
            let place = line.strip_prefix("waf config: ");
            assert!(
                place.is_some_and(|place| place.starts_with("$") || place.starts_with("line ")),
                "{line}"
            );
        }
        Ok(policy) => {
            policy.scanner();
            let config = Config::from_json(data).expect("accepted a moment ago");
            let written = serde_json::to_vec(&config).expect("a configuration is JSON");
            let again = Config::from_json(&written);
            let again = again.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                serde_json::to_vec(&again).expect("a configuration is JSON"),
                written
            );
        }
    }
}

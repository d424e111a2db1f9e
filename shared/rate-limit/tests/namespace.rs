//! Whose the buckets are: two plugins, two configurations, two listeners.

#[cfg(test)]
mod support;

use support::{Data, Worker, limiter};

const LIMIT: &str = r#"{"limits":[{"name":"client","key":[{"clientAddress":{}}],
    "tokensPerFill":10,"fillInterval":"1h"}]"#;

fn passing(worker: &Worker, json: &str, plugin: &[u8]) -> u32 {
    worker.passing(&limiter(worker, json, plugin), 20, "/")
}

#[test]
fn two_listeners_of_one_plugin_do_not_share_buckets() {
    let worker = Worker::new();
    let json = format!("{LIMIT}}}");
    // One root context serves both: the configuration is the same.
    let shared = limiter(&worker, &json, b"plugin");
    assert_eq!(worker.passing(&shared, 20, "/"), 10);
    worker.port.set(8443);
    assert_eq!(worker.passing(&shared, 20, "/"), 10);
    worker.port.set(8080);
    assert_eq!(worker.passing(&shared, 20, "/"), 0);
    // After a reconfiguration, and on another worker.
    let other = Worker::on(&worker.data);
    for port in [8443, 8080] {
        other.port.set(port);
        assert_eq!(passing(&other, &json, b"plugin"), 0, "{port}");
    }
}

#[test]
fn a_namespace_is_shared_by_the_ports_and_plugins_that_name_it() {
    let worker = Worker::new();
    let shop = format!(r#"{LIMIT},"namespace":"shop"}}"#);
    assert_eq!(passing(&worker, &shop, b"one"), 10);
    worker.port.set(8443);
    assert_eq!(passing(&worker, &shop, b"one"), 0);
    assert_eq!(passing(&worker, &shop, b"two"), 0);
    let other = format!(r#"{LIMIT},"namespace":"other"}}"#);
    assert_eq!(passing(&worker, &other, b"one"), 10);
    // Neither is a namespace the plugin of that name.
    assert_eq!(passing(&worker, &format!("{LIMIT}}}"), b"shop"), 10);
}

#[test]
fn two_plugins_and_two_limits_do_not_share_buckets() {
    let worker = Worker::new();
    let json = format!("{LIMIT}}}");
    for (json, plugin) in [
        (json.clone(), &b"one"[..]),
        (json.clone(), b"two"),
        (json.replace(":10,", ":9,"), b"one"),
    ] {
        assert!(passing(&worker, &json, plugin) >= 9, "{json}");
        assert_eq!(passing(&worker, &json, plugin), 0, "{json}");
    }
}

#[test]
fn tables_of_each_listener_are_found_again_when_they_are_no_longer_used() {
    let data = Data::default();
    let worker = Worker::on(&data);
    let before = limiter(&worker, &format!("{LIMIT}}}"), b"plugin");
    for port in [1, 2, 3] {
        worker.port.set(port);
        worker.passing(&before, 5, "/");
    }
    let (_, full) = data.size();
    let after = limiter(
        &worker,
        &format!("{LIMIT}}}").replace("client\"", "other\""),
        b"plugin",
    );
    worker.passing(&after, 1, "/");
    // Too early: the buckets are not full yet.
    assert_eq!(after.reclaim(&worker, worker.clock.get()), Ok(3));
    worker.wait(3_600 * support::SECOND);
    assert_eq!(after.reclaim(&worker, worker.clock.get()), Ok(0));
    assert!(data.size().1 < full);
}

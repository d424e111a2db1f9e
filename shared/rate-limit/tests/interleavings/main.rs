//! Every order in which the calls of several VMs to shared data can come, each tried: no token is lost, none given twice.
//!
//! The real code runs, on a thread for each VM; a scheduler lets one call through at a time and goes through all orders.

#[cfg(test)]
mod schedule;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

use schedule::every_order;

/// One limit of `tokens`, and one for the first request of each VM.
fn one(tokens: u32) -> String {
    format!(
        r#"{{"limits":[
            {{"name":"start","match":{{"path":{{"prefix":"/start"}}}},"tokensPerFill":9,"fillInterval":"1h"}},
            {{"name":"a","match":{{"path":{{"prefix":"/all"}}}},"tokensPerFill":{tokens},"fillInterval":"8000h"}}]}}"#
    )
}

#[test]
fn three_vms_take_two_tokens() {
    let orders = every_order(
        &one(3),
        &["/all"],
        &[&["/all"], &["/all"], &["/all"]],
        |passed, left| {
            assert_eq!(passed.len(), 2);
            assert_eq!(left, [0]);
        },
    );
    assert!(orders > 90, "{orders}");
}

#[test]
fn what_three_vms_take_is_gone_and_no_more() {
    let orders = every_order(
        &one(9),
        &["/all"],
        &[&["/all"], &["/all"], &["/all"]],
        |passed, left| {
            assert_eq!(passed.len(), 3);
            // One before, three, and the one that looks.
            assert_eq!(left, [9 - 5]);
        },
    );
    assert!(orders > 90, "{orders}");
}

#[test]
fn two_vms_make_the_table_and_ask_twice_each() {
    let orders = every_order(
        &one(3),
        &[],
        &[&["/all", "/all"], &["/all", "/all"]],
        |passed, left| {
            assert_eq!(passed.len(), 3);
            assert_eq!(left, [0]);
        },
    );
    assert!(orders > 100, "{orders}");
}

#[test]
fn what_one_limit_gives_back_because_another_refuses_is_there_again() {
    let config = r#"{"limits":[
        {"name":"start","match":{"path":{"prefix":"/start"}},"tokensPerFill":9,"fillInterval":"1h"},
        {"name":"a","match":{"path":{"prefix":"/all"}},"tokensPerFill":9,"fillInterval":"8000h"},
        {"name":"b","match":{"path":{"prefix":"/all/few"}},"tokensPerFill":1,"fillInterval":"8000h"}]}"#;
    let orders = every_order(
        config,
        &["/all"],
        &[&["/all/few"], &["/all/few"]],
        |passed, left| {
            // One of them gets the only token of `b`; the other leaves `a` as it was.
            assert_eq!(passed, ["/all/few"]);
            assert_eq!(left, [9 - 3]);
        },
    );
    assert!(orders > 20, "{orders}");
}

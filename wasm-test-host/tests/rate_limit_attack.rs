//! A flood of addresses against the deployed rate limit, by the virtual clock: memory, the limited, and the quiet.
//!
//! `cargo test --release -p backstop-host --test rate_limit_attack -- --ignored --nocapture` does it with two million.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use backstop_host::{Gateway, Module, Plugin, Request};

/// Tokens a second and burst of every client.
const RATE: u32 = 1;
const BURST: u32 = 10;
/// Clients that ask every four seconds each: a quarter of their limit.
const QUIET: u32 = 500;
const QUIET_PER_SECOND: u32 = QUIET / 4;

/// What came of a flood.
#[derive(Debug)]
struct Report {
    /// Bytes in shared data, after a tenth of the flood and at its end.
    bytes: [usize; 2],
    /// Requests of the one client that never stops, and those of them that passed.
    greedy: (u32, u32),
    /// What it may have: its burst, and its rate over the time.
    allowed: u32,
    /// Requests of quiet clients, and those of them that were refused.
    quiet: (u32, u32),
    /// Requests of the flood that passed.
    flood: u32,
}

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/rate-limit.wasm");
        Module::from_file(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; build it with `make build`", path.display())
        })
    })
}

/// `addresses` new ones, `per_second` of them, each with one request.
fn attack(addresses: u32, per_second: u32, slots: u32, on_full: &str) -> Report {
    let config = format!(
        r#"{{"limits":[{{"name":"client","key":[{{"clientAddress":{{}}}}],
             "tokensPerFill":{RATE},"fillInterval":"1s","maxTokens":{BURST}}}],
            "table":{{"slots":{slots},"onFull":"{on_full}"}},"logging":{{"enabled":false}}}}"#
    );
    let plugin = Plugin::new(module()).name("rate-limit").config(config);
    let mut gateway = Gateway::builder().plugin(plugin).start().unwrap();
    let clock = gateway.clock();
    let pause = Duration::from_secs(1) / per_second;
    let begun = clock.now_nanos();
    let between_quiet = per_second.div_ceil(QUIET_PER_SECOND);
    let passes = |gateway: &mut Gateway, address: u32| {
        let client = Ipv4Addr::from_bits(address).to_string();
        gateway.send(Request::get("/").client(client)).status == 200
    };
    let bytes = |gateway: &mut Gateway| {
        gateway
            .shared_data("")
            .values()
            .map(Vec::len)
            .sum::<usize>()
    };
    let (greedy_address, first_quiet) = (0xc633_6401, 0xcb00_7100);
    let mut report = Report {
        bytes: [0; 2],
        greedy: (0, 0),
        allowed: 0,
        quiet: (0, 0),
        flood: 0,
    };
    // It is over its limit before the flood begins.
    for _ in 0..BURST * 2 {
        report.greedy.0 += 1;
        report.greedy.1 += u32::from(passes(&mut gateway, greedy_address));
    }
    for number in 0..addresses {
        // Spread over the network: neighbours are no closer in the table than others.
        let address = 0x1000_0000 | (number.wrapping_mul(0x9e37_79b1) & 0x0fff_ffff);
        report.flood += u32::from(passes(&mut gateway, address));
        clock.advance(pause);
        if number % 100 == 0 {
            report.greedy.0 += 1;
            report.greedy.1 += u32::from(passes(&mut gateway, greedy_address));
        }
        if number % between_quiet == 0 {
            let client = first_quiet + number / between_quiet % QUIET;
            report.quiet.0 += 1;
            report.quiet.1 += u32::from(!passes(&mut gateway, client));
        }
        if number == addresses / 10 {
            report.bytes[0] = bytes(&mut gateway);
        }
    }
    report.bytes[1] = bytes(&mut gateway);
    let seconds = (clock.now_nanos() - begun) / 1_000_000_000;
    report.allowed = BURST + u32::try_from(seconds).unwrap() * RATE;
    assert!(gateway.failures().is_empty());
    report
}

/// What holds whatever becomes of those without a place.
fn check(report: &Report, slots: usize) {
    assert_eq!(report.bytes[0], report.bytes[1], "{report:?}");
    // The table, the secret and the list of tables.
    assert_eq!(report.bytes[1], slots * 24 + slots / 64 * 40 + 16 + 24);
    assert!(
        report.greedy.1 <= report.allowed + 1,
        "the one over its limit got more: {report:?}"
    );
}

#[test]
fn below_the_size_of_the_table_nobody_is_limited_falsely() {
    for on_full in ["shareBucket", "allow", "deny"] {
        // 400 buckets are in use at a time, 1,024 are there.
        let report = attack(20_000, 400, 1_024, on_full);
        check(&report, 1_024);
        assert_eq!((report.quiet.1, report.flood), (0, 20_000), "{report:?}");
    }
}

#[test]
fn beyond_it_the_configured_outcome_applies_to_those_who_come_new() {
    for on_full in ["shareBucket", "allow", "deny"] {
        // 4,000 would be in use at a time.
        let report = attack(20_000, 4_000, 1_024, on_full);
        check(&report, 1_024);
        let falsely = report.quiet.1;
        match on_full {
            "allow" => assert_eq!((falsely, report.flood), (0, 20_000), "{report:?}"),
            _ => assert!(falsely > 0 && report.flood < 20_000, "{report:?}"),
        }
    }
}

#[test]
#[ignore = "minutes"]
fn two_million_addresses() {
    println!(
        "| new addresses a second | onFull | bytes | greedy: allowed, passed | quiet: asked, refused | flood passed |"
    );
    println!("| ---: | --- | ---: | --- | --- | ---: |");
    for per_second in [40_000, 10_000] {
        for on_full in ["shareBucket", "allow", "deny"] {
            let report = attack(2_000_000, per_second, 16_384, on_full);
            check(&report, 16_384);
            println!(
                "| {per_second} | {on_full} | {} | {}, {} | {}, {} | {} |",
                report.bytes[1],
                report.allowed,
                report.greedy.1,
                report.quiet.0,
                report.quiet.1,
                report.flood
            );
        }
    }
}

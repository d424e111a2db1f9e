//! The same requests through our host and through Envoy: verdict, status, answer and what the upstream saw.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::case::{self, Expect, ListenerOptions, UpstreamView};
use backstop_e2e::probe::{Ending, Probe};
use backstop_e2e::{Envoy, Upstream, modules};
use backstop_host::traffic::{self, Input, Item, ReadProgress};
use backstop_host::{Gateway, Module, Plugin};
use serde_json::{Value, json};

/// A filter's module, compiled once.
fn module(filter: &str) -> Module {
    static MODULES: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
    let mut compiled = MODULES.lock().unwrap();
    compiled
        .entry(filter.to_owned())
        .or_insert_with(|| Module::from_file(modules::filter(filter)).unwrap())
        .clone()
}

struct Runners {
    envoy: Envoy,
    upstream: Upstream,
    gateway: Gateway,
}

impl Runners {
    fn start(filter: &str, config: &Value, options: ListenerOptions) -> Self {
        let path = modules::filter(filter);
        let upstream = Upstream::start().unwrap();
        let stop = options.allow_on_headers_stop_iteration;
        let limit = options.buffer_limit.unwrap_or(1 << 20);
        let wasm = WasmFilter {
            allow_on_headers_stop_iteration: stop,
            ..WasmFilter::new(&path, config)
        };
        let listener = Listener::new("in")
            .filter(wasm.resource())
            .buffer_limit(limit);
        let envoy =
            Envoy::start(&Bootstrap::new(upstream.address()).listener(listener), 1).unwrap();
        let plugin = Plugin::new(&module(filter))
            .name("backstop")
            .config(config.to_string())
            .allow_on_headers_stop_iteration(stop);
        let gateway = Gateway::builder()
            .plugin(plugin)
            .buffer_limit(limit as usize)
            .start()
            .unwrap();
        Self {
            envoy,
            upstream,
            gateway,
        }
    }

    fn run(&mut self, probe: &Probe) -> (Ending, Ending) {
        let mut client = self.envoy.connect("in").unwrap();
        let response = client
            .exchange(&probe.method, &probe.wire())
            .unwrap_or_else(|e| panic!("{}: {e}", probe.name));
        let passed = response.field("x-e2e-details").as_deref() == Some("via_upstream");
        let seen = if passed {
            Some(self.upstream.wait_ended(&probe.name))
        } else {
            self.upstream.seen(&probe.name)
        };
        let envoy = Probe::seen_by_envoy(&response, seen);
        let outcome = self.gateway.send(probe.request());
        assert!(
            outcome.failures.is_empty(),
            "{}: {:?}",
            probe.name,
            outcome.failures
        );
        (envoy, Probe::seen_by_host(&outcome))
    }
}

fn meets(name: &str, runner: &str, expect: &Expect, ending: &Ending) {
    assert_eq!(
        ending.status, expect.status,
        "{name} ({runner}): {ending:#?}"
    );
    if let Some(details) = &expect.details {
        assert_eq!(&ending.details, details, "{name} ({runner})");
    }
    let whole = ending.upstream.as_ref().is_some_and(|seen| seen.complete);
    let as_expected = match expect.upstream {
        UpstreamView::Whole => whole,
        UpstreamView::Nothing => ending.upstream.is_none(),
        UpstreamView::NotWhole => !whole,
    };
    assert!(
        as_expected,
        "{name} ({runner}): the upstream should have seen {:?}: {ending:#?}",
        expect.upstream
    );
    let fields = ending.upstream.iter().flat_map(|seen| &seen.fields);
    for (field, _) in fields {
        assert!(
            !expect.upstream_without.contains(field),
            "{name} ({runner}): the upstream saw {field}"
        );
    }
}

#[test]
fn case_files_end_alike_in_both_and_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (mut cases, mut explained) = (0, 0);
    for (_, file) in case::load(&folder).unwrap() {
        let mut runners = Runners::start(&file.filter, &file.config, file.listener);
        for case in &file.cases {
            let probe = Probe::from_spec(&case.name, &case.request).unwrap();
            let (envoy, host) = runners.run(&probe);
            meets(&case.name, "Envoy", &case.expect, &envoy);
            meets(&case.name, "host", &case.expect, &host);
            for (name, value) in &case.expect.response_headers {
                let grpc = envoy.answer.as_ref().map(|answer| answer.1.clone());
                assert!(
                    name == "grpc-status" && grpc.as_ref() == Some(value),
                    "{}: {envoy:#?}",
                    case.name
                );
            }
            cases += 1;
            if case.difference.is_some() {
                explained += 1;
                continue;
            }
            assert_eq!(
                envoy.without_partial_upstream(),
                host.without_partial_upstream(),
                "{}",
                case.name
            );
        }
    }
    println!(
        "parity: {cases} cases of the case files in both, {explained} explained differences, 0 others"
    );
}

#[test]
fn sample_traffic_ends_alike_in_both() {
    let samples = modules::root().join("samples");
    let inputs = ["visitor.jsonl", "attacks.jsonl", "visitor.har"]
        .map(|name| Input::File(samples.join(name)));
    for mode in ["block", "detect"] {
        let mut runners = Runners::start("waf", &json!({"mode": mode}), ListenerOptions::default());
        let (mut count, mut refused, mut differences) = (0, 0, Vec::new());
        let mut sink = |item: Item| {
            let Item::Case(case) = item else {
                panic!("a broken sample: {item:?}")
            };
            let mut probe = Probe::from_traffic(&case);
            // The HAR repeats requests of the session: the upstream must tell them apart.
            probe.name = format!("{mode}-{count}-{}", probe.name);
            let (envoy, host) = runners.run(&probe);
            count += 1;
            refused += usize::from(envoy.status == 403);
            let (envoy, host) = (
                envoy.without_partial_upstream(),
                host.without_partial_upstream(),
            );
            if envoy != host {
                differences.push(format!("{}\nEnvoy {envoy:#?}\nhost {host:#?}", probe.name));
            }
            ControlFlow::Continue(())
        };
        traffic::read(&inputs, &ReadProgress::default(), &mut sink).unwrap();
        assert!(
            differences.is_empty(),
            "{} differ:\n{}",
            differences.len(),
            differences[..differences.len().min(5)].join("\n")
        );
        assert!(
            if mode == "block" {
                refused > 50
            } else {
                refused == 0
            },
            "{mode}: {refused} of {count} refused"
        );
        println!(
            "parity: {count} sample requests in {mode} mode in both, {refused} refused, 0 differences"
        );
    }
}

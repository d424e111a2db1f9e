//! What walked around the legacy layer's rate limits (L1 to L6, L12), each tried in our host and in a real Envoy.
//!
//! Tokens come back once an hour or slower, so that no test depends on how fast it runs; where time is the point, the bound
//! is computed from the time that has passed.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::client::{Body, request_bytes};
use backstop_e2e::{Envoy, Upstream, modules};
use backstop_host::{Gateway, Module, Plugin, Request};
use serde_json::{Value, json};

const CLIENT: &str = "203.0.113.7";

/// The same filter in both.
struct Both {
    host: Gateway,
    envoy: Envoy,
    workers: u32,
    /// Kept while Envoy runs.
    _upstream: Upstream,
}

impl Both {
    fn start(config: &Value, workers: u32) -> Self {
        static MODULE: OnceLock<Module> = OnceLock::new();
        let path = modules::filter("rate-limit");
        let module = MODULE.get_or_init(|| Module::from_file(&path).unwrap());
        let plugin = Plugin::new(module)
            .name("backstop")
            .config(config.to_string());
        let host = Gateway::builder().plugin(plugin).workers(workers as usize);
        let upstream = Upstream::start().unwrap();
        let filter = WasmFilter::new(&path, config).resource();
        let listener = Listener::new("in").filter(filter).direct_response();
        let bootstrap = Bootstrap::new(upstream.address()).listener(listener);
        Self {
            host: host.start().unwrap(),
            envoy: Envoy::start(&bootstrap, workers).unwrap(),
            workers,
            _upstream: upstream,
        }
    }

    /// How many of requests for these paths pass, in the host and in Envoy; each from a client, with what it claims to have
    /// been forwarded for.
    fn passing(&mut self, requests: &[(&str, &str, Option<&str>)]) -> [usize; 2] {
        let mut passed = [0, 0];
        let mut connections: Vec<_> = (0..self.workers * 4)
            .map(|_| self.envoy.connect("in").unwrap())
            .collect();
        let next = connections.len();
        for (number, (path, client, claims)) in requests.iter().enumerate() {
            let mut request = Request::get(*path).client(*client);
            if let Some(claims) = claims {
                request = request.header("x-forwarded-for", *claims);
            }
            passed[0] += usize::from(self.host.send(request).status == 200);
            let forwarded = match claims {
                Some(claims) => format!("{claims}, {client}"),
                None => (*client).to_owned(),
            };
            let fields = [
                ("host".to_owned(), b"shop.example".to_vec()),
                ("x-forwarded-for".to_owned(), forwarded.into_bytes()),
            ];
            let bytes = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
            let response = connections[number % next].exchange("GET", &bytes).unwrap();
            passed[1] += usize::from(response.status == 200);
        }
        passed
    }

    fn passing_paths(&mut self, paths: &[&str]) -> [usize; 2] {
        let requests: Vec<_> = paths.iter().map(|path| (*path, CLIENT, None)).collect();
        self.passing(&requests)
    }
}

fn per_client(tokens: u32, more: Value) -> Value {
    let mut config = json!({
        "limits": [{"name": "client", "key": [{"clientAddress": {}}],
                    "tokensPerFill": tokens, "fillInterval": "8000h"}],
        "logging": {"enabled": false},
    });
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
        config.extend(more.clone());
    }
    config
}

#[test]
fn l1_an_exempt_path_in_the_query_or_in_part_exempts_nothing() {
    let config = per_client(3, json!({"exempt": [{"path": {"prefix": "/health"}}]}));
    let mut both = Both::start(&config, 1);
    let tricks = [
        "/pay?x=/health",
        "/pay/health",
        "/healthy",
        "/health/../pay",
        "/health/%2e%2e/pay",
        "/health;/../pay",
        "/pay#/health",
        "/health%2f..%2fpay",
    ];
    // Envoy itself refuses one that has a fragment.
    assert_eq!(both.passing_paths(&tricks), [3, 3]);
    // What is exempt is so, with the bucket empty.
    assert_eq!(both.passing_paths(&["/health", "/health/live?x=1"]), [2, 2]);
    // But not in a spelling that two servers may read differently.
    assert_eq!(both.passing_paths(&["//health", "/health;x"]), [0, 0]);
}

#[test]
fn l2_a_forged_x_forwarded_for_neither_frees_nor_shifts_the_blame() {
    let config = per_client(5, json!({"trustedClients": ["10.0.0.0/8"]}));
    let mut both = Both::start(&config, 1);
    let claims: Vec<String> = (0..20).map(|n| format!("198.51.100.{n}")).collect();
    let mut requests: Vec<_> = claims
        .iter()
        .map(|claim| ("/pay", CLIENT, Some(claim.as_str())))
        .collect();
    requests.extend([("/pay", CLIENT, Some("10.1.2.3")); 10]);
    assert_eq!(both.passing(&requests), [5, 5]);
    // Whom it named has lost nothing.
    assert_eq!(both.passing(&[("/pay", "198.51.100.3", None); 9]), [5, 5]);
}

#[test]
fn l3_the_query_gives_no_fresh_bucket() {
    let mut both = Both::start(&per_client(5, json!({})), 1);
    let paths: Vec<String> = (0..30).map(|n| format!("/pay/{}?n={n}", n % 7)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(both.passing_paths(&paths), [5, 5]);
}

#[test]
fn l4_workers_do_not_multiply_the_limit() {
    for workers in [1, 2, 4] {
        let mut both = Both::start(&per_client(40, json!({})), workers);
        assert_eq!(
            both.passing_paths(&["/pay"; 160]),
            [40, 40],
            "{workers} workers"
        );
    }
}

#[test]
fn l5_the_burst_counts_and_no_boundary_doubles_the_rate() {
    let config = json!({
        "limits": [{"name": "client", "key": [{"clientAddress": {}}],
                    "tokensPerFill": 20, "fillInterval": "1s", "maxTokens": 50}],
        "logging": {"enabled": false},
    });
    let begun = Instant::now();
    let mut both = Both::start(&config, 1);
    let burst = both.passing_paths(&["/pay"; 50]);
    assert_eq!(burst, [50, 50], "the burst");
    // The host's clock: half a second before a whole one, and half a second after.
    both.host.advance(Duration::from_millis(500));
    let mut passed = Vec::new();
    for _ in 0..4 {
        passed.push(
            (0..60)
                .filter(|_| both.host.send(Request::get("/pay").client(CLIENT)).status == 200)
                .count(),
        );
        both.host.advance(Duration::from_millis(1000));
    }
    assert_eq!(passed, [10, 20, 20, 20]);
    // Envoy's: as fast as it goes, for a few seconds' worth of tokens.
    let mut client = both.envoy.connect("in").unwrap();
    let fields = [
        ("host".to_owned(), b"shop.example".to_vec()),
        ("x-forwarded-for".to_owned(), CLIENT.as_bytes().to_vec()),
    ];
    let request = request_bytes("GET", b"/pay", &fields, &Body::None);
    let mut admitted = 50;
    while admitted < 90 {
        admitted += u32::from(client.exchange("GET", &request).unwrap().status == 200);
        let most = 50.0 + 20.0 * begun.elapsed().as_secs_f64();
        assert!(f64::from(admitted) <= most, "{admitted} of {most}");
    }
}

#[test]
fn l6_a_flood_of_clients_and_urls_takes_no_memory() {
    let config = per_client(2, json!({"table": {"slots": 1024}}));
    let mut both = Both::start(&config, 1);
    let victim = [("/pay", CLIENT, None); 4];
    assert_eq!(both.passing(&victim), [2, 2]);
    let mut sizes = Vec::new();
    for round in 0..4_u32 {
        let clients: Vec<String> = (0..2_000_u32)
            .map(|n| {
                let bits = 0x0b00_0000 + round * 2_000 + n;
                std::net::Ipv4Addr::from_bits(bits).to_string()
            })
            .collect();
        let paths: Vec<String> = (0..2_000)
            .map(|n| format!("/p/{round}/{n}?q={n}"))
            .collect();
        let flood: Vec<_> = paths
            .iter()
            .zip(&clients)
            .map(|(path, client)| (path.as_str(), client.as_str(), None))
            .collect();
        both.passing(&flood);
        assert_eq!(both.passing(&victim), [0, 0], "the limited stay limited");
        let data = both.host.shared_data("");
        let held: usize = data.values().map(Vec::len).sum();
        let heap: Value = serde_json::from_str(&both.envoy.admin("/memory").unwrap()).unwrap();
        let allocated: u64 = heap["allocated"].as_str().unwrap().parse().unwrap();
        sizes.push((held, allocated));
    }
    // Sixteen shards of 64 ways, the secret, the list of tables: to the byte.
    let held: Vec<usize> = sizes.iter().map(|(held, _)| *held).collect();
    assert_eq!(held, [16 * (40 + 64 * 24) + 16 + 24; 4]);
    // One entry per address and URL would be 6,000 of some 200 bytes since the first round.
    let grown = sizes[3].1.saturating_sub(sizes[0].1);
    assert!(grown < 600_000, "{sizes:?}");
}

#[test]
fn l12_every_spelling_of_a_path_counts_alike() {
    let config = json!({
        "limits": [{"name": "enter", "match": {"path": {"template": "/queue/matches/{id}/enter"}},
                    "key": [{"clientAddress": {}}, {"pathVariable": {"name": "id"}}],
                    "tokensPerFill": 3, "fillInterval": "8000h"}],
        "logging": {"enabled": false},
    });
    let mut both = Both::start(&config, 1);
    let spellings = [
        "/queue/matches/1/enter",
        "//queue//matches/1/enter",
        "/queue/matches/1/enter/",
        "/queue/matches/1/enter;a=b",
        "/%71ueue/matches/%31/enter",
        "/queue/./matches/0/../1/enter?x=y",
        "/queue/matches/1/%65nter",
    ];
    assert_eq!(both.passing_paths(&spellings), [3, 3]);
    assert_eq!(both.passing_paths(&["/queue/matches/2/enter"; 5]), [3, 3]);
}

#[test]
fn two_listeners_with_one_configuration_do_not_share_buckets_and_a_namespace_does() {
    let upstream = Upstream::start().unwrap();
    let path = modules::filter("rate-limit");
    for (more, expected) in [
        (json!({}), [3, 3, 0, 0]),
        (json!({"namespace": "shop"}), [3, 0, 0, 0]),
    ] {
        let filter = WasmFilter::new(&path, &per_client(3, more)).resource();
        let listener = |name| Listener::new(name).filter(filter.clone()).direct_response();
        let bootstrap = Bootstrap::new(upstream.address())
            .listener(listener("one"))
            .listener(listener("two"));
        let envoy = Envoy::start(&bootstrap, 2).unwrap();
        let passed = ["one", "two", "one", "two"].map(|name| {
            let fields = [
                ("host".to_owned(), b"shop.example".to_vec()),
                ("x-forwarded-for".to_owned(), CLIENT.as_bytes().to_vec()),
            ];
            let request = request_bytes("GET", b"/pay", &fields, &Body::None);
            let mut client = envoy.connect(name).unwrap();
            (0..6)
                .filter(|_| client.exchange("GET", &request).unwrap().status == 200)
                .count()
        });
        assert_eq!(passed, expected);
    }
}

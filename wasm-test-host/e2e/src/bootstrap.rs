//! Envoy's static configuration for a test: listeners with HTTP filters in front of the recording upstream.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

/// One listener with its own filter chain.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    http_filters: Vec<Value>,
    buffer_limit: u32,
    direct_response: bool,
    start_time: bool,
}

impl Listener {
    /// A listener without filters but the router.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            http_filters: Vec::new(),
            buffer_limit: 1 << 20,
            direct_response: false,
            start_time: false,
        }
    }

    /// Tells in each response when the request began by Envoy's clock, in microseconds: field `x-e2e-start`.
    #[must_use]
    pub fn start_time(mut self) -> Self {
        self.start_time = true;
        self
    }

    /// Appends an HTTP filter.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.http_filters.push(filter);
        self
    }

    /// Sets `per_connection_buffer_limit_bytes` (default 1 MiB, as Envoy's).
    #[must_use]
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = bytes;
        self
    }

    /// Answers 200 from the route itself, without the upstream: what is measured is the filter chain.
    #[must_use]
    pub fn direct_response(mut self) -> Self {
        self.direct_response = true;
        self
    }

    /// The listener resource, on a port that the kernel chooses.
    pub fn resource(&self) -> Value {
        let mut http_filters = self.http_filters.clone();
        http_filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": type_url("extensions.filters.http.router.v3.Router")},
        }));
        let field = |key: &str, value: &str| json!({"header": {"key": key, "value": value}});
        let mut verdict_fields = vec![
            field("x-e2e-details", "%RESPONSE_CODE_DETAILS%"),
            field("x-e2e-verdict", "%FILTER_STATE(wasm.waf_verdict:PLAIN)%"),
        ];
        if self.start_time {
            verdict_fields.push(field("x-e2e-start", "%START_TIME(%s%6f)%"));
        }
        let mut route = json!({"match": {"prefix": "/"}});
        if self.direct_response {
            route["direct_response"] = json!({"status": 200, "body": {"inline_string": "ok"}});
        } else {
            route["route"] = json!({"cluster": "upstream", "timeout": "30s"});
        }
        json!({
            "name": self.name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "per_connection_buffer_limit_bytes": self.buffer_limit,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": type_url("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
                    "stat_prefix": self.name,
                    "codec_type": "AUTO",
                    "http_protocol_options": {"enable_trailers": true},
                    "generate_request_id": false,
                    // As behind a load balancer: the address of the client is the last but one hop's word.
                    "use_remote_address": true,
                    "xff_num_trusted_hops": 1,
                    "upgrade_configs": [{"upgrade_type": "websocket"}],
                    "local_reply_config": {"mappers": [{
                        "filter": {"status_code_filter": {"comparison": {
                            "op": "GE", "value": {"default_value": 100, "runtime_key": "e2e.none"}}}},
                        "headers_to_add": verdict_fields,
                    }]},
                    "http_filters": http_filters,
                    "route_config": {"virtual_hosts": [{
                        "name": "all",
                        "domains": ["*"],
                        "routes": [route],
                        "response_headers_to_add": verdict_fields,
                    }]},
                },
            }]}],
        })
    }
}

/// A whole static configuration.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    upstream: SocketAddr,
    listeners: Vec<Listener>,
    /// gRPC services: cluster names and addresses.
    services: Vec<(String, SocketAddr)>,
    /// The same for services that speak HTTP/1.1.
    http_services: Vec<(String, SocketAddr)>,
}

impl Bootstrap {
    /// Everything goes to `upstream`.
    pub fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            listeners: Vec::new(),
            services: Vec::new(),
            http_services: Vec::new(),
        }
    }

    /// Adds a cluster that speaks gRPC.
    #[must_use]
    pub fn grpc_service(mut self, cluster: &str, address: SocketAddr) -> Self {
        self.services.push((cluster.to_owned(), address));
        self
    }

    /// Adds a cluster that speaks HTTP/1.1.
    #[must_use]
    pub fn http_service(mut self, cluster: &str, address: SocketAddr) -> Self {
        self.http_services.push((cluster.to_owned(), address));
        self
    }

    /// Adds a static listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// The configuration; with `lds`, listeners come from that file and can change while Envoy runs.
    pub fn to_json(&self, lds: Option<&Path>) -> Value {
        let http1 = json!({"http_protocol_options": {"enable_trailers": true}});
        let mut clusters = vec![cluster("upstream", self.upstream, &http1)];
        let http2 = json!({"http2_protocol_options": {}});
        let services = self.services.iter();
        clusters.extend(services.map(|(name, address)| cluster(name, *address, &http2)));
        let services = self.http_services.iter();
        clusters.extend(services.map(|(name, address)| cluster(name, *address, &http1)));
        let mut bootstrap = json!({
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {"clusters": clusters},
        });
        match lds {
            Some(path) => {
                bootstrap["node"] = json!({"id": "e2e", "cluster": "e2e"});
                bootstrap["dynamic_resources"] =
                    json!({"lds_config": {"path_config_source": {"path": path}}});
            }
            None => {
                let listeners: Vec<Value> = self.listeners.iter().map(Listener::resource).collect();
                bootstrap["static_resources"]["listeners"] = Value::Array(listeners);
            }
        }
        bootstrap
    }
}

fn cluster(name: &str, address: SocketAddr, protocol: &Value) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": type_url("extensions.upstreams.http.v3.HttpProtocolOptions"),
                "explicit_http_config": protocol,
            },
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{
            "endpoint": {"address": {"socket_address": {
                "address": address.ip().to_string(), "port_value": address.port()}}},
        }]}]},
    })
}

fn type_url(message: &str) -> String {
    format!("type.googleapis.com/envoy.{message}")
}

/// What Envoy does after the VM of a plugin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503 from then on.
    FailClosed,
    /// Requests pass unfiltered.
    FailOpen,
    /// A new VM, with a back-off.
    FailReload,
}

/// A Wasm HTTP filter as Istio configures it: V8, no `vm_id`.
#[derive(Clone, Debug)]
pub struct WasmFilter<'a> {
    /// The module's file.
    pub module: &'a Path,
    /// The plugin's configuration, as text.
    pub config: String,
    /// Envoy's `failure_policy`.
    pub failure_policy: FailurePolicy,
    /// Envoy's `allow_on_headers_stop_iteration`, which Istio does not set.
    pub allow_on_headers_stop_iteration: bool,
}

impl<'a> WasmFilter<'a> {
    /// A filter with Envoy's defaults.
    pub fn new(module: &'a Path, config: &Value) -> Self {
        Self {
            module,
            config: config.to_string(),
            failure_policy: FailurePolicy::FailClosed,
            allow_on_headers_stop_iteration: false,
        }
    }

    /// The HTTP filter resource.
    pub fn resource(&self) -> Value {
        let policy = match self.failure_policy {
            FailurePolicy::FailClosed => "FAIL_CLOSED",
            FailurePolicy::FailOpen => "FAIL_OPEN",
            FailurePolicy::FailReload => "FAIL_RELOAD",
        };
        // Envoy 1.37 gives plugins of one VM the first one's flag (envoy#46893): each variant has its own VM.
        let vm_id = if self.allow_on_headers_stop_iteration {
            "stop-iteration"
        } else {
            ""
        };
        json!({
            "name": "backstop",
            "typed_config": {
                "@type": type_url("extensions.filters.http.wasm.v3.Wasm"),
                "config": {
                    "name": "backstop",
                    "failure_policy": policy,
                    "allow_on_headers_stop_iteration": self.allow_on_headers_stop_iteration,
                    "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": self.config},
                    "vm_config": {
                        "vm_id": vm_id,
                        "runtime": "envoy.wasm.runtime.v8",
                        "code": {"local": {"filename": self.module}},
                    },
                },
            },
        })
    }
}

/// A filter whose configuration comes from the file at `path` and may change while Envoy runs (ECDS, as Istio's agent
/// delivers a WasmPlugin): [`write_discovered`] puts it there.
pub fn discovered_filter(name: &str, path: &Path) -> Value {
    json!({
        "name": name,
        "config_discovery": {
            "config_source": {"path_config_source": {"path": path}},
            "type_urls": [type_url("extensions.filters.http.wasm.v3.Wasm")],
        },
    })
}

/// Puts `filter` as the configuration of a [`discovered_filter`] of its name into the file at `path`, at once.
///
/// # Errors
/// When the file cannot be written.
pub fn write_discovered(path: &Path, filter: &Value, version: u32) -> std::io::Result<()> {
    let resource = json!({
        "@type": type_url("config.core.v3.TypedExtensionConfig"),
        "name": filter["name"],
        "typed_config": filter["typed_config"],
    });
    let fresh = path.with_extension("new");
    let text = json!({"version_info": version.to_string(), "resources": [resource]}).to_string();
    std::fs::write(&fresh, text)?;
    // Envoy watches for a file moved into place.
    std::fs::rename(&fresh, path)
}

/// Envoy's own buffer filter, which keeps the headers back until the content is complete.
pub fn buffer_filter(max_request_bytes: u32) -> Value {
    json!({
        "name": "envoy.filters.http.buffer",
        "typed_config": {"@type": type_url("extensions.filters.http.buffer.v3.Buffer"), "max_request_bytes": max_request_bytes},
    })
}

/// A Lua filter with `source` inline.
pub fn lua_filter(source: &str) -> Value {
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": type_url("extensions.filters.http.lua.v3.Lua"),
            "default_source_code": {"inline_string": source},
        },
    })
}

/// Envoy's native ext_authz, which asks a gRPC service about every request and lets pass what got no answer.
pub fn ext_authz_filter(cluster: &str, timeout: &str) -> Value {
    let timeout = timeout
        .strip_suffix("ms")
        .map_or_else(|| timeout.to_owned(), |millis| format!("0.{millis:0>3}s"));
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": type_url("extensions.filters.http.ext_authz.v3.ExtAuthz"),
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": timeout},
            "failure_mode_allow": true,
        },
    })
}

/// A limit of Envoy's own filter: a bucket for each value of a header, or one for all requests if there is one key.
#[derive(Clone, Copy, Debug)]
pub struct LocalRateLimit<'a> {
    /// The header.
    pub header: &'a str,
    /// How many values it has, at most.
    pub keys: usize,
    /// Tokens that come back in a second.
    pub tokens_per_second: u32,
    /// Tokens that a bucket holds.
    pub burst: u32,
}

/// Envoy's `local_ratelimit`, its buckets shared by all workers; those of a header's values are made as they come
/// (dynamic descriptors).
pub fn local_rate_limit(limit: &LocalRateLimit<'_>) -> Value {
    let percent = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    let bucket = |burst: u32, tokens: u32| json!({"max_tokens": burst, "tokens_per_fill": tokens, "fill_interval": "1s"});
    let mut config = json!({
        "@type": type_url("extensions.filters.http.local_ratelimit.v3.LocalRateLimit"),
        "stat_prefix": "local",
        "token_bucket": bucket(limit.burst, limit.tokens_per_second),
        "filter_enabled": percent,
        "filter_enforced": percent,
        "local_rate_limit_per_downstream_connection": false,
    });
    if limit.keys > 1 {
        // For requests without the header, which none of these are.
        config["token_bucket"] = bucket(1_000_000, 1_000_000);
        config["always_consume_default_token_bucket"] = json!(false);
        config["max_dynamic_descriptors"] = json!(limit.keys);
        config["rate_limits"] = json!([{"actions": [{"request_headers": {
            "header_name": limit.header, "descriptor_key": "key"}}]}]);
        config["descriptors"] = json!([{"entries": [{"key": "key"}],
            "token_bucket": bucket(limit.burst, limit.tokens_per_second)}]);
    }
    json!({"name": "envoy.filters.http.local_ratelimit", "typed_config": config})
}

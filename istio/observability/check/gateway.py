"""A real Envoy with the deployed modules, its statistics as a gateway of Istio has them."""

import http.client
import json
import os
import re
import socket
import subprocess
from pathlib import Path

from services import wait_for

TYPE = "type.googleapis.com/envoy."
NAMESPACE = "istio-ingress"
# What Istio's gateways keep of Envoy's statistics (pkg/bootstrap/config.go), beside what the mesh configuration adds.
ISTIO_PREFIXES = ["cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm"]
# Istio's agent starts Envoy with this format, and `thread=` behind the message.
LOG_FORMAT = "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t"


def plugin(name, module, configuration):
    """The filter as Istio makes it of a WasmPlugin: no vm_id, the plugin's name with its namespace."""
    return {
        "name": f"{NAMESPACE}.backstop-{name}",
        "typed_config": {
            "@type": TYPE + "extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": f"{NAMESPACE}.backstop-{name}",
                "root_id": name,
                "failure_policy": "FAIL_RELOAD",
                "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(configuration)},
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(module)}}},
            },
        },
    }


def discovered(name, path):
    """A filter that comes by ECDS, as every WasmPlugin does."""
    return {
        "name": f"{NAMESPACE}.backstop-{name}",
        "config_discovery": {
            "config_source": {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"},
            "type_urls": [TYPE + "extensions.filters.http.wasm.v3.Wasm"],
        },
    }


def cluster(name, port, http2=False):
    protocol = {"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}}
    key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "name": name,
        "type": "STATIC",
        "typed_extension_protocol_options": {
            key: {"@type": TYPE + key.removeprefix("envoy."), "explicit_http_config": protocol}
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]},
    }


def listener(name, filters, access_log):
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": TYPE + "extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        "http_filters": [*filters, router],
        "access_log": access_log,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
    }


def statistics(mesh):
    """Envoy's stats_config from the mesh configuration's defaultConfig: what Istio's bootstrap makes of it."""
    default = mesh["meshConfig"]["defaultConfig"]
    patterns = [{"prefix": prefix} for prefix in [*ISTIO_PREFIXES, *default["proxyStatsMatcher"]["inclusionPrefixes"]]]
    return {
        "stats_tags": [{"tag_name": tag, "regex": rf"({tag}=\.=(.*?);\.;)"} for tag in default["extraStatTags"]],
        "stats_matcher": {"inclusion_list": {"patterns": patterns}},
    }


def access_log(mesh, path):
    """The access log of the mesh configuration's provider, into a file."""
    (provider,) = mesh["meshConfig"]["extensionProviders"]
    labels = provider["envoyFileAccessLog"]["logFormat"]["labels"]
    # Istio adds this formatter where a format needs it.
    formatter = {"name": "envoy.formatter.req_without_query", "typed_config": {"@type": TYPE + "extensions.formatter.req_without_query.v3.ReqWithoutQuery"}}
    log = {
        "@type": TYPE + "extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(path),
        "log_format": {"json_format": labels, "formatters": [formatter]},
    }
    return [{"name": "envoy.access_loggers.file", "typed_config": log}]


class Gateway:
    """Envoy, from start to end."""

    def __init__(self, bootstrap, folder: Path):
        self.log_path = folder / "envoy.log"
        config = folder / "envoy.json"
        config.write_text(json.dumps(bootstrap))
        log = self.log_path.open("wb")
        self.process = subprocess.Popen(
            [os.environ["ENVOY_BIN"], "-c", str(config), "--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", "2",
             "--file-flush-interval-msec", "200", "--log-level", "info", "--component-log-level", "wasm:info", "--log-format", LOG_FORMAT],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        wait_for(self.is_ready, "Envoy")
        listening = re.search(r"admin address: \S+:(\d+)", self.log())
        self.admin = int(listening[1])
        statuses = json.loads(self.get("/listeners?format=json"))["listener_statuses"]
        self.ports = {one["name"]: one["local_address"]["socket_address"]["port_value"] for one in statuses}

    def is_ready(self):
        if self.process.poll() is not None:
            raise SystemExit("dashboards: Envoy ended:\n" + self.log()[-3000:])
        return "starting main dispatch loop" in self.log()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def connect(self, name):
        return http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=10)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]

"""Puts the gateway together: the chain of the overlays, each filter as the cluster has it, and one that crashes."""

import json
from pathlib import Path

import yaml

import gateway
import load
import services

OBSERVABILITY = Path(__file__).resolve().parent.parent
ROOT = OBSERVABILITY.parent.parent
LISTENER = "outbound_0.0.0.0_8080"


def write_discovered(path, plugin, version):
    """One resource of ECDS, moved into its place as Envoy wants to see it."""
    resource = {"@type": gateway.TYPE + "config.core.v3.TypedExtensionConfig".replace("envoy.", ""), "name": plugin["name"], "typed_config": plugin["typed_config"]}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"version_info": str(version), "resources": [resource]}))
    fresh.rename(path)


def without_cluster(configuration, *place):
    """The configuration with a cluster that the proxy does not know."""
    lost = json.loads(json.dumps(configuration))
    inner = lost
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "outbound|1||nobody.backstop.svc.cluster.local"
    return lost


class Setup:
    """Envoy and all that it talks to."""

    def __init__(self, modules, crashing, folder: Path):
        self.folder = folder
        self.modules = modules
        self.ecds = folder / "ecds.json"
        self.access_log = folder / "access.log"
        mesh = yaml.safe_load((OBSERVABILITY / "meshconfig.yaml").read_text())
        self.set_waf(load.WAF, 0)
        chain = [
            gateway.plugin("origin-verify", modules / "origin-verify.wasm", load.ORIGIN_VERIFY),
            gateway.plugin("rate-limit", modules / "rate-limit.wasm", load.RATE_LIMIT),
            gateway.discovered("waf", self.ecds),
            gateway.plugin("ext-authz", modules / "ext-authz.wasm", load.EXT_AUTHZ),
        ]
        faults = [gateway.plugin("faults", crashing, {})]
        lost = [
            gateway.plugin("rate-limit", modules / "rate-limit.wasm", without_cluster(load.RATE_LIMIT, "globalLimits", "cluster")),
            gateway.plugin("ext-authz", modules / "ext-authz.wasm", without_cluster(load.EXT_AUTHZ, "service", "grpc", "cluster")),
        ]
        log = gateway.access_log(mesh, self.access_log)
        rate_limits = services.Grpc(services.rate_limit_response)
        adapter = services.Grpc(services.check_response)
        clusters = [
            gateway.cluster("upstream", services.upstream()),
            gateway.cluster(load.RATE_LIMIT["globalLimits"]["cluster"], rate_limits.port, http2=True),
            gateway.cluster(load.EXT_AUTHZ["service"]["grpc"]["cluster"], adapter.port, http2=True),
        ]
        self.envoy = gateway.Gateway(
            {
                "node": {"id": "gateway", "cluster": "gateway"},
                "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
                "stats_config": gateway.statistics(mesh),
                "static_resources": {
                    "clusters": clusters,
                    "listeners": [gateway.listener(LISTENER, chain, log), gateway.listener("faults", faults, log), gateway.listener("no-services", lost, log)],
                },
            },
            folder,
        )

    def set_waf(self, configuration, version):
        write_discovered(self.ecds, gateway.plugin("waf", self.modules / "waf.wasm", configuration), version)

    def stat(self, part):
        """The sum of the counters whose names contain it."""
        lines = [line.rsplit(": ", 1) for line in self.envoy.get("/stats").splitlines() if part in line]
        return sum(int(value) for _, value in lines if value.isdigit())

"""A real Prometheus that scrapes the gateway with the PodMonitor's relabelings."""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

from gateway import free_port
from services import wait_for

KEYS = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
# A metric with its matchers, or alone; functions and keywords have a bracket or a space behind them.
SELECTOR = re.compile(r"\b((?:backstop|envoy)_\w+|up)\b(\{[^}]*\})?")
GROUPING = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


def relabelings(monitor, key):
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    return [{KEYS.get(name, name): value for name, value in one.items()} for one in endpoint[key]]


class Prometheus:
    def __init__(self, target_port, monitor, folder):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        scrape = {
            "job_name": "pods",
            "metrics_path": endpoint["path"],
            "scrape_interval": "1s",
            "static_configs": [{"targets": [f"127.0.0.1:{target_port}"], "labels": {"pod": "gateway-0", "namespace": "istio-ingress"}}],
            "relabel_configs": relabelings(monitor, "relabelings"),
            "metric_relabel_configs": relabelings(monitor, "metricRelabelings"),
        }
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
        subprocess.run(["promtool", "check", "config", str(config)], check=True, stdout=subprocess.DEVNULL)
        self.address = f"127.0.0.1:{free_port()}"
        log = (folder / "prometheus.log").open("wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={self.address}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: self.query("up == 1"), "Prometheus's first scrape")

    def get(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise ConnectionError("Prometheus is not ready") from error
            raise ValueError(json.load(error)["error"]) from error

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def range(self, expression, start, end, step=1):
        return self.get("query_range", query=expression, start=start, end=end, step=step)["result"]

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def selectors(expression):
    """The selectors in an expression: metric and matchers."""
    quoted = re.sub(r"\b(by|on|ignoring|without)\s*\([^)]*\)", "", expression)
    return [(name, matchers or "") for name, matchers in SELECTOR.findall(quoted)]


def labels_of(expression):
    """The labels that an expression groups or joins by."""
    return {label.strip() for group in GROUPING.findall(expression) for label in group.split(",") if label.strip()}


def matched_labels(matchers):
    return set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))

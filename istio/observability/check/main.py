"""`make dashboards`: every expression of every dashboard and alert against a real Envoy under load.

    main.py --modules FOLDER --crashing guest_faults.wasm --out FOLDER [--picture FILE]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

import dashboards
import logql
from load import WAF, Load
from prometheus import Prometheus, labels_of, matched_labels, selectors
from services import wait_for
from setup import OBSERVABILITY, ROOT, Setup

# Metrics that only a proxy which breaks its word makes: a reply that Envoy does not take.
BROKEN_PROXY_ONLY = {"backstop_waf_errors_total", "backstop_origin_verify_errors_total", "backstop_block_list_errors_total"}
# A metric, a label, a label's value, a grouping, a field of the log that are not there, and what does not parse.
BROKEN = [
    ("prometheus", "sum(rate(backstop_waf_request_total[10s]))"),
    ("prometheus", 'sum(rate(backstop_waf_decisions_total{verdict=~".*"}[10s]))'),
    ("prometheus", 'sum(rate(backstop_waf_decisions_total{action="blocked"}[10s]))'),
    ("prometheus", "sum by (rules) (rate(backstop_waf_findings_total[10s]))"),
    ("prometheus", "sum(rate(backstop_waf_requests_total[10s])"),
    ("loki", dashboards.SECURITY + " | blocked=`yes`"),
    ("loki", dashboards.count(dashboards.SECURITY, "address")),
    ("loki", dashboards.LIMITS + " | line_format `{{.client}}`"),
]
VARIABLES = {"$__rate_interval": "10s", "$__range": "1m", "$pod": ".*"}


def substituted(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def grammar(expressions):
    """What Grafana's grammar of LogQL has against them."""
    done = subprocess.run(["node", str(Path(__file__).parent / "logql.mjs")], input="\n".join(expressions), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def panels():
    for file in sorted((OBSERVABILITY / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield file.stem, panel["title"], target["datasource"]["type"], target["expr"]


class Check:
    def __init__(self):
        self.wrong = []
        self.counts = {}

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def refuse(self, where, why):
        self.wrong.append(f"{where}: {why}")

    def metrics_exist(self, prometheus, where, expression):
        """Each selector finds series that have every label which it or the expression names."""
        grouped = labels_of(expression)
        labels_there = set()
        for name, matchers in selectors(expression):
            self.count("selectors")
            series = prometheus.query(f"last_over_time({name}{matchers}[5m])")
            if not series and name not in BROKEN_PROXY_ONLY:
                self.refuse(where, f"{name}{matchers} finds nothing")
            there = {label for one in series for label in one["metric"]}
            labels_there |= there
            if missing := matched_labels(matchers) - there:
                if series:
                    self.refuse(where, f"{name} has no label {', '.join(sorted(missing))}")
        made = set(re.findall(r'"(\w+)", "[\w-]*", "", ""\)', expression))
        if missing := grouped - labels_there - made:
            self.refuse(where, f"no metric in it has the label {', '.join(sorted(missing))}")

    def dashboards(self, prometheus, lines):
        for name in dashboards.stale():
            self.refuse(f"dashboards/{name}.json", "is not what check/dashboards.py makes: run it")
        logs = [expression for _, _, source, expression in panels() if source == "loki"]
        for line in grammar(logs):
            self.refuse("dashboards", line)
        for board, title, source, expression in panels():
            self.expression(prometheus, lines, f"dashboards/{board}.json, {title}", source, expression)

    def expression(self, prometheus, lines, where, source, expression):
        try:
            if source == "loki":
                self.count("LogQL expressions")
                if logql.evaluate(expression, lines) == 0:
                    self.refuse(where, "finds no line")
                return
            self.count("PromQL expressions")
            query = substituted(expression)
            self.metrics_exist(prometheus, where, query)
            result = prometheus.query(query)
            if not result:
                self.refuse(where, f"is empty: {query}")
            elif all(one["value"][1] == "NaN" for one in result):
                self.refuse(where, f"is not a number: {query}")
        except (ValueError, KeyError) as error:
            self.refuse(where, error)

    def forgeries(self, lines):
        """What a client wrote into its request is text in the log, never a field."""
        seen = False
        for line in lines:
            seen |= "FORGED" in line
            if "wasm log" in line and '{"timestamp"' in line or line.startswith("{"):
                entry = json.loads(line[line.index("{") : line.rindex("}") + 1])
                if "FORGED" in str(entry.get("category")):
                    self.refuse("log", f"a forged line: {line}")
        if not seen:
            self.refuse("log", "the forged line did not come")

    def broken(self, prometheus, lines):
        """What has to be refused, is."""
        for source, expression in BROKEN:
            probe = Check()
            probe.expression(prometheus, lines, "", source, expression)
            self.count("broken ones refused" if probe.wrong else "broken ones let through")
            if not probe.wrong:
                self.refuse("the check", f"finds nothing wrong with {expression}")
        if not grammar(["sum by (a) (count_over_time({a=`b`} | json [5m])"]):
            self.refuse("the check", "takes for LogQL what is none")

    def alerts(self, prometheus, out):
        spec = yaml.safe_load((OBSERVABILITY / "prometheusrule.yaml").read_text())["spec"]
        tests = (OBSERVABILITY / "rules_test.yaml").read_text()
        (out / "rules.yaml").write_text(yaml.safe_dump(spec, sort_keys=False, width=10**6))
        (out / "rules_test.yaml").write_text(tests)
        for command in (["check", "rules", "rules.yaml"], ["test", "rules", "rules_test.yaml"]):
            done = subprocess.run(["promtool", *command], cwd=out, capture_output=True, text=True)
            if done.returncode:
                self.refuse("prometheusrule.yaml", done.stdout + done.stderr)
        cases = [case for test in yaml.safe_load(tests)["tests"] for case in test["alert_rule_test"]]
        fires = {case["alertname"] for case in cases if case["exp_alerts"]}
        quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
        operations = (ROOT / "docs/operations.md").read_text()
        anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in operations.splitlines() if line.startswith("#")}
        for rule in (rule for group in spec["groups"] for rule in group["rules"]):
            name = rule["alert"]
            self.count("alerts")
            for cases_of, what in ((fires, "fires"), (quiet, "stays quiet")):
                if name not in cases_of:
                    self.refuse(name, f"no test in which it {what}")
            if rule["annotations"]["runbook_url"].split("#")[-1] not in anchors:
                self.refuse(name, f"no runbook at {rule['annotations']['runbook_url']}")
            try:
                self.metrics_exist(prometheus, name, rule["expr"])
                prometheus.query(rule["expr"])
            except ValueError as error:
                self.refuse(name, error)
        self.count("alert tests", len(cases))


def drive(setup, load, prometheus):
    """Load until every metric is there, and a few scrapes more."""
    for number in range(4):
        load.round(number)
        if number == 1:
            for _ in range(2):
                load.send("/", listener="faults", x_fault="panic")
        if number == 2:
            setup.set_waf({**WAF, "mode": "blok"}, 1)
            wait_for(lambda: setup.stat("config_fail") > 0, "the refusal of a wrong configuration")
            setup.set_waf({**WAF, "scoreThreshold": 4}, 2)
    newest = prometheus.query("timestamp(up)")[0]["value"][1]
    wait_for(lambda: float(prometheus.query("timestamp(up)")[0]["value"][1]) > float(newest) + 1, "another scrape")


def main():
    parser = argparse.ArgumentParser()
    for name in ("modules", "crashing", "out"):
        parser.add_argument(f"--{name}", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    check = Check()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        setup = Setup(arguments.modules, arguments.crashing, folder)
        prometheus = None
        try:
            monitor = yaml.safe_load((OBSERVABILITY / "podmonitor.yaml").read_text())
            prometheus = Prometheus(setup.envoy.admin, monitor, folder)
            load = Load(setup.envoy)
            begun = time.time()
            drive(setup, load, prometheus)
            ended = time.time()
            # Envoy writes access logs in pieces, now and then.
            wait_for(lambda: setup.access_log.read_text().count("\n") >= sum(load.seen.values()), "the access log")
            lines = setup.envoy.log().splitlines() + setup.access_log.read_text().splitlines()
            check.dashboards(prometheus, lines)
            check.alerts(prometheus, arguments.out)
            check.forgeries(lines)
            check.broken(prometheus, lines)
            (arguments.out / "metrics.txt").write_text(setup.envoy.get("/stats/prometheus"))
            (arguments.out / "gateway.log").write_text("\n".join(lines))
            if arguments.picture:
                import picture

                picture.draw(prometheus, begun, ended, arguments.picture, substituted)
        finally:
            if prometheus:
                prometheus.end()
            setup.envoy.end()
    print(f"answers: {dict(sorted(load.seen.items()))}")
    print(", ".join(f"{n} {what}" for what, n in check.counts.items()) + f", {len(check.wrong)} wrong")
    for line in check.wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if check.wrong else 0)


if __name__ == "__main__":
    main()

"""The four dashboards: `python3 dashboards.py` writes ../dashboards/*.json, `make dashboards` refuses other ones."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"
# Which gateways: every expression has it.
G = 'job="backstop-gateway", pod=~"$pod"'
FAILURES = "timeout|unreachable|no-cluster|malformed|service-error|breaker-open"
RLS_FAILURES = "not-sent|timeout|unavailable|error-status|malformed"
# The gateways' log. A filter's line is Envoy's: the JSON object is taken out of it. The access log's is an object already.
STREAM = '{namespace="istio-ingress", container="istio-proxy"}'
ENTRY = "| regexp `(?P<entry>[{]\"timestamp\".*[}])` | line_format `{{.entry}}` | json"
SECURITY = f'{STREAM} |= `wasm log` |= `"type":"security"` {ENTRY}'
LIMITS = f'{STREAM} |= `wasm log` |= `"type":"ratelimit"` {ENTRY}'
VERDICTS = f'{STREAM} |= `wasm log` |= `"type":"ext_authz"` {ENTRY}'
LISTED = f'{STREAM} |= `wasm log` |= `"type":"block_list"` {ENTRY}'
ACCESS = f'{STREAM} |= `"type":"access"` | json'


def rate(metric, by="", matchers="", window="$__rate_interval"):
    inner = f"rate({metric}{{{G}{', ' if matchers else ''}{matchers}}}[{window}])"
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def share(part, whole):
    return f"{part} / {whole}"


def quantile(q, metric):
    return f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{G}}}[$__rate_interval])))"


def count(query, by, window="$__auto"):
    return f"sum by ({by}) (count_over_time({query} [{window}]))"


def top(query, by, n=15):
    return f"topk({n}, {count(query, by, '$__range')})"


class Dashboard:
    """Panels from left to right, row by row."""

    def __init__(self, uid, title, about):
        self.panels, self.x, self.y, self.height = [], 0, 0, 0
        self.uid, self.title, self.about = uid, title, about

    def place(self, width, height):
        if self.x + width > 24:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        place = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x += width
        self.height = max(self.height, height)
        return place

    def add(self, kind, title, width, height, targets, source, about="", unit="short", **options):
        logs = source == "loki"
        uid = "${loki}" if logs else "${prometheus}"
        datasource = {"type": source, "uid": uid}
        letters = "ABCDEFGH"
        made = []
        for letter, (expression, legend) in zip(letters, targets):
            target = {"refId": letter, "datasource": datasource, "expr": expression, "legendFormat": legend}
            if kind in ("table", "stat") and not logs:
                target |= {"instant": True, "range": False, "format": "table" if kind == "table" else "time_series"}
            elif kind in ("table", "barchart") and logs:
                target |= {"queryType": "instant"}
            made.append(target)
        panel = {"id": len(self.panels) + 1, "type": kind, "title": title, "description": about, "datasource": datasource,
                 "gridPos": self.place(width, height), "targets": made, "fieldConfig": {"defaults": {"unit": unit}, "overrides": []}}
        if kind == "timeseries":
            panel["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 10, "stacking": {"mode": options.pop("stacking", "none")}}
        if kind == "stat":
            panel["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
        if kind == "logs":
            panel["options"] = {"showTime": True, "wrapLogMessage": True, "enableLogDetails": True}
        if kind == "table":
            panel["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
        self.panels.append(panel)

    def stat(self, title, expression, unit="short", about="", width=4):
        self.add("stat", title, width, 4, [(expression, "")], "prometheus", about, unit)

    def lines(self, title, targets, unit="reqps", about="", width=12, **options):
        self.add("timeseries", title, width, 8, targets, "prometheus", about, unit, **options)

    def table(self, title, expression, about="", width=12):
        self.add("table", title, width, 8, [(expression, "")], "prometheus", about)

    def log_lines(self, title, targets, about="", width=12):
        self.add("timeseries", title, width, 8, targets, "loki", about)

    def log_top(self, title, expression, about="", width=8):
        self.add("table", title, width, 8, [(expression, "")], "loki", about)

    def log(self, title, expression, about="", width=24):
        self.add("logs", title, width, 10, [(expression, "")], "loki", about)

    def json(self):
        source = lambda name, label: {"name": name, "label": label, "type": "datasource", "query": name}
        pods = {"name": "pod", "label": "Gateway", "type": "query", "datasource": {"type": "prometheus", "uid": "${prometheus}"},
                "query": {"query": 'label_values(envoy_server_live{job="backstop-gateway"}, pod)', "refId": "pod"},
                "refresh": 2, "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
        whole = {"uid": self.uid, "title": self.title, "description": self.about, "tags": ["backstop"], "timezone": "browser",
                 "schemaVersion": 39, "version": 1, "refresh": "30s", "time": {"from": "now-3h", "to": "now"},
                 "templating": {"list": [source("prometheus", "Prometheus"), source("loki", "Loki"), pods]}, "panels": self.panels}
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def waf():
    board = Dashboard("backstop-waf", "Backstop: WAF and origin verify", "What the WAF found and refused, and who came around the CDN.")
    requests, decisions = "backstop_waf_requests_total", "backstop_waf_decisions_total"
    board.stat("Requests", rate(requests), "reqps")
    board.stat("Refused", rate(decisions, matchers='action="block"'), "reqps")
    board.stat("Would be refused", rate(decisions, matchers='action="detect"'), "reqps", "In detect, or clients outside enforcePercent.")
    board.stat("Share refused", share(rate(decisions, matchers='action="block"'), rate(requests)), "percentunit")
    board.stat("Not inspected to the end", rate("backstop_waf_uninspected_total"), "reqps", "Refused because they could not be inspected.")
    board.stat("Inspection, p99", quantile(0.99, "backstop_waf_inspection_us"), "µs", "Of one request in metrics.timeOneIn.")
    board.lines("Decisions", [(rate(decisions, "action"), "{{action}}")])
    board.lines("Findings by category", [(rate("backstop_waf_findings_total", "category, mode"), "{{category}} {{mode}}")], stacking="normal")
    board.table("Rules that matched most", f"topk(20, sum by (category, rule, mode) (increase(backstop_waf_findings_total{{{G}}}[$__range])))",
                "A rule that leads after a deployment is the first to look at: docs/operations.md, A false positive.")
    board.lines("Limits that requests met", [
        (rate("backstop_waf_body_limit_hits_total"), "requestBody.limit"), (rate("backstop_waf_custom_rule_limit_hits_total"), "customRuleLimit"),
        (rate("backstop_waf_work_limit_hits_total"), "workLimit"), (rate("backstop_waf_uninspected_total", "reason"), "refused: {{reason}}")])
    board.lines("Inspection time", [(quantile(q, "backstop_waf_inspection_us"), f"p{round(q * 100)}") for q in (0.5, 0.9, 0.99)], "µs")
    board.lines("Origin verify", [(rate("backstop_origin_verify_requests_total", "result"), "{{result}}")])
    board.lines("Origin verify: which secret is sent", [(rate("backstop_origin_verify_requests_total", "secret"), "{{secret}}")],
                about="During a rotation: once the old one is quiet, it can go.")
    board.log_lines("Log: detections by category", [(count(SECURITY + " | event=~`.+_DETECTED`", "category"), "{{category}}")])
    board.log_lines("Log: blocked and not", [(count(SECURITY, "blocked"), "blocked: {{blocked}}")])
    board.log_top("Log: addresses", top(SECURITY, "client_ip"))
    board.log_top("Log: rules", top(SECURITY, "category, rule"))
    board.log_top("Log: paths", top(SECURITY, "path"))
    board.log("Log: refused requests", SECURITY + " | event!=`ORIGIN_VERIFY_FAILED` | blocked=`true` | line_format `{{.event}} {{.rule}} {{.client_ip}} {{.path}} [{{.matched}}] {{.request_id}}`")
    board.log("Log: refused for their origin", SECURITY + " | event=`ORIGIN_VERIFY_FAILED` | line_format `{{.rule}} {{.client_ip}} {{.host}} {{.path}} {{.request_id}}`")
    board.log_lines("Access log: answers of the filters", [(count(ACCESS + " | details=~`backstop_.+|ext_authz.+`", "details"), "{{details}}")])
    board.log_lines("Access log: verdicts of requests that passed", [(count(ACCESS + " | waf_verdict=~`detect.+`", "waf_verdict"), "{{waf_verdict}}")])
    return board


def rate_limit():
    board = Dashboard("backstop-rate-limit", "Backstop: rate limits", "What each limit refused, its table, and the rate-limit service.")
    requests, service = "backstop_rate_limit_requests_total", "backstop_rate_limit_global_requests_total"
    board.stat("Refused by this proxy", rate(requests, matchers='action="limited"'), "reqps")
    board.stat("Would be refused", rate(requests, matchers='action="shadow"'), "reqps")
    board.stat("Refused by the service", rate(service, matchers='action="limited"'), "reqps")
    board.stat("Passed without the service's word", share(rate(service, matchers=f'reason=~"{RLS_FAILURES}", action="allowed"'), rate(service)), "percentunit")
    board.stat("Without a place in a table", rate("backstop_rate_limit_events_total", matchers='event=~"full-.+"'), "reqps")
    board.lines("Refused, by limit", [(rate(requests, "limit", 'action="limited"'), "{{limit}}")])
    board.lines("Share refused, by limit", [(share(rate(requests, "limit", 'action="limited"'), rate(requests, "limit")), "{{limit}}")], "percentunit")
    board.lines("Requests, by limit and what it said", [(rate(requests, "limit, action"), "{{limit}} {{action}}")],
                about="not-taken: another limit refused the request first.")
    board.lines("Tables: what an operator should know of", [(rate("backstop_rate_limit_events_total", "limit, event"), "{{limit}} {{event}}")])
    board.lines("The rate-limit service", [(rate(service, "action, reason"), "{{action}} {{reason}}")])
    board.lines("Errors", [(rate("backstop_rate_limit_errors_total", "pod"), "{{pod}}")])
    board.log_lines("Log: limited and not", [(count(LIMITS, "scope, limited"), "{{scope}} limited: {{limited}}")])
    board.log_lines("Log: by limit", [(count(LIMITS + " | limited=`true`", "name"), "{{name}}")])
    board.log_top("Log: addresses", top(LIMITS + " | limited=`true`", "client_ip"))
    board.log_top("Log: paths", top(LIMITS + " | limited=`true`", "path"))
    board.log_top("Log: how far over", top(LIMITS + " | scope=`local` | limited=`true`", "name, count, limit"))
    board.log("Log: limited requests", LIMITS + " | limited=`true` | line_format `{{.name}} {{.client_ip}} {{.path}} {{.request_id}}`")
    return board


def ext_authz():
    board = Dashboard("backstop-ext-authz", "Backstop: verdicts on critical APIs", "What the adapter said, how fast, and what passed without its word.")
    requests, events = "backstop_ext_authz_requests_total", "backstop_ext_authz_events_total"
    board.stat("Requests to critical APIs", rate(requests), "reqps")
    board.stat("Refused", rate(requests, matchers='action="refuse"'), "reqps")
    board.stat("Passed without a verdict", share(rate(requests, matchers=f'outcome=~"{FAILURES}", action!="refuse"'), rate(requests)), "percentunit", "Fail open.")
    board.stat("From the cache", share(rate(requests, matchers='cached="true"'), rate(requests)), "percentunit")
    board.stat("Verdict, p99", quantile(0.99, "backstop_ext_authz_call_duration_ms"), "ms")
    board.lines("Verdicts", [(rate(requests, "outcome", f'outcome!~"{FAILURES}"'), "{{outcome}}")], stacking="normal")
    board.lines("Without a verdict", [(rate(requests, "outcome, action", f'outcome=~"{FAILURES}"'), "{{outcome}}: {{action}}")])
    board.lines("How long a verdict takes", [(quantile(q, "backstop_ext_authz_call_duration_ms"), f"p{round(q * 100)}") for q in (0.5, 0.95, 0.99)], "ms")
    board.lines("By API", [(rate(requests, "event_type, action"), "{{event_type}}: {{action}}")])
    board.lines("Breaker, cache and held requests", [(rate(events, "event"), "{{event}}")])
    board.lines("Block list: requests of listed clients", [(rate("backstop_block_list_requests_total", "why, action"), "{{why}}: {{action}}")])
    board.lines("Block list: what was reported, what gave way", [(rate("backstop_block_list_events_total", "event"), "{{event}}")],
                about="listed-displaced: the table is full, a blocked client gave way.")
    board.lines("Errors", [(rate("backstop_ext_authz_errors_total", "pod"), "{{pod}}")])
    board.log_lines("Log: outcomes", [(count(VERDICTS, "outcome, action"), "{{outcome}}: {{action}}")])
    board.log_top("Log: addresses that were refused", top(VERDICTS + " | action=`refuse`", "client_ip"))
    board.log_top("Log: APIs", top(VERDICTS, "event_type, outcome"))
    board.log_top("Log: who was listed, and why", top(LISTED + " | action=`list`", "reason"))
    board.log("Log: what was not NONE", VERDICTS + " | line_format `{{.event_type}} {{.outcome}} {{.action}} {{.client_ip}} {{.path}} {{.request_id}}`")
    return board


def health():
    board = Dashboard("backstop-health", "Backstop: modules", "Virtual machines, configurations, memory and time.")
    def increase(metric, by, window="$__rate_interval"):
        return f"sum by ({by}) (increase({metric}{{{G}}}[{window}]))"
    board.stat("Gateways", f"count(up{{{G}}} == 1)")
    board.stat("Crashes replaced", f"sum(increase(envoy_wasm_vm_reload_success{{{G}}}[$__range]))")
    board.stat("Requests that a crash cost", f"sum(increase(envoy_wasm_vm_reload_backoff{{{G}}}[$__range]))", about="503, since the VM was not to be replaced yet.")
    board.stat("Configurations refused", f"sum(increase(envoy_extension_config_discovery_config_fail{{{G}}}[$__range]))")
    board.stat("VMs", f"sum(envoy_wasm_envoy_wasm_runtime_v8_active{{{G}}})")
    board.stat("Memory of one gateway, most", f"max(envoy_server_memory_physical_size{{{G}}})", "bytes")
    board.lines("Crashes, by plugin", [(increase("envoy_wasm_vm_reload_success", "pod, plugin"), "{{pod}} {{plugin}} replaced"),
                                       (increase("envoy_wasm_vm_reload_failure", "pod, plugin"), "{{pod}} {{plugin}} not replaced"),
                                       (increase("envoy_wasm_vm_reload_backoff", "pod, plugin"), "{{pod}} {{plugin}} waiting")], "short")
    board.lines("Configurations, by plugin", [(increase("envoy_extension_config_discovery_config_reload", "plugin"), "{{plugin}} taken"),
                                              (increase("envoy_extension_config_discovery_config_fail", "plugin"), "{{plugin}} refused")], "short")
    board.lines("Memory", [(f"envoy_server_memory_allocated{{{G}}}", "{{pod}} allocated"), (f"envoy_server_memory_heap_size{{{G}}}", "{{pod}} heap"),
                           (f"envoy_server_memory_physical_size{{{G}}}", "{{pod}} physical")], "bytes",
                "Of the whole proxy: Envoy 1.37 does not tell a VM's. Steady under steady traffic; a table's memory does not grow with its clients.")
    board.lines("VMs", [(f"envoy_wasm_envoy_wasm_runtime_v8_active{{{G}}}", "{{pod}} active"),
                        (f"rate(envoy_wasm_envoy_wasm_runtime_v8_created{{{G}}}[$__rate_interval])", "{{pod}} created per second")], "short",
                "One per worker and configuration, and one on the main thread.")
    board.lines("Inspection time", [(quantile(q, "backstop_waf_inspection_us"), f"p{round(q * 100)}") for q in (0.5, 0.99)], "µs")
    board.lines("Requests, by gateway", [(rate("backstop_waf_requests_total", "pod"), "{{pod}}")])
    board.lines("Watchdog: an event loop that did not come round", [(increase("envoy_server_worker_watchdog_miss", "pod"), "{{pod}} worker"),
                                                                    (increase("envoy_server_main_thread_watchdog_miss", "pod"), "{{pod}} main thread")], "short")
    board.lines("Up for", [(f"envoy_server_uptime{{{G}}}", "{{pod}}")], "s")
    board.log("Log: crashes and refused configurations", f"{STREAM} |~ `wasm log.+panicked|config: [$]|config update rejected|Unable to create Wasm`")
    return board


ALL = {"waf": waf, "rate-limit": rate_limit, "ext-authz": ext_authz, "health": health}


def stale():
    """The names of those that are not as they would be written."""
    return [name for name, make in ALL.items() if not (file := FOLDER / f"{name}.json").exists() or file.read_text() != make().json()]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in ALL.items():
        (FOLDER / f"{name}.json").write_text(make().json())

"""As much of LogQL as the dashboards have, over lines of a gateway's log: what Loki would find in them. Loki itself is on no
registry that a check may use."""

import json
import re

STAGE = re.compile(r"""\s*(?:
    (?P<filter>\|=|\|~)\s*`(?P<text>[^`]*)`
  | \|\s*regexp\s+`(?P<regexp>[^`]*)`
  | \|\s*line_format\s+`(?P<format>[^`]*)`
  | \|\s*(?P<json>json)\b
  | \|\s*(?P<label>\w+)\s*(?P<op>=~|!~|!=|=)\s*`(?P<value>[^`]*)`
)""", re.X)
METRIC = re.compile(r"^(?:topk\(\d+, )?sum by \((?P<by>[\w, ]+)\) \(count_over_time\((?P<log>\{.*) \[\$__(?:auto|range)\]\)\)\)?$", re.S)
FIELD = re.compile(r"\{\{\.(\w+)\}\}")


def pipeline(query):
    """The stages behind the stream's selector; an error if one is not understood."""
    selector = re.match(r'\{(\w+="[^"]+"(, )?)+\}', query)
    if not selector:
        raise ValueError(f"no stream in {query!r}")
    at, stages = selector.end(), []
    while query[at:].strip():
        stage = STAGE.match(query, at)
        if not stage:
            raise ValueError(f"not understood: {query[at:]!r}")
        stages.append(stage.groupdict())
        at = stage.end()
    return stages


def entries(query, lines):
    """What the log query yields: lines with their labels."""
    stages = pipeline(query)
    for line in lines:
        labels = {}
        for stage in stages:
            line = apply(stage, line, labels)
            if line is None:
                break
        else:
            yield line, labels


def apply(stage, line, labels):
    if stage["filter"]:
        found = stage["text"] in line if stage["filter"] == "|=" else re.search(stage["text"], line)
        return line if found else None
    if stage["regexp"]:
        if found := re.search(stage["regexp"], line):
            labels |= found.groupdict()
        return line
    if stage["format"]:
        missing = [name for name in FIELD.findall(stage["format"]) if name not in labels]
        if missing:
            raise ValueError(f"no field {', '.join(missing)} in {line[:200]!r}")
        return FIELD.sub(lambda name: labels[name[1]], stage["format"])
    if stage["json"]:
        for name, value in json.loads(line).items():
            if isinstance(value, (str, int, float, bool)):
                labels[name] = value if isinstance(value, str) else json.dumps(value)
        return line
    value = labels.get(stage["label"], "")
    holds = value == stage["value"] if stage["op"] in ("=", "!=") else bool(re.fullmatch(stage["value"], value))
    return line if holds == (stage["op"] in ("=", "=~")) else None


def evaluate(query, lines):
    """How many results the query has, with every label that it groups by there."""
    metric = METRIC.match(query)
    if not metric:
        return sum(1 for _ in entries(query, lines))
    names = metric["by"].split(", ")
    groups = set()
    for _, labels in entries(metric["log"], lines):
        missing = [name for name in names if name not in labels]
        if missing:
            raise ValueError(f"no field {', '.join(missing)} to group by")
        groups.add(tuple(labels[name] for name in names))
    return len(groups)

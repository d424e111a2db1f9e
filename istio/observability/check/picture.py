"""Some panels as Prometheus answers them, drawn with matplotlib: a picture for people without a Grafana at hand."""

import json

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import dashboards

PANELS = [("waf", "Decisions"), ("waf", "Findings by category"), ("rate-limit", "Requests, by limit and what it said"),
          ("ext-authz", "Verdicts"), ("ext-authz", "Without a verdict"), ("health", "Memory")]


def targets(name, title):
    board = json.loads((dashboards.FOLDER / f"{name}.json").read_text())
    (panel,) = [panel for panel in board["panels"] if panel["title"] == title]
    return panel["targets"], panel["fieldConfig"]["defaults"]["unit"]


def legend(form, labels):
    for name, value in labels.items():
        form = form.replace("{{" + name + "}}", value)
    return form


def draw(prometheus, begin, end, file, substituted):
    figure, axes = plt.subplots(3, 2, figsize=(13, 9), dpi=80)
    for axis, (name, title) in zip(axes.flat, PANELS):
        made, unit = targets(name, title)
        lines = [(legend(target["legendFormat"], one["metric"]), one["values"]) for target in made
                 for one in prometheus.range(substituted(target["expr"]), begin, end)]
        lines.sort(key=lambda line: -max(float(value) for _, value in line[1]))
        for label, values in lines[:10]:
            scale = 1 / 2**20 if unit == "bytes" else 1
            axis.plot([at - begin for at, _ in values], [float(value) * scale for _, value in values], label=label, linewidth=1.4)
        axis.set_title(f"{name}: {title}", fontsize=10)
        axis.set_ylabel({"reqps": "requests/s", "bytes": "MiB"}.get(unit, unit), fontsize=8)
        axis.set_xlabel("seconds of the check", fontsize=8)
        axis.set_ylim(bottom=0)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.02))
    figure.tight_layout()
    figure.savefig(file)

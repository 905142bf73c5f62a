"""Alerts and the dashboard use existing metrics, and each alert leads to instructions."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from meterai.plumbing.observe import stations
from meterai.plumbing.observe.metrics import Histogram, Metric
from tests.tidy.sources import ROOT
from tests.tidy.test_metrics import REGISTERED

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
OF_STATIONS = [one for one in vars(stations).values() if isinstance(one, Metric)]
METRICS: dict[str, Metric[Any]] = {
    one.name: one for found in (*REGISTERED.values(), OF_STATIONS) for one in found
}
SERIES = METRICS | {
    f"{name}_{part}": one
    for name, one in METRICS.items()
    if isinstance(one, Histogram)
    for part in ("bucket", "sum", "count")
}
OF_PROMETHEUS = {"up": {"job", "instance"}}
# Words of the query language that the files use; a misspelt word is not among them.
LANGUAGE = {
    *("sum", "max", "by", "increase", "rate", "histogram_quantile", "topk", "time"),
    *("offset", "and", "or", "m", "h", "s"),
}


def rules() -> list[dict[str, Any]]:
    return [one for group in yaml.safe_load(RULES.read_text())["groups"] for one in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def complaints(expression: str) -> Iterator[str]:
    """Words of an expression that belong neither to us nor to Prometheus."""
    bare = re.sub(r'"[^"]*"', "", expression)
    for opening, closing in ("()", "{}", "[]"):
        if bare.count(opening) != bare.count(closing):
            yield f"{opening} and {closing}"
    labels: set[str] = set()
    for name, chosen in re.findall(r"\b([a-z_]+)(?=[\s{\[)]|$)(?:\{([^}]*)\})?", expression):
        one = SERIES.get(name)
        if name.startswith("meterai_") and one is None:
            yield f"no metric {name}"
        has = set(one.label_names) if one else OF_PROMETHEUS.get(name, set())
        labels |= has
        asked = set(re.findall(r"(\w+)\s*(?:=|!)", chosen))
        if asked - has:
            yield f"{name} has no {asked - has}"
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        unknown = set(re.split(r",\s*", grouped)) - labels - {"le"}
        if unknown:
            yield f"no label {unknown}"
    words = set(re.findall(r"\b[a-z_]+\b", re.sub(r"\{[^}]*\}|by \([^)]*\)|\d+", " ", bare)))
    unknown = words - LANGUAGE - set(SERIES) - set(OF_PROMETHEUS)
    if unknown:
        yield f"no words of the language: {unknown}"


EXPRESSIONS = [
    *(one["expr"] for one in rules()),
    *(target["expr"] for panel in panels() for target in panel.get("targets", ())),
]


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
def test_every_expression_uses_existing_metrics(number: int) -> None:
    assert list(complaints(EXPRESSIONS[number])) == [], EXPRESSIONS[number]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")
def test_prometheus_accepts_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

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
OPERATIONS = ROOT / "docs" / "operations.md"
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
# Alerts without a metric, from the log or the audit.
NO_METRIC = {
    *("object_unreadable", "audit", "refund_refused", "refund_overdue", "attempt_lost"),
    *("attempt_refused", "qr_exchanged", "rail_not_configured", "attempts_spent", "storage_full"),
    *("database_away", "no_refund_past_its_due_time_unnoticed", "unconfirmed", "about_another"),
    *("extracts_stopped", "outages"),
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


@pytest.mark.parametrize(
    "wrong",
    [
        "meterai_fault_total > 0",
        "sum(meterai_faults_total > 0",
        'meterai_circuits{stat="open"} > 0',
        "sum by (provider) (meterai_given_up)",
        "summ(meterai_given_up)",
        "meterai_faults_total_bucket",
    ],
)
def test_expression_with_an_unknown_metric_is_found(wrong: str) -> None:
    assert list(complaints(wrong))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")
def test_prometheus_accepts_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _signs() -> list[str]:
    table = OPERATIONS.read_text().partition("| sign | what it means | what to do |")[2]
    rows = table.partition("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


def _anchors() -> set[str]:
    heads = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_every_alert_has_a_row_in_the_documentation_and_links_to_it() -> None:
    names = [one["alert"] for one in rules()]
    assert len(names) == len(set(names)) > 10
    for one in rules():
        told = one["annotations"]
        assert told["sign"] in _signs(), one["alert"]
        paper, _, anchor = told["runbook_url"].partition("#")
        assert (ROOT / paper) == OPERATIONS
        assert anchor in _anchors(), told["runbook_url"]
        assert one["labels"]["severity"] in ("page", "ticket")
        told_of = set(re.findall(r"\$labels\.(\w+)", told["summary"]))
        has = {
            label for name in SERIES if name in one["expr"] for label in SERIES[name].label_names
        }
        assert told_of <= has | {"instance"}, one["alert"]


def test_every_documented_row_has_an_alert_or_no_metric() -> None:
    watched = {one["annotations"]["sign"] for one in rules()}
    assert len(_signs()) > 20
    for sign in set(_signs()) - watched:
        assert set(re.findall(r"`([a-z_]+)[` ]", sign)) & NO_METRIC, sign


def test_dashboard_panels_have_units_and_do_not_overlap() -> None:
    shown = [one for one in panels() if one["type"] != "row"]
    assert len(shown) > 15
    assert len({one["id"] for one in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for one in panels():
        at = one["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    for one in shown:
        assert one["targets"], one["title"]
        assert one["description"], one["title"]
        unit = one["fieldConfig"]["defaults"]["unit"]
        seconds = all(
            re.search(r"seconds\b|seconds_bucket", each["expr"]) for each in one["targets"]
        )
        assert (unit == "s") is seconds, one["title"]
        assert unit in {"s", "short", "reqps", "cps", "currencyIDR", "percentunit"}

"""What the alert rules and the dashboard name: metrics, labels and their values, read out of the PromQL."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "config" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "config" / "grafana" / "walletbridge.json"

_METRIC = re.compile(r"\b(walletbridge_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"instance"}
"""Labels that Prometheus adds by itself."""


@dataclass(frozen=True, slots=True)
class Named:
    """A metric in an expression, with the labels that are expected of it."""

    metric: str
    values: tuple[tuple[str, str], ...]
    """Labels that must have a value."""


def expressions() -> list[str]:
    """All of both files."""
    rules = [rule for group in YAML(typ="safe").load(ALERTS)["groups"] for rule in group["rules"]]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [*(rule["expr"] for rule in rules), *shown]


def named_in(expression: str) -> Iterator[Named]:
    """Each metric with what its selector wants of it; a choice of values counts as each of them."""
    for metric, selector in _METRIC.findall(expression):
        values = [
            (label, value)
            for label, _, text in _MATCHER.findall(selector)
            if label not in OF_PROMETHEUS
            for value in text.split("|")
        ]
        yield Named(metric, tuple(values))


def grouped_by(expression: str) -> set[str]:
    """The labels by which an expression groups."""
    lists = _GROUPING.findall(expression)
    return {label.strip() for text in lists for label in text.split(",")} - OF_PROMETHEUS

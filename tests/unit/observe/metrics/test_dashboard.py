"""The dashboard shows every metric, so that none is found to be there only when it is looked for."""

import json
import re

import pytest
from tests.process.named import ALERTS, DASHBOARD, ROOT, named_in

PACKAGE = ROOT / "addon" / "walletbridge"
_NAME = re.compile(r'"(walletbridge_[a-z_]+)"')
NO_METRICS = {"walletbridge_config"}
"""An option of mitmproxy."""
_SUFFIXES = re.compile(r"(_seconds)_(?:bucket|sum|count)\Z")

PANELS = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def shown() -> set[str]:
    """The metrics of all panels; a histogram is one, whichever of its parts is shown."""
    expressions = [target["expr"] for panel in PANELS for target in panel["targets"]]
    return {_SUFFIXES.sub(r"\1", named.metric) for expression in expressions for named in named_in(expression)}


def measured() -> set[str]:
    """All names in the code, those of a supervisor and of files beside those of workers."""
    return {name for file in PACKAGE.rglob("*.py") for name in _NAME.findall(file.read_text())} - NO_METRICS


def test_each_metric_has_a_panel() -> None:
    assert measured() - shown() == set()


def test_each_alert_has_a_panel_that_shows_more() -> None:
    alerting = {_SUFFIXES.sub(r"\1", named.metric) for named in named_in(ALERTS.read_text())}

    assert alerting - shown() == set()


@pytest.mark.parametrize("key", ["id", "title"])
def test_panels_can_be_told_apart(key: str) -> None:
    assert len({panel[key] for panel in PANELS}) == len(PANELS)


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells

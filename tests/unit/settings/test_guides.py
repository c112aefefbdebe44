"""The guides name settings, alerts and places that are there."""

import json
import re
from itertools import chain
from pathlib import Path

import pytest
from tests.process.named import ALERTS, ROOT

GUIDES = sorted((ROOT / "config" / "guides").glob("*.md"))
PRODUCTION = ROOT / "config" / "guides" / "production.md"
SETTINGS = (ROOT / "config" / "walletbridge.yaml").read_text()
SECTIONS = re.findall(r"^#?([a-z_0-9]+):", SETTINGS, re.MULTILINE)
KEYS = set(re.findall(r"^ +#?([a-z_0-9]+):", SETTINGS, re.MULTILINE))
LINES_MAX = 120


def anchors(text: str) -> set[str]:
    """Those of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "README.md"], ids=lambda path: path.name)
def test_each_link_to_a_file_leads_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text()):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = guide.parent / path if path else guide
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def test_each_alert_has_something_to_do() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", ALERTS.read_text()))

    assert set(re.findall(r"`(Walletbridge\w+)`", PRODUCTION.read_text())) == alerts


def test_the_keys_that_it_names_are_settings() -> None:
    named = re.findall(r"`([a-z_0-9]+)\.([a-z_0-9]+)(?::[^`]*)?`", PRODUCTION.read_text())
    keys = [(section, key) for section, key in named if section != "walletbridge"]

    assert len(keys) > 20
    assert set(chain.from_iterable(keys)) <= {*SECTIONS, *KEYS}, json.dumps(keys)


def test_it_is_short_and_is_found_from_the_readme() -> None:
    assert len(PRODUCTION.read_text().splitlines()) <= LINES_MAX
    assert "(config/guides/production.md)" in (ROOT / "README.md").read_text()

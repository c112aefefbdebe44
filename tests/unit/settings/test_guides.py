"""The pages name settings, alerts, programs and places that exist, and a reader of README.md finds every guide."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.process.named import ALERTS, ROOT

from walletbridge.cli import main
from walletbridge.demo.books import DEMO_PLAYERS

README = ROOT / "README.md"
FOLDER = ROOT / "config" / "guides"
GUIDES = sorted(FOLDER.glob("*.md"))
PAGES = [README, *GUIDES, *sorted((ROOT / ".github").glob("*.md"))]
MAPPING = FOLDER / "mapping.md"
PRODUCTION = FOLDER / "production.md"
FIRST_DAY = FOLDER / "connect-a-wallet.md"
SETTINGS = (ROOT / "config" / "walletbridge.yaml").read_text()
SECTIONS = re.findall(r"^#?([a-z_0-9]+):", SETTINGS, re.MULTILINE)
KEYS = set(re.findall(r"^ +#?([a-z_0-9]+):", SETTINGS, re.MULTILINE))
SUFFIXES = {"md", "proto", "yaml"}
"""Of files, which look like keys."""
LINES_MAX = 120
README_BYTES_MAX = 9000


def anchors(text: str) -> set[str]:
    """Those of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[tuple[Path, str]]:
    """The files to which a page links, each with its anchor."""
    targets = [target.partition("#") for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    return [
        ((page.parent / path).resolve() if path else page, anchor)
        for path, _, anchor in targets
        if not re.match(r"[a-z]+:", path)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_each_link_to_a_file_leads_somewhere(page: Path) -> None:
    for file, anchor in links(page):
        assert file.exists(), file
        assert not anchor or anchor in anchors(file.read_text()), (file, anchor)


def test_the_readme_is_short_and_links_every_guide() -> None:
    """Directly: a reader needs one step."""
    linked = {file for file, _ in links(README)}

    assert README.stat().st_size <= README_BYTES_MAX
    assert set(PAGES) - {README} - linked == set()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_a_guide_opens_with_its_reader_and_ends_where_the_reader_can_stop(guide: Path) -> None:
    paragraphs = guide.read_text().strip().split("\n\n")

    assert paragraphs[0].startswith("# ")
    assert re.match(r"For (a|an|the) ", paragraphs[1])
    assert paragraphs[-1].startswith("You can stop here ")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_programs_that_it_names_exist(page: Path) -> None:
    text = page.read_text()

    assert [name for name in re.findall(r"python -m (tests[\w.]*\w)", text) if not can_run(name)] == []
    assert set(re.findall(r"(?:^|`|uv run )walletbridge ([a-z][a-z-]*)", text, re.MULTILINE)) <= commands()


def can_run(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return (path / "__main__.py").is_file() or '__name__ == "__main__"' in path.with_suffix(".py").read_text()


def commands() -> set[str]:
    return set(main.list_commands(main.make_context("walletbridge", ["check"], resilient_parsing=True)))


def test_the_first_day_has_a_wallet_before_its_first_check() -> None:
    text = FIRST_DAY.read_text()
    order = ["walletbridge demo-wallet", "| `test1234` |", "walletbridge check", "walletbridge serve", "curl "]
    places = [text.index(step) for step in order]

    assert all(before < after for before, after in pairwise(places))


def test_the_first_day_names_the_accounts_of_the_demo_wallet() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (inactive)?", FIRST_DAY.read_text(), re.MULTILINE)

    assert {
        account: (int(balance.replace(".", "")), not inactive) for account, balance, inactive in rows
    } == DEMO_PLAYERS


def test_the_guide_to_the_settings_names_every_section() -> None:
    table = (FOLDER / "settings.md").read_text().partition("## The sections")[2]

    assert [section for section in SECTIONS if f"`{section}`" not in table] == []


def test_each_alert_has_something_to_do() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", ALERTS.read_text()))

    assert set(re.findall(r"`(Walletbridge\w+)`", PRODUCTION.read_text())) == alerts


@pytest.mark.parametrize("page", sorted({*PAGES} - {MAPPING}), ids=lambda path: path.name)
def test_the_keys_that_it_names_are_settings(page: Path) -> None:
    """Those of mapping.md are of another file."""
    named = re.findall(r"`([a-z_0-9]+)\.([a-z_0-9]+)(?::[^`]*)?`", page.read_text())
    keys = [(section, key) for section, key in named if section != "walletbridge" and key not in SUFFIXES]

    assert page != PRODUCTION or len(keys) > 20
    assert [(section, key) for section, key in keys if section not in SECTIONS or key not in KEYS] == []


def test_the_guide_to_production_is_short() -> None:
    assert len(PRODUCTION.read_text().splitlines()) <= LINES_MAX

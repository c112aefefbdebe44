"""
Every citation leads somewhere: `PROTOCOL: Section` to a heading of PROTOCOL.md, `RULES n` to a rule of RULES.md.

A citation ends with a full stop, a bracket, a colon, a semicolon or a quote; several sections are comma-separated.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.authorities import PROTOCOL_PAGE, ROOT, RULES_PAGE, rule_numbers, sections

from walletbridge.simulator.rules import Rule

PLACES = ["README.md", "CHANGELOG.md", "pyproject.toml", "addon", "config", "protos", "tests"]
KINDS = {".md", ".py", ".toml", ".yaml", ".json", ".proto", ".conf", ".service"}
RULES_OFF = ROOT / "tests" / "money" / "model" / "rules_off.py"


def texts() -> Iterator[Path]:
    """The files in which something may be cited. This one names what is wrong."""
    for name in PLACES:
        place = ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in KINDS and "__pycache__" not in path.parts and path != Path(__file__):
                yield path


def in_one_line(path: Path) -> str:
    """The text, its lines joined: a citation may go over a line's end, in a comment as well."""
    return re.sub(r"\n[ \t]*(?:# )?", " ", path.read_text(encoding="utf-8"))


def sections_cited(text: str) -> list[str]:
    """The names behind each `PROTOCOL`, with what is no name among them."""
    cited = re.findall(r"(?<![\w./])PROTOCOL\b(?!\.md|_)(?::\s+([^.():;\"`]*))?", text)
    return [name.strip() for names in cited for name in names.split(",")]


def numbers_cited(text: str) -> list[str]:
    """The numbers behind each `RULES`, with an empty text where there is none."""
    return re.findall(r"(?<![\w./])RULES\b(?!\.md)(?: (\d+))?", text)


def cited_in(find: Callable[[str], list[str]]) -> set[tuple[str, str]]:
    """The names of all files with what `find` finds in each."""
    return {(path.relative_to(ROOT).as_posix(), found) for path in TEXTS for found in find(in_one_line(path))}


TEXTS = list(texts())
SECTIONS = sections()
NUMBERS = {str(number) for number in rule_numbers()}


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Its shape (PROTOCOL: Answers).", ["Answers"]),
        ("PROTOCOL: Time limits, Retries.", ["Time limits", "Retries"]),
        ("so says PROTOCOL.md, and ssl.PROTOCOL_TLS and NO_PROTOCOL do not", []),
        ("PROTOCOL, Checks: 42", [""]),
        ("PROTOCOL has it", [""]),
        ("PROTOCOL: No such place.", ["No such place"]),
    ],
)
def test_a_citation_of_the_protocol_is_found(text: str, cited: list[str]) -> None:
    assert sections_cited(text) == cited


@pytest.mark.parametrize(
    ("text", "cited"),
    [("(RULES 12).", ["12"]), ("see RULES.md and _RULES", []), ("RULES", [""]), ("RULES 6, RULES 7", ["6", "7"])],
)
def test_a_citation_of_the_rules_is_found(text: str, cited: list[str]) -> None:
    assert numbers_cited(text) == cited


def test_every_section_that_is_cited_is_there() -> None:
    # The last two are no names: the sentence that states how to cite, and the text that is filled in from each rule.
    known = {*SECTIONS, "Section", "{rule"}
    found = cited_in(sections_cited)

    assert len(found) > 20
    assert {(path, name) for path, name in found if name not in known} == set()


def test_every_section_in_a_report_of_the_simulator_is_there() -> None:
    assert {rule.section for rule in Rule} - set(SECTIONS) == set()


def test_every_rule_that_is_cited_is_there() -> None:
    found = cited_in(numbers_cited)
    found.discard((RULES_PAGE.relative_to(ROOT).as_posix(), ""))  # `RULES n`: it states how to cite

    assert len(found) > 10
    assert {(path, number) for path, number in found if number not in NUMBERS} == set()


@pytest.mark.parametrize("path", [RULES_PAGE, RULES_OFF], ids=lambda path: path.name)
def test_the_rules_name_each_other_by_their_numbers(path: Path) -> None:
    found = re.findall(r"\b[Rr]ules? (\d+)(?: to (\d+))?", in_one_line(path))

    assert len(found) > 10
    assert {number for numbers in found for number in numbers if number} - NUMBERS == set()


@pytest.mark.parametrize("authority", [PROTOCOL_PAGE, RULES_PAGE], ids=lambda path: path.name)
def test_no_heading_stands_twice(authority: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", authority.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(headings) == len(set(headings))


def test_nothing_is_cited_that_is_not_in_the_project() -> None:
    outside = re.compile(r"\bDESIGN\b|\b(?:LAYOUT|STYLE|MITMPROXY)\.md\b")

    assert [path for path in TEXTS if outside.search(path.read_text(encoding="utf-8"))] == []

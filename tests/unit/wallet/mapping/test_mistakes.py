"""Any single mistake in a right mapping file is found before anything starts, with its line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.mappings import BANK, BANK_MAPPING, compile_text

from walletbridge.connect.check import check

MAPPING = BANK_MAPPING.replace("proto: [bank.proto]", "descriptor_set: bank.binpb")
LINES = MAPPING.splitlines()
MISTAKES_MIN = 60


class Mutation(NamedTuple):
    """One changed line; None for one that is taken out."""

    kind: str
    line: int
    text: str | None


def misspelt(word: str) -> str:
    """With two letters in the middle changed for one that is in no name."""
    middle = len(word) // 2
    return f"{word[:middle]}Q{word[middle + 1 :]}"


def each(kind: str, pattern: str, replace: str = "") -> Iterator[Mutation]:
    """The mutations of one kind: the group `word` misspelt, or replaced, wherever the pattern is found."""
    for number, line in enumerate(LINES, start=1):
        if match := re.search(pattern, line):
            start, end = match.span("word")
            yield Mutation(kind, number, line[:start] + (replace or misspelt(match["word"])) + line[end:])


def removed(kind: str, pattern: str) -> Iterator[Mutation]:
    return (Mutation(kind, number, None) for number, line in enumerate(LINES, start=1) if re.search(pattern, line))


ALL = [
    *each("method", r"method: (?P<word>\w+)"),
    *each("service", r"service: (?P<word>[\w.]+)"),
    *each("look-up", r"lookup: (?P<word>\w+)"),
    *each("section", r"^(?P<word>[a-z]+):"),
    *each("command", r"^  (?P<word>authenticate|balance|bet|win|cancel|status):"),
    *each("undo", r"^    (?P<word>undo_\w+):"),
    *each("key of a binding", r"^    (?P<word>method|request|outcome|balance|state|lookup|metadata):"),
    *each("field", r"^      (?P<word>user_id|amount|reference|kind|round|currency): "),
    *each("source", r'"(?:\w+:)?\{(?P<word>\w+)'),
    *each("path of a look-up", r"player\.(?P<word>user\.id)"),
    *each("form", r"amount:(?P<word>decimal)", "minoor"),
    *each("form of another type", r"\{balance:(?P<word>decimal)", "double"),
    *each("form of another type", r"\{amount:(?P<word>decimal)", "double"),
    *each("part of an amount", r"\{amount:(?P<word>decimal)", "units"),
    *each("balance's path", r"\{(?P<word>balance):decimal"),
    *each("value of an enum", r"(?P<word>STAT(?:E|US)_[A-Z_]+)"),
    *each("value of an enum in a request", r"(?P<word>KIND_[A-Z]+)"),
    *each("result", r"STATUS_OK: (?P<word>0)$", "1"),
    *each("result", r"STATUS_NO_USER: (?P<word>21)$", "32"),
    *each("state", r"STATE_BOOKED: (?P<word>OK)", "FINE"),
    *each("bool", r"(?P<word>true): "),
    *each("promise", r"^  (?P<word>late_bets_refused|repeats|checks): "),
    *each("promise's value", r"repeats: (?P<word>reported)"),
    *each("check", r"checks: \[(?P<word>21)", "23"),
    *each("type of a field", r'user_id: (?P<word>"\{player.user.id\}")', '"{amount:decimal}"'),
    *each("type of a field", r"currency: (?P<word>EUR)", "[EUR]"),
    *each("status", r"(?P<word>NOT_FOUND)"),
    *each("status that gRPC makes up", r"(?P<word>NOT_FOUND)", "UNAVAILABLE"),
    *each("quotes", r'(?P<word>"\{amount:decimal\}")', "{amount:decimal}"),
    *removed("outcome left out", r"^        STATUS_[A-Z_]+: "),
    *removed("state left out", r"^        STATE_[A-Z_]+: "),
    *removed("promise left out", r"^  (late_bets_refused|repeats|checks): "),
    *removed("amount left out", r"^ +amount: "),
]

OF_EACH_KIND = 4
MUTATIONS = [
    mutation
    for index, mutation in enumerate(ALL)
    if sum(earlier.kind == mutation.kind for earlier in ALL[:index]) < OF_EACH_KIND
]


def mutated(mutation: Mutation) -> str:
    lines = list(LINES)
    if mutation.text is None:
        del lines[mutation.line - 1]
    else:
        lines[mutation.line - 1] = mutation.text
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bank")
    (path / "bank.binpb").write_bytes(compile_text(BANK).SerializeToString())
    (path / "walletbridge.yaml").write_text("wallet: {target: '127.0.0.1:1', mapping: mapping.yaml}\n")
    return path


def problems(folder: Path, text: str) -> list[str]:
    """What `check` says before it would ask the wallet."""
    (folder / "mapping.yaml").write_text(text)
    found = []
    for finding in check(folder / "walletbridge.yaml"):
        if finding.text.startswith("mapping: "):
            return []
        if not finding.is_right and "token" not in finding.text:
            found.append(finding.text)
    return found


def test_there_are_enough_of_each_kind() -> None:
    assert len(MUTATIONS) >= MISTAKES_MIN
    assert len({mutated(mutation) for mutation in MUTATIONS}) >= MISTAKES_MIN


def test_the_right_file_is_right(folder: Path) -> None:
    assert problems(folder, MAPPING) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.kind}-{each.line}")
def test_a_single_mistake_is_told_with_its_line_and_nothing_starts(folder: Path, mutation: Mutation) -> None:
    """A changed line is named itself; where a line lacks, the one to which it belongs."""
    text = mutated(mutation)
    assert text != MAPPING
    found = problems(folder, text)

    assert found != []
    lines = [
        int(line)
        for problem in found
        if (line := problem.removeprefix(f"{folder}/mapping.yaml:").partition(":")[0]).isdigit()
    ]
    assert len(lines) == len(found)
    if mutation.text is not None and mutation.kind != "part of an amount":
        assert mutation.line in lines

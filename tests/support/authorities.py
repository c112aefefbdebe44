"""PROTOCOL.md and RULES.md: their headings, tables and examples."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PROTOCOL_PAGE = ROOT / "addon" / "walletbridge" / "protocol" / "PROTOCOL.md"
RULES_PAGE = ROOT / "addon" / "walletbridge" / "rules" / "RULES.md"


class Example(NamedTuple):
    """A curl line of PROTOCOL.md."""

    url: str
    headers: dict[str, str]
    body: bytes
    answers: list[bytes]
    """The answers that the page shows for it: the first one, then those of the same line sent again."""

    @property
    def request(self) -> dict[str, Any]:
        """The body as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document


def sections() -> dict[str, str]:
    """The text of PROTOCOL.md below each heading, up to the next one."""
    _, *parts = re.split(r"^#+ (.+)$", PROTOCOL_PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rule_numbers() -> set[int]:
    """The numbers of the rules in RULES.md."""
    return {
        int(number) for number in re.findall(r"^### (\d+)\. ", RULES_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    }


def table(section: str, first_column: str) -> list[list[str]]:
    """The rows of the table in a section of PROTOCOL.md whose first column has this heading. Cells keep their marks."""
    rows: list[list[str]] = []
    is_in = False
    for line in sections()[section].splitlines():
        if not line.startswith("|"):
            is_in = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if is_in:
            rows.append(cells)
        is_in = is_in or cells[0] == first_column
    return rows[1:]  # without the line of dashes


def example(section: str) -> Example:
    """The curl line of a command's section."""
    text = sections()[section]
    [line] = re.findall(r"```sh\n(.+?)```", text, re.DOTALL)
    program, url, *options = shlex.split(line)
    assert program == "curl"
    values = list(zip(options[::2], options[1::2], strict=True))
    assert {option for option, _ in values} == {"-H", "-d"}
    [body] = [value for option, value in values if option == "-d"]
    headers = dict(value.split(": ", 1) for option, value in values if option == "-H")
    answers = [answer.encode() for answer in re.findall(r"```json\n(.+?)\n```", text)]
    return Example(url, headers, body.encode(), answers)

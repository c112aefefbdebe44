"""
The documented callbacks and their documented answers, as data.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the wallet's state before it, and the required answer. Cases do not depend on each other."""

    name: str
    players: list[dict[str, Any]]
    """`account`, `balance` in whole units, `active`."""
    transactions: list[dict[str, Any]]
    """`trans_id`, `account`, `kind`, `amount` in whole units, `canceled`."""
    request: dict[str, Any]
    http_status: int
    answer: dict[str, Any]
    has_token: bool = True

    @property
    def answer_bytes(self) -> bytes:
        """The exact bytes of the answer's body."""
        return json.dumps(self.answer, separators=(",", ":")).encode()


def documented_cases() -> list[Case]:
    """Returns all documented callbacks, and one with a wrong token."""
    document = json.loads((files(__package__) / "documented.json").read_text())
    cases = [
        Case(
            name=case["name"],
            players=case["given"]["players"],
            transactions=case["given"]["transactions"],
            request=case["request"],
            http_status=case["http_status"],
            answer=case["answer"],
        )
        for case in document["cases"]
    ]
    first = cases[0]
    wrong_token = Case(
        name="wrong token",
        players=first.players,
        transactions=[],
        request=first.request,
        http_status=200,
        answer=document["wrong_token_answer"],
        has_token=False,
    )
    return [*cases, wrong_token]

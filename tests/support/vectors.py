"""The documented examples: each callback with the wallet's state before it and the answer that it must get."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_DOCUMENTED = Path(__file__).parents[1] / "vectors" / "documented.json"


@dataclass(frozen=True, slots=True)
class Player:
    """A player before the request."""

    account: str
    balance: int
    """In whole currency units, as all amounts of a case are."""
    active: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """A bet or win that the wallet has made before the request; the players' balances have it in them already."""

    trans_id: int | str
    account: str
    kind: str
    """`bet` or `win`."""
    amount: int
    canceled: bool


@dataclass(frozen=True, slots=True)
class Given:
    """The wallet's state before the request."""

    players: tuple[Player, ...]
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One documented callback. It stands alone."""

    name: str
    given: Given
    request: dict[str, Any]
    """The body of the callback."""
    http_status: int
    answer: dict[str, Any]
    """The body of the answer."""


@dataclass(frozen=True, slots=True)
class Documented:
    """All that the file holds."""

    about: str
    headers: dict[str, str]
    """Of every request; `Callback-Token` stands for the real one."""
    wrong_token_answer: dict[str, Any]
    cases: list[Case]


@cache
def load_documented() -> Documented:
    """The whole file."""
    return msgspec.json.decode(_DOCUMENTED.read_bytes(), type=Documented)


def load_cases() -> list[Case]:
    """The cases, in the order of the file."""
    return load_documented().cases

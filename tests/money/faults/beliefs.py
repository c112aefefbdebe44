"""
The provider's book: every bet and win that it sent, what it was told, and what it believes. Pure.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

MINOR = 100
"""Minor units in a unit of the currency."""
MADE = frozenset({0, 41})
CANCELLED = frozenset({0, 42})
_RESULTS = {
    "bet": frozenset({0, 21, 22, 31, 41, 99}),
    "win": frozenset({0, 21, 22, 41, 99}),
    "cancel": frozenset({0, 21, 22, 42, 99}),
    "status": frozenset({0, 21, 42}),
}
"""What each command may be answered, with the checks that this provider asks for. PROTOCOL: Checks, Answers."""
_OK = 200
_UNKNOWN = 500


class Belief(StrEnum):
    """What the provider believes became of a bet or win."""

    OPEN = "open"
    APPLIED = "applied"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    CANCEL_REFUSED = "cancel refused"
    """It asked for it to be cancelled, and was told that this was not done."""
    CANCEL_GIVEN_UP = "cancel given up"
    """It asked for it to be cancelled, and was never answered: a bet that it takes for not made."""
    GIVEN_UP = "given up"
    """A win that was never answered: it is still owed."""
    VOID = "void"
    """A win that was never answered, of a round whose bet was cancelled later: it is not owed any more."""
    MOOT = "moot"
    """
    A win that was never answered, of a round whose bet's cancel was never answered either: it is void where the bet is
    cancelled, and owed where it stands.
    """


OWED = frozenset({Belief.APPLIED, Belief.GIVEN_UP})
"""Its money must have moved."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one callback brought back."""

    result: int | None = None
    """None: nothing definite."""
    state: str | None = None
    """Of a status."""
    failure: str = ""
    """Why there is no result."""
    wrong: str = ""
    """Why the answer is none that the protocol allows."""
    seconds: float = 0.0

    @property
    def is_heard(self) -> bool:
        """Whether the gateway answered at all, if only 500."""
        return self.result is not None or self.failure == str(_UNKNOWN)


class Hearing(NamedTuple):
    """An answer that the provider got, if only 500. Times are Unix seconds."""

    command: str
    at: float
    sent_at: float = 0.0


@dataclass(slots=True)
class Transaction:
    """A bet or a win."""

    trans_id: int | str
    account: str
    kind: str
    """`bet` or `win`."""
    amount: int
    """In minor units."""
    round_id: str
    belief: Belief = Belief.OPEN
    was_applied: bool = False
    """Whether the provider was ever told that it was made."""
    was_made_before: bool = False
    """Whether the first answer to a bet was 41."""
    cancelled_at: float | None = None
    """When a cancel was first answered 0 or 42, in Unix seconds."""
    cancel_sent_at: float | None = None
    """When a cancel was first sent, in Unix seconds."""
    made: list[tuple[str, float]] = field(default_factory=list)
    """The commands that were answered 0, and when they were sent, in Unix seconds."""
    heard: list[Hearing] = field(default_factory=list)
    """What the gateway has answered, if only with 500."""

    @property
    def key(self) -> str:
        """As the gateway and the wallet name it."""
        return str(self.trans_id)

    @property
    def delta(self) -> int:
        """What it does to the balance."""
        return -self.amount if self.kind == "bet" else self.amount

    @property
    def is_owed(self) -> bool:
        """Whether its money must have moved, by what the provider believes."""
        return self.belief in OWED


def read_answer(command: str, status: int, content: bytes, seconds: float) -> Answer:
    """Reads what came back in time. PROTOCOL: Answers."""
    if status == _UNKNOWN:
        return Answer(failure=str(_UNKNOWN), seconds=seconds)
    try:
        if status == _OK:
            return replace(_definite(command, json.loads(content)), seconds=seconds)
    except (ValueError, LookupError, TypeError):
        pass
    return Answer(failure="wrong", wrong=f"HTTP {status} {content!r}", seconds=seconds)


def _definite(command: str, answer: dict[str, Any]) -> Answer:
    """Raises ValueError, LookupError or TypeError where the protocol knows no such answer."""
    result, data = answer["result"], answer.get("data", {})
    if type(result) is not int or result not in _RESULTS[command] or answer["status"] != ("ERROR" if result else "OK"):
        raise ValueError("no result")
    if command == "status" and not result:
        if data["trans_status"] not in {"OK", "CANCELED"}:
            raise ValueError("no state")
        return Answer(0, state=data["trans_status"])
    if result not in {21, 22} and not isinstance(data["balance"], int | float):
        raise TypeError("no balance")
    return Answer(result)


def contradiction(transaction: Transaction, command: str, answer: Answer) -> str:
    """Why the answer to a status or a repeat cannot be right, after what the provider was told; empty if it can."""
    belief = transaction.belief
    if answer.result is None:
        return ""
    if command in {"bet", "win"}:
        # Repeats of what was answered.
        wrong = answer.result not in ({41} if belief is Belief.APPLIED else {21, 22, 41, 99})
    elif belief is Belief.APPLIED:
        wrong = answer.state != "OK"
    else:
        # A win that was refused may be tried anew, by a double of it.
        is_refused = belief is Belief.REFUSED and transaction.kind == "bet"
        wrong = answer.state == "OK" and (is_refused or belief is Belief.CANCELLED)
    return f"{command} of a transaction that is {belief}: {answer.state or answer.result}" if wrong else ""

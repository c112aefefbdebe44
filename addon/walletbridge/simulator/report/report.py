"""
The results of a run: plain data with stable names, for people (see `rendering`) and, as JSON, for scripts.

Amounts are exact decimals in units of the currency. The token is redacted.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from walletbridge.simulator.books.transactions import Belief

SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRequest:
    """A redacted request."""

    method: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownAnswer:
    """A redacted answer, or why there is none."""

    http_status: int | None
    body: str
    failure: str | None
    milliseconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownExchange:
    """A request with its answer."""

    request: ShownRequest
    answer: ShownAnswer


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """An answer that breaks a rule."""

    case: str
    rule: str
    section: str
    """The section of the protocol."""
    sentence: str
    """The expected answer, the actual answer, and the broken rule."""
    exchanges: tuple[ShownExchange, ...]
    """The evidence. A last `balance` shows the effect on the money."""


@dataclass(kw_only=True, slots=True)
class CaseCount:
    """How often a case was tried."""

    case: str
    rule: str
    tried: int = 0
    decided: int = 0
    """Answers that decide the case; 99 and unknown outcomes do not."""
    unknown: int = 0
    """HTTP 500, a late answer, or none."""
    violations: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRule:
    """How often a rule was broken, including the times that `violations` omits."""

    rule: str
    section: str
    """The section of the protocol."""
    says: str
    """The rule in one clause."""
    violations: int
    commands: dict[str, int]
    """Violations by command, the highest number first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """The latency of a command. A late answer counts with the time waited."""

    command: str
    limit_ms: float
    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    over_limit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountLine:
    """The final comparison of one account."""

    account: str
    started_with: Decimal
    expected: Decimal
    """The balance of the provider's book; an unanswered win that was given up is owed, and counts."""
    balance: Decimal | None
    """The wallet's balance; None if it gave none."""
    difference: Decimal | None
    agrees: bool | None
    """Whether the balance is `expected`, or differs only by unsettled transactions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransactionLine:
    """One bet or win in the provider's book."""

    trans_id: int | str
    account: str
    kind: str
    """`bet` or `win`."""
    amount: Decimal
    round_id: str
    belief: Belief
    settled: bool
    wallet_says: str | None
    """The last `status`: OK, CANCELED, UNKNOWN, or None without a definite answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The result of a run."""

    schema: int = SCHEMA
    could_not_run: str | None = None
    conforming: bool
    """No violation was found."""
    complete: bool
    """All cases were tried and all accounts compared."""
    url: str
    accounts: tuple[str, ...]
    seed: int
    decimals: int
    time_scale: float
    seconds: float
    calls: int
    cases: tuple[CaseCount, ...]
    not_tried: tuple[str, ...]
    violations_total: int
    violations: tuple[Violation, ...]
    """The first few of each rule and case, and at least one of each rule."""
    broken_rules: tuple[BrokenRule, ...]
    """The most often broken first."""
    latencies: tuple[Latency, ...]
    ledger: tuple[AccountLine, ...]
    statuses_asked: int
    """The number of `transactions` whose final `status` got a definite answer."""
    transactions: tuple[TransactionLine, ...] = field(repr=False)

    @property
    def unsettled(self) -> tuple[TransactionLine, ...]:
        """Transactions without a definite answer that supports the provider's belief."""
        return tuple(line for line in self.transactions if not line.settled)

    def to_json(self) -> bytes:
        """Returns one JSON document; amounts are JSON numbers."""
        return _encode({**_plain(self), "unsettled": [_plain(line) for line in self.unsettled]})


def could_not_run(problem: str) -> bytes:
    """Returns the JSON document of a run without a report."""
    return _encode({"schema": SCHEMA, "could_not_run": problem, "conforming": False})


def _plain(of: Report | TransactionLine) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__dataclass_fields__}


_encode = msgspec.json.Encoder(decimal_format="number").encode

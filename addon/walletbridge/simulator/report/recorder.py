"""
Collects the players' results: counts, latencies and the first few violations of each kind. Bounded.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.ledger import Heard
from walletbridge.simulator.plan import Plan
from walletbridge.simulator.report.cases import MAY_BE_REFUSED, WITHOUT_ANSWER, Case
from walletbridge.simulator.report.report import (
    BrokenRule,
    CaseCount,
    Latency,
    ShownAnswer,
    ShownExchange,
    ShownRequest,
    Violation,
)
from walletbridge.simulator.rules import FAULTS, Rule, sentence
from walletbridge.simulator.wire.client import Exchange, Failure

_KEPT_OF_A_KIND = 3
_KEPT_MAX = 100
_SHOWN_CHARACTERS_MAX = 2000
_SECONDS_KEPT_MAX = 200_000
_WITHOUT_LATENCY = frozenset({Failure.HUNG_UP, Failure.UNREACHABLE, Failure.BROKEN})
_NO_CALLBACKS = frozenset({Case.WRONG_TOKEN, Case.MISSING_TOKEN, Case.MALFORMED})
"""Refused without a wallet call, so they would improve the latencies."""


@dataclass(frozen=True, slots=True)
class Asked(Heard):
    """A call, the reading of its answer, and the bytes of both."""

    exchange: Exchange


class Recorder:
    """Collects one run's results for the report."""

    def __init__(self, plan: Plan, redact: Callable[[str], str]) -> None:
        self._plan = plan
        self._redact = redact
        self._counts: dict[Case, CaseCount] = {}
        self._last: dict[Case, Asked] = {}
        self._kept: Counter[tuple[Rule, Case | None]] = Counter()
        self._broken: dict[Rule, Counter[Command]] = defaultdict(Counter)
        self._seconds: dict[Command, list[float]] = defaultdict(list)
        self._over: Counter[Command] = Counter()
        self.violations: list[Violation] = []
        self.violations_total = 0
        self.calls = 0
        self.not_tried: dict[str, None] = {}
        """The names of scenarios for which there was no time."""

    @property
    def cases(self) -> tuple[CaseCount, ...]:
        """The counts, in the order of Case."""
        return tuple(self._counts[case] for case in Case if case in self._counts)

    def record(self, case: Case, asked: Asked, *, decided: bool | None = None) -> None:
        """Counts a call. If `decided` is None, the answer shows whether it decides the case."""
        self.calls += 1
        reading, exchange = asked.reading, asked.exchange
        if decided is None:
            decided = reading.known and (reading.result != Result.FAILED or case in MAY_BE_REFUSED)
        count = self._count(case)
        count.tried += 1
        count.decided += decided
        count.unknown += not reading.known and not decided
        self._last[case] = asked
        self._over[asked.call.command] += exchange.failure is Failure.LATE
        seconds = self._seconds[asked.call.command]
        if case not in _NO_CALLBACKS and exchange.failure not in _WITHOUT_LATENCY and len(seconds) < _SECONDS_KEPT_MAX:
            seconds.append(exchange.seconds)

    def violation(self, case: Case, rule: Rule, expected: str, got: str, asked: Sequence[Asked]) -> None:
        """Reports a broken rule, unless it is an expected fault."""
        if self._plan.faults_expected and rule in FAULTS:
            return
        self.violations_total += 1
        self._count(case).violations += 1
        is_first = rule not in self._broken
        self._broken[rule][asked[0].call.command] += 1
        # A wrong form is the same mistake in every case.
        kind = (rule, case if rule is case.rule else None)
        self._kept[kind] += 1
        # Each rule needs an example, so its first one is kept over the limit.
        if not is_first and (self._kept[kind] > _KEPT_OF_A_KIND or len(self.violations) >= _KEPT_MAX):
            return
        self.violations.append(
            Violation(
                case=case.title,
                rule=rule.id,
                section=rule.section,
                sentence=self._redact(sentence(rule, expected=expected, got=got)),
                exchanges=tuple(self._shown(one.exchange) for one in asked),
            )
        )

    def conclude(self) -> None:
        """Reports the cases that were tried without any deciding answer."""
        if self._plan.faults_expected:
            return
        for case, asked in self._last.items():
            count = self._counts[case]
            if count.decided or count.violations or case in WITHOUT_ANSWER:
                continue
            got = "no definite answer" if count.unknown == count.tried else f"result {Result.FAILED:d}"
            self.violation(case, case.rule, "an answer that decides", f"{got}, {count.tried} of {count.tried}", [asked])

    def latencies(self) -> tuple[Latency, ...]:
        """Returns the percentiles of each command."""
        return tuple(
            latency(command, self._plan.limit(command), self._seconds[command], self._over[command])
            for command in Command
            if self._seconds[command]
        )

    def broken_rules(self) -> tuple[BrokenRule, ...]:
        """Returns how often each rule was broken, the most often broken first."""
        ordered = sorted(self._broken.items(), key=lambda one: -one[1].total())
        return tuple(
            BrokenRule(
                rule=rule.id,
                section=rule.section,
                says=rule.says,
                violations=commands.total(),
                commands={command.value: count for command, count in commands.most_common()},
            )
            for rule, commands in ordered
        )

    def _count(self, case: Case) -> CaseCount:
        return self._counts.setdefault(case, CaseCount(case=case.title, rule=case.rule.id))

    def _shown(self, exchange: Exchange) -> ShownExchange:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if exchange.token.value is not None:
            headers["Callback-Token"] = exchange.token.value
        answer = exchange.answer
        return ShownExchange(
            request=ShownRequest(method="POST", headers=headers, body=self._text(exchange.body)),
            answer=ShownAnswer(
                http_status=None if answer is None else answer.http_status,
                body="" if answer is None else self._text(answer.body),
                failure=self._redact(exchange.why) or None,
                milliseconds=round(exchange.seconds * 1000, 1),
            ),
        )

    def _text(self, body: bytes) -> str:
        text = self._redact(body.decode(errors="replace"))
        return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}..."


def latency(command: Command, limit: float, seconds: Iterable[float], over: int) -> Latency:
    """Returns nearest-rank percentiles. `seconds` must not be empty."""
    ordered = sorted(seconds)

    def percentile(share: int) -> float:
        return round(ordered[ceil(len(ordered) * share / 100) - 1] * 1000, 1)

    return Latency(
        command=command,
        limit_ms=limit * 1000,
        count=len(ordered),
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        p99_ms=percentile(99),
        max_ms=percentile(100),
        over_limit=over,
    )

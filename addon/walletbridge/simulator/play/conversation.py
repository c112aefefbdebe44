"""
The calls for one account: sends them and checks every answer.

An answer that does not fit the ledger, or has a wrong form, goes to the recorder.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from random import Random

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.ledger import Ledger
from walletbridge.simulator.plan import BALANCE_RETRIES, BALANCE_WAIT, Plan
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Asked, Recorder
from walletbridge.simulator.rules import Rule
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.client import Client, Exchange, Failure, Token
from walletbridge.simulator.wire.readings import HTTP_SERVER_ERRORS, Problem, Reading, read


class Conversation:
    """The calls for one account: one at a time, except for deliberate bursts."""

    def __init__(self, account: str, plan: Plan, client: Client, recorder: Recorder) -> None:
        self.account = account
        self.plan = plan
        self.recorder = recorder
        self.ledger = Ledger(0)
        self.random = Random(f"{plan.seed}:{account}")  # noqa: S311 - repeats a run by its seed, no secret
        self._client = client

    @property
    def where(self) -> str:
        """The account and the callback URL, for errors."""
        return f"account {self.account} at {self._client.url}"

    async def ask(self, case: Case, call: Call, *, body: bytes | None = None, hang_up: bool = False) -> Asked:
        """Sends one call and checks its answer against the ledger."""
        asked = await self.post(call, body=body, hang_up=hang_up)
        self.note(case, asked)
        await self._check(case, [asked])
        return asked

    async def at_once(self, case: Case, calls: Iterable[Call]) -> list[Asked]:
        """Sends several calls at once and checks that some order of them explains their answers."""
        burst = await asyncio.gather(*(self.post(call) for call in calls))
        for asked in burst:
            self.note(case, asked)
        await self._check(case, burst)
        return burst

    async def ask_beside(self, case: Case, call: Call, expected: Result) -> None:
        """Sends a call for another account, which does not concern the ledger."""
        asked = await self.post(call)
        self.note(case, asked)
        if asked.reading.known and asked.reading.result != expected:
            self.recorder.violation(case, case.rule, f"result {expected:d}", str(asked.reading), [asked])

    async def post(
        self, call: Call, *, body: bytes | None = None, token: Token = Token.RIGHT, hang_up: bool = False
    ) -> Asked:
        """Sends one call and reads its answer. If the run is cut before the answer, the outcome is unknown."""
        sent = call.body(int(time.time())) if body is None else body
        try:
            exchange = await self._client.post(sent, self.plan.limit(call.command), token=token, hang_up=hang_up)
        except asyncio.CancelledError:
            if token is Token.RIGHT:
                self.ledger.observe([Asked(call, Reading(), Exchange(sent, token, None, Failure.LATE, "", 0))])
            raise
        answer = exchange.answer
        reading = Reading() if answer is None else read(call, answer.http_status, answer.body)
        if exchange.failure is Failure.LATE:
            limit = f"an answer within {self.plan.limit(call.command):.3g} s"
            reading.problems.append(Problem(Rule.TIME_LIMIT, limit, "none"))
        elif exchange.failure is not None and exchange.failure is not Failure.HUNG_UP:
            reading.problems.append(Problem(Rule.ANSWERED, "an HTTP answer", exchange.why))
        return Asked(call, reading, exchange)

    async def pause(self, wait: tuple[float, float]) -> None:
        """Waits for a random time between the two, in seconds scaled by the plan."""
        await asyncio.sleep(self.plan.wait(self.random.uniform(*wait)))

    async def balance(
        self, *, blame: Asked | None = None, case: Case = Case.BALANCE, rule: Rule = Rule.BALANCE
    ) -> None:
        """
        Asks for the balance, and again if there is no answer. If the balance does not fit, the call `blame` broke
        `rule`.
        """
        for attempt in range(1 + BALANCE_RETRIES):
            if attempt:
                await self.pause(BALANCE_WAIT)
            asked = await self.post(Call(command=Command.BALANCE, account=self.account))
            self.note(Case.BALANCE_RETRY if attempt else Case.BALANCE, asked)
            if not self.ledger.observe([asked]):
                shown = [asked] if blame is None else [blame, asked]
                self.recorder.violation(case, rule, self.ledger.expected(asked.call), str(asked.reading), shown)
                self._correct(asked)
            if not is_unanswered(asked):
                return

    def note(self, case: Case, asked: Asked) -> None:
        """Counts a call, and reports problems with the form of its answer."""
        self.recorder.record(case, asked)
        for problem in asked.reading.problems:
            self.recorder.violation(case, problem.rule, problem.expected, problem.got, [asked])

    async def _check(self, case: Case, asked: Sequence[Asked]) -> None:
        """Checks the answers to calls made at once against the ledger. If they do not fit, asks for the balance."""
        # A call without a connection was not made.
        asked = [one for one in asked if one.exchange.failure is not Failure.UNREACHABLE]
        if self.ledger.observe(asked):
            for one in asked:
                if one.reading.result == Result.FAILED:
                    await self.balance(blame=one, case=case, rule=Rule.NOT_MADE)
            return
        only = asked[0] if len(asked) == 1 else None
        expected = "answers that some order of the calls explains"
        if only:
            expected = self.ledger.expected(only.call, only.reading.result)
        results_fit = self.ledger.follow(asked)
        told = await self.post(Call(command=Command.BALANCE, account=self.account))
        self.note(Case.BALANCE, told)
        money_fits = self.ledger.observe([told])
        if not money_fits:
            self._correct(told)
        rule = case.rule
        if results_fit and only and only.reading.result == Result.FAILED:
            rule = Rule.NOT_MADE
        elif results_fit and money_fits:
            rule = Rule.MOVEMENT
        got = ", ".join(str(one.reading) for one in asked)
        self.recorder.violation(case, rule, expected, got, [*asked, told])

    def _correct(self, asked: Asked) -> None:
        if asked.reading.result == Result.OK and asked.reading.balance is not None:
            self.ledger.correct(asked.reading.balance)


def is_unanswered(asked: Asked) -> bool:
    """
    Whether the provider tries again: no answer, or HTTP 5xx. It does not retry after an answer that it cannot read.
    """
    answer = asked.exchange.answer
    return answer is None or answer.http_status in HTTP_SERVER_ERRORS

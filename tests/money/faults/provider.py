"""
The provider: sends callbacks, waits as long as it does, repeats, cancels, gives up. PROTOCOL: Time limits, Retries.
"""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self, TextIO

import aiohttp
from tests.money.faults.beliefs import (
    CANCELLED,
    MADE,
    MINOR,
    Answer,
    Belief,
    Hearing,
    Transaction,
    contradiction,
    read_answer,
)
from tests.money.faults.plan import SCALE
from tests.support.callbacks import body, make_callback
from tests.support.processes import headers

LIMITS = {"bet": 2.0, "win": 4.0, "cancel": 4.0, "status": 4.0}
"""Seconds within which the answer must arrive."""
RETRIES = 3
"""Of a deposit, after the first request."""
_PAUSE = (2.0, 4.0)
"""Seconds between two of them."""
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What a provider does, where providers differ."""

    url: str
    seed: int
    voids_rounds: bool = False
    """Whether a late rollback of a bet goes for its whole round."""
    scale: float = SCALE
    """By what all times are divided."""


class Provider:
    """Plays the provider for all players, and keeps the book."""

    def __init__(self, conduct: Conduct, trace: Path) -> None:
        """What is sent and what comes back is written to `trace`, one line of JSON each."""
        self._conduct = conduct
        self._random = Random(f"provider:{conduct.seed}")  # noqa: S311 - to be repeated, not to be secret
        self._numbers = itertools.count(conduct.seed * 1_000_000 + 1)
        self._trace_path = trace
        self._trace: TextIO | None = None
        self._client: aiohttp.ClientSession | None = None
        self._later = asyncio.TaskGroup()
        self.transactions: dict[str, Transaction] = {}
        self.calls: Counter[str] = Counter()
        """How many callbacks were sent, by command."""
        self.failures: Counter[str] = Counter()
        """How many had no definite answer, by what came instead."""
        self.wrong: list[str] = []
        """Answers that no gateway may give."""

    async def __aenter__(self) -> Self:
        """May be entered again once it was left."""
        self._trace = self._trace_path.open("a")
        self._later = asyncio.TaskGroup()
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers())
        await self._later.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Waits for what still goes on: retries and cancels."""
        try:
            await self._later.__aexit__(kind, error, traceback)
        finally:
            if self._client:
                await self._client.close()
            if self._trace:
                self._trace.close()

    @property
    def arrived(self) -> int:
        """How many callbacks were sent and did not end with a broken connection."""
        return self.calls.total() - self.failures["broken"]

    def new(self, kind: str, account: str, amount: int, round_id: str = "") -> Transaction:
        """A bet or win that nobody has heard of; its round is a new one where none is given."""
        number = next(self._numbers)
        trans_id = f"s-{number}" if number % 7 == 0 else number
        transaction = Transaction(trans_id, account, kind, amount, round_id or f"r{number}")
        self.transactions[transaction.key] = transaction
        return transaction

    async def bet(self, bet: Transaction) -> None:
        """Takes a stake; where nobody answers, it is cancelled meanwhile."""
        answer = await self._ask(bet, "bet")
        if answer.result is None:
            self._later.create_task(self.cancel(bet))
        elif answer.result in MADE:
            bet.belief, bet.was_applied, bet.was_made_before = Belief.APPLIED, True, bool(answer.result)
        else:
            bet.belief = Belief.REFUSED

    async def win(self, win: Transaction) -> None:
        """Pays a win; where nobody answers, it is sent again meanwhile."""
        answer = await self._ask(win, "win")
        if answer.result is None:
            self._later.create_task(self._win_again(win))
        else:
            self._win_answered(win, answer)

    async def cancel(self, transaction: Transaction) -> None:
        """Cancels a bet or win, until it is answered or given up."""
        transaction.belief = Belief.OPEN
        transaction.cancel_sent_at = transaction.cancel_sent_at or time.time()
        answer = await self._ask(transaction, "cancel")
        for _ in range(RETRIES):
            if answer.result is not None:
                break
            await self._pause()
            answer = await self._ask(transaction, "cancel")
        if answer.result is None:
            transaction.belief = Belief.CANCEL_GIVEN_UP
        elif answer.result in CANCELLED:
            transaction.belief, transaction.cancelled_at = Belief.CANCELLED, time.time()
            if answer.result and transaction.was_applied:
                self.wrong.append(f"cancel {transaction.key}: {answer.result} for what was answered as made")
        else:
            transaction.belief = Belief.CANCEL_REFUSED

    async def status(self, transaction: Transaction) -> None:
        """Asks what became of it; the answer must fit what the provider was told."""
        await self._check(transaction, "status")

    async def again(self, transaction: Transaction) -> None:
        """Sends it once more, though it was answered; it must not be made again."""
        await self._check(transaction, transaction.kind)

    def roll_back_later(self, bet: Transaction, wins: Sequence[Transaction], seconds: float) -> None:
        """
        Cancels the bet of a round some time after its wins were answered or given up. A provider that voids rounds
        cancels the wins of which it has heard as well.
        """
        self._later.create_task(self._roll_back(bet, wins, seconds))

    async def _roll_back(self, bet: Transaction, wins: Sequence[Transaction], seconds: float) -> None:
        while any(win.belief is Belief.OPEN for win in wins):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(seconds / self._conduct.scale)
        await self.cancel(bet)
        for win in wins:
            if win.belief is Belief.GIVEN_UP:
                win.belief = Belief.VOID if bet.belief is Belief.CANCELLED else Belief.MOOT
            elif win.belief is Belief.APPLIED and self._conduct.voids_rounds:
                await self.cancel(win)

    async def _check(self, transaction: Transaction, command: str) -> None:
        answer = await self._ask(transaction, command)
        if problem := contradiction(transaction, command, answer):
            self.wrong.append(f"{transaction.key}: {problem}")

    async def _win_again(self, win: Transaction) -> None:
        for _ in range(RETRIES):
            await self._pause()
            answer = await self._ask(win, "win")
            if answer.result is not None:
                self._win_answered(win, answer)
                return
        win.belief = Belief.GIVEN_UP

    def _win_answered(self, win: Transaction, answer: Answer) -> None:
        win.was_applied = answer.result in MADE
        win.belief = Belief.APPLIED if win.was_applied else Belief.REFUSED

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(*_PAUSE) / self._conduct.scale)

    async def _ask(self, transaction: Transaction, command: str) -> Answer:
        self.calls[command] += 1
        sent_at = time.time()
        self._write(transaction, command, "sent")
        answer = await self._answer(command, self._body(transaction, command))
        if answer.is_heard:
            transaction.heard.append(Hearing(command, time.time(), sent_at))
        if answer.result == 0 and command != "status":
            transaction.made.append((command, sent_at))
        if answer.failure:
            self.failures[answer.failure] += 1
        if answer.wrong:
            self.wrong.append(f"{command} {transaction.key}: {answer.wrong}")
        said = answer.state or (answer.failure if answer.result is None else answer.result)
        self._write(transaction, command, "heard", answer=said, ms=round(1000 * answer.seconds, 1))
        return answer

    async def _answer(self, command: str, content: bytes) -> Answer:
        if self._client is None:
            raise RuntimeError("use `async with`")
        started = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=LIMITS[command] / self._conduct.scale)
        answer: Answer
        try:
            async with self._client.post(self._conduct.url, data=content, timeout=timeout) as response:
                answer = read_answer(command, response.status, await response.read(), 0)
        except TimeoutError:
            answer = Answer(failure="late")
        except aiohttp.ClientError:
            answer = Answer(failure="broken")
        return replace(answer, seconds=time.monotonic() - started)

    def _body(self, transaction: Transaction, command: str) -> bytes:
        fields: dict[str, object] = {"account": transaction.account, "trans_id": transaction.trans_id}
        if command != "status":
            fields["round_id"] = transaction.round_id
        if command in {"bet", "win"}:
            fields["amount"] = transaction.amount / MINOR
        return body(make_callback(command, **fields, timestamp=str(int(time.time()))))

    def _write(self, transaction: Transaction, command: str, event: str, **fields: object) -> None:
        line = {"timestamp": time.time(), "event": event, "command": command, "trans_id": transaction.key, **fields}
        if self._trace:
            self._trace.write(json.dumps(line) + "\n")

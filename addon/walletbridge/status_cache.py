"""
Remembers what became of transactions, so that a provider's `status` questions need not each reach the wallet.

Only final facts are kept: `OK` for a short time, `CANCELED` for long. A cancel drops what is known of its transaction
before the wallet is called and when that call has ended; nothing that was asked before that end is kept or shared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import TLRUCache

from walletbridge.callbacks import Cancel, Status
from walletbridge.changes import Changes
from walletbridge.errors import OutcomeUnknown
from walletbridge.outcomes import Outcome, Result, TransactionState
from walletbridge.trace import CacheUse

type _Key = tuple[str, str]
"""Account and transaction."""
type _Question = tuple[str, str, tuple[int, ...]]
type Load = Callable[[], Awaitable[Outcome]]

_ANSWERABLE = frozenset({Result.PLAYER_NOT_FOUND, Result.TRANSACTION_NOT_FOUND})
"""A transaction that is known has a player and exists; whether the player is active, only the wallet knows."""


@dataclass(frozen=True, slots=True)
class _Fact:
    state: TransactionState
    reading: int


@dataclass(frozen=True, slots=True)
class _Asking:
    reading: int
    task: asyncio.Task[Outcome]


class StatusCache:
    """A bounded cache in front of the wallet's status method. Not for use from several threads."""

    def __init__(
        self,
        *,
        size: int,
        ok_seconds: float,
        canceled_seconds: float,
        clock: Callable[[], float],
        changes: Changes | None = None,
    ) -> None:
        """With a `size` of 0 nothing is kept; equal questions in flight share a call all the same."""
        seconds = {TransactionState.OK: ok_seconds, TransactionState.CANCELED: canceled_seconds}
        self._facts: TLRUCache[_Key, _Fact] = TLRUCache(
            maxsize=size, ttu=lambda _, fact, now: now + seconds[fact.state], timer=clock
        )
        self._asking: dict[_Question, _Asking] = {}
        self._changes = changes or Changes()
        self._clock = clock
        self.uses = dict.fromkeys(CacheUse, 0)
        """How many questions were a hit, a miss and so on."""

    def __len__(self) -> int:
        """How many facts are kept."""
        return len(self._facts)

    async def ask(self, question: Status, load: Load, *, deadline: float) -> tuple[Outcome, CacheUse]:
        """
        Answers from what is known, or by `load`, which asks the wallet.

        Raises OutcomeUnknown where `load` does, or where an equal question's call does not end by `deadline`.
        """
        if not _ANSWERABLE.issuperset(question.checks):
            return await load(), self._used(CacheUse.BYPASSED)
        key = (question.account, question.trans_key)
        reading = self._changes.reading(key)
        if reading is None:
            # A cancel is under way: whatever the wallet says now may be stale a moment later.
            return await load(), self._used(CacheUse.MISS)
        fact = self._facts.get(key)
        if fact is not None and fact.reading == reading:
            return Outcome(Result.OK, state=fact.state), self._used(CacheUse.HIT)
        same = (*key, question.checks)
        asking = self._asking.get(same)
        use = CacheUse.JOINED
        if asking is None or asking.reading != reading:
            use = CacheUse.MISS
            asking = _Asking(reading, asyncio.ensure_future(self._load(key, reading, load)))
            self._share(same, asking)
        self._used(use)
        return await self._outcome(asking.task, deadline), use

    @contextmanager
    def canceling(self, cancel: Cancel) -> Iterator[None]:
        """Surrounds the wallet call of a cancel, whatever its outcome."""
        key = (cancel.account, cancel.trans_key)
        self._changes.begin(key)
        self._facts.pop(key, None)
        try:
            yield
        finally:
            self._changes.end(key)
            self._facts.pop(key, None)

    def clear(self) -> None:
        """Forgets all facts."""
        self._facts.clear()

    async def _load(self, key: _Key, reading: int, load: Load) -> Outcome:
        outcome = await load()
        if outcome.state is not None and self._facts.maxsize and self._changes.reading(key) == reading:
            self._facts[key] = _Fact(outcome.state, reading)
        return outcome

    def _share(self, question: _Question, asking: _Asking) -> None:
        if asking.task.done():
            return
        self._asking[question] = asking

        def forget(_: asyncio.Task[Outcome]) -> None:
            if self._asking.get(question) is asking:
                del self._asking[question]

        asking.task.add_done_callback(forget)

    async def _outcome(self, task: asyncio.Task[Outcome], deadline: float) -> Outcome:
        # The call is shared: who waits for it may give up, but must not end it for the others.
        if not task.done():
            await asyncio.wait({task}, timeout=max(0.0, deadline - self._clock()))
        if not task.done():
            raise OutcomeUnknown("the budget passed while an equal question was at the wallet", sent=True)
        return task.result()

    def _used(self, use: CacheUse) -> CacheUse:
        self.uses[use] += 1
        return use

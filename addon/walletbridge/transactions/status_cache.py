"""
Caches the status of transactions, so that not each `status` of the provider reaches the wallet.

Only final facts are kept: `OK` for a short time, `CANCELED` for long. A cancel drops the facts of its transaction
before the wallet call and after it. An answer asked for before that call ended is neither kept nor shared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import TLRUCache

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol.callbacks import Bet, Cancel, Status, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.transactions.cancel_counter import Changes

type _Key = tuple[str, str]
"""Account and transaction."""
type _Question = tuple[str, str, tuple[int, ...]]
type _Reading = tuple[int, Hashable]
type Load = Callable[[], Awaitable[Outcome]]

_ANSWERABLE = frozenset({Result.PLAYER_NOT_FOUND, Result.TRANSACTION_NOT_FOUND})
"""
The checks that a cached fact answers: its player and transaction exist. Only the wallet knows whether the player is
active.
"""


@dataclass(frozen=True, slots=True)
class _Fact:
    state: TransactionState
    reading: _Reading


@dataclass(frozen=True, slots=True)
class _Asking:
    reading: _Reading
    task: asyncio.Task[Outcome]


class StatusCache:
    """A bounded cache in front of the wallet's status method. Not thread-safe."""

    def __init__(  # noqa: PLR0913 - the lifetimes of facts, and what ends them
        self,
        *,
        size: int,
        ok_seconds: float,
        canceled_seconds: float,
        clock: Callable[[], float],
        changes: Changes | None = None,
        revision: Callable[[str], Hashable | None] = lambda _: 0,
    ) -> None:
        """
        With `size` 0 nothing is kept, but equal questions in flight still share a call. `revision` of a transaction
        differs once any process of the journal has changed it; it is None if unknown.
        """
        seconds = {TransactionState.OK: ok_seconds, TransactionState.CANCELED: canceled_seconds}
        self._facts: TLRUCache[_Key, _Fact] = TLRUCache(
            maxsize=size, ttu=lambda _, fact, now: now + seconds[fact.state], timer=clock
        )
        self._asking: dict[_Question, _Asking] = {}
        self._changes = changes or Changes()
        self._revision = revision
        self._clock = clock
        self.uses = dict.fromkeys(CacheUse, 0)
        """The number of hits, misses and so on."""

    def __len__(self) -> int:
        """The number of facts kept."""
        return len(self._facts)

    async def ask(self, question: Status, load: Load, *, deadline: float) -> tuple[Outcome, CacheUse]:
        """
        Answers from the cache, or by `load`, which asks the wallet.

        Raises OutcomeUnknown if `load` does, or if an equal question's call does not end by `deadline`.
        """
        if not _ANSWERABLE.issuperset(question.checks):
            use = self._used(CacheUse.BYPASSED)
            return await load(), use
        key = (question.account, question.trans_key)
        reading = self._reading(key)
        if reading is None:
            # A change is in progress, or may be: the wallet's answer may be stale a moment later.
            use = self._used(CacheUse.MISS)
            return await load(), use
        fact = self._facts.get(key)
        if fact is not None and fact.reading == reading:
            return Outcome(Result.OK, state=fact.state), self._used(CacheUse.HIT)
        same = (*key, question.checks)
        asking = self._asking.get(same)
        if asking is not None and asking.reading == reading:
            use = self._used(CacheUse.JOINED)
            return await _outcome(asking.task, seconds=max(0.0, deadline - self._clock())), use
        use = self._used(CacheUse.MISS)
        asking = _Asking(reading, asyncio.ensure_future(self._load(key, reading, load)))
        self._share(same, asking)
        # Not bounded here: the wallet call keeps the deadline itself, and names the reason if it fails.
        return await _outcome(asking.task, seconds=None), use

    @contextmanager
    def canceling(self, callback: Bet | Win | Cancel) -> Iterator[None]:
        """Surrounds the wallet call of a cancel or a movement, with any outcome."""
        key = (callback.account, callback.trans_key)
        self._changes.begin(key)
        self._facts.pop(key, None)
        try:
            yield
        finally:
            self._changes.end(key)
            self._facts.pop(key, None)

    def forget(self, callback: Cancel) -> None:
        """Drops the fact about a transaction that was cancelled without a wallet call."""
        with self.canceling(callback):
            pass

    def known(self, *, account: str = "", trans_key: str = "") -> list[tuple[str, str, TransactionState]]:
        """The facts kept of an account or a transaction: account, transaction and state. For people."""
        self._facts.expire()
        return [
            (*key, fact.state)
            for key, fact in list(self._facts.items())
            if account in {"", key[0]} and trans_key in {"", key[1]}
        ]

    def clear(self) -> None:
        """Forgets all facts."""
        self._facts.clear()

    def _reading(self, key: _Key) -> _Reading | None:
        counted, revision = self._changes.reading(key), self._revision(key[1])
        return None if counted is None or revision is None else (counted, revision)

    async def _load(self, key: _Key, reading: _Reading, load: Load) -> Outcome:
        outcome = await load()
        state = outcome.state if outcome.result is Result.OK else None
        if state is not None and self._facts.maxsize and self._reading(key) == reading:
            self._facts[key] = _Fact(state, reading)
        return outcome

    def _share(self, question: _Question, asking: _Asking) -> None:
        if asking.task.done():
            return
        self._asking[question] = asking

        def forget(task: asyncio.Task[Outcome]) -> None:
            if self._asking.get(question) is asking:
                del self._asking[question]
            if not task.cancelled():
                # All askers may have given up, and asyncio reports an exception that is never read.
                task.exception()

        asking.task.add_done_callback(forget)

    def _used(self, use: CacheUse) -> CacheUse:
        self.uses[use] += 1
        return use


async def _outcome(task: asyncio.Task[Outcome], *, seconds: float | None) -> Outcome:
    # The call is shared: an asker that gives up must not end it for the others.
    if not task.done():
        await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        raise OutcomeUnknown("the budget passed while an equal question was at the wallet", sent=True)
    return task.result()

"""
Surrounds a wallet call with its journal steps: the turn, the intent before, the outcome after.

Each step has a time limit because a disk may hang. An event reports each failed write to a person.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from msgspec.structs import asdict, replace

from walletbridge.journal.port import Busy, Change, Found, Journal, JournalUnavailable
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules import after_call, before_call, decisions
from walletbridge.rules.by_hand import standing
from walletbridge.rules.decisions import End, Look, Step, Verdict
from walletbridge.rules.row import Row
from walletbridge.transactions.turns import Turns

BUSY_POLL_SECONDS = 0.02
"""Seconds between two looks whether another worker has given back its turn."""
END_SECONDS = 0.15
"""The least seconds that a write to disk gets. After the budget they come out of the margin for the way back."""

_CALLS = frozenset({Step.SEND, Step.ASK})
"""The steps that lead to a wallet call."""

type Decide = Callable[[Found], Look]
type LookStep = Callable[[Found], Change[Look]]
type OnEvent = Callable[[str, Mapping[str, object]], None]


class Seen(NamedTuple):
    """The answer to a question whose transaction has not changed meanwhile."""

    verdict: Verdict | None
    """None: answer with the wallet's outcome."""


class Keeper:
    """Takes turns and writes rows for transactions. Raises OutcomeUnknown and nothing else."""

    def __init__(self, journal: Journal, turns: Turns, *, clock: Callable[[], float], on_event: OnEvent) -> None:
        """`on_event` receives events that a person should look into, with the fields of the callback."""
        self._journal = journal
        self._turns = turns
        self._clock = clock
        self._on_event = on_event

    def left(self, deadline: float) -> float:
        """Seconds until `deadline`."""
        return deadline - self._clock()

    @asynccontextmanager
    async def turn(self, callback: Bet | Win | Cancel | Status, deadline: float, trace: Trace) -> AsyncIterator[None]:
        """Holds the transaction's turn in this process while the context lasts."""
        key = callback.trans_key
        started = self._clock()
        is_ours = await self._turns.take(key, self.left(deadline))
        trace.turn_seconds += self._clock() - started
        if not is_ours:
            await self._note_not_sent(callback)
            raise OutcomeUnknown("the budget passed while an earlier call of this transaction was at work", sent=False)
        try:
            yield
        finally:
            self._turns.give_back(key)

    async def look(self, callback: Bet | Win | Cancel | Status, decide: Decide, deadline: float, trace: Trace) -> Look:
        """Reads the transaction and writes the decision. Takes the turn among all workers if a wallet call follows."""
        return await self._looked(callback, _writing(decide), deadline, trace)

    async def _looked(
        self, callback: Bet | Win | Cancel | Status, step: LookStep, deadline: float, trace: Trace
    ) -> Look:
        started = self._clock()
        try:
            look = await self._look_in_turn(callback, step, deadline)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled, so not sent to the wallet", _fields(callback, _why(error)))
            raise OutcomeUnknown(f"the journal is not available: {_why(error)}", sent=False) from None
        finally:
            trace.journal_seconds += self._clock() - started
        _note(trace, look.row)
        if look.is_conflict:
            self._on_event("conflict: this trans_id stands for something else", _fields(callback))
        return look

    async def look_or_read(
        self, callback: Status, decide: Decide, decide_unwritten: Decide, deadline: float, trace: Trace
    ) -> Look:
        """
        Like `look`, but takes no turn: a question moves no money and must not delay calls that do.

        A full disk takes no more rows but can still be read; then `decide_unwritten` decides.
        """
        started = self._clock()
        try:
            look = await self._look_in_turn(callback, _noting(decide), deadline)
        except (JournalUnavailable, TimeoutError):
            return await self._looked(callback, _reading(decide_unwritten), deadline, trace)
        trace.journal_seconds += self._clock() - started
        _note(trace, look.row)
        return look

    async def _look_in_turn(self, callback: Bet | Win | Cancel | Status, step: LookStep, deadline: float) -> Look:
        while True:
            # Bounded because a disk may hang. If the step is written later anyway, its row counts as a call cut off.
            async with asyncio.timeout(max(END_SECONDS, self.left(deadline))):
                look = await self._journal.look(callback.account, callback.trans_key, step, seconds=self.left(deadline))
            if not isinstance(look, Busy):
                return look
            if self.left(deadline) <= BUSY_POLL_SECONDS:
                await self._note_not_sent(callback)
                raise OutcomeUnknown("the budget passed while another worker had the turn", sent=False)
            await asyncio.sleep(BUSY_POLL_SECONDS)

    async def end(
        self,
        callback: Bet | Win | Cancel,
        came: End,
        judge: Callable[[Row, End, float], Verdict],
        deadline: float,
        trace: Trace,
    ) -> Verdict:
        """Writes the verdict of `judge` on a call, and gives the turn back unless the verdict asks for another call."""

        def step(found: Found) -> Change[Verdict]:
            if found.row is None:
                raise LookupError(callback.trans_key)
            verdict = judge(found.row, came, found.now)
            return Change(verdict.row, takes_turn=verdict.ask_again, value=verdict)

        started = self._clock()
        try:
            verdict = await self.write_end(callback, step, deadline)
        finally:
            trace.journal_seconds += self._clock() - started
        _note(trace, verdict.row)
        if verdict.row.for_human:
            self._on_event("left to a person", _fields(callback, verdict.row.for_human))
        return verdict

    async def write_end[T](
        self, callback: Bet | Win | Cancel, step: Callable[[Found], Change[T]], deadline: float
    ) -> T:
        """Writes the outcome of a call by `step`, in this worker's turn."""
        try:
            async with asyncio.timeout(max(END_SECONDS, self.left(deadline))):
                value = await self._journal.end(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError, LookupError) as error:
            self._on_event("the outcome could not be written", _fields(callback, _why(error)))
            if isinstance(callback, Bet | Win):
                # The outcome may be written later anyway, and would then claim an answer that was not delivered.
                self.delivered(callback, sent=False)
            raise OutcomeUnknown(f"the outcome could not be written: {_why(error)}", sent=True) from None
        if isinstance(value, Busy):
            raise OutcomeUnknown("another worker has taken over the turn", sent=True)
        return value

    async def end_question(
        self, callback: Status, before: Row | None, judge: Callable[[Row | None], Verdict | None], deadline: float
    ) -> Seen | None:
        """
        Writes the verdict of `judge` on the answer to a question that had no turn. Returns None if the transaction is
        no longer `before`: an answer about its earlier state does not hold now.
        """

        def step(found: Found) -> Change[Seen | None]:
            row = found.row and decisions.absorb(found.row)
            if row != before:
                return Change(None, takes_turn=False, value=None)
            verdict = judge(row)
            changed = verdict.row if verdict is not None and verdict.row != found.row else None
            return Change(changed, takes_turn=False, value=Seen(verdict))

        try:
            async with asyncio.timeout(max(END_SECONDS, self.left(deadline))):
                seen = await self._journal.look(callback.account, callback.trans_key, step, seconds=0)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("the outcome could not be written", _fields(callback, _why(error)))
            raise OutcomeUnknown(f"the outcome could not be written: {_why(error)}", sent=True) from None
        return None if isinstance(seen, Busy) else seen

    def delivered(self, callback: Bet | Win, *, sent: bool) -> None:
        """Records whether the answer to a bet or win was delivered."""

        def step(found: Found) -> Change[None]:
            row = found.row and after_call.delivered(found.row, callback, sent=sent)
            return Change(row if row is not found.row else None, takes_turn=False, value=None)

        self._journal.note_soon(callback.account, callback.trans_key, step)

    async def _note_not_sent(self, callback: Bet | Win | Cancel | Status) -> None:
        """Writes the row of a movement or cancel that was answered without a look: each must have one."""
        if isinstance(callback, Status):
            return

        def step(found: Found) -> Change[None]:
            row = before_call.not_sent(found.row, found.other, callback, now=found.now)
            return Change(row, takes_turn=False, value=None)

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled, and not sent to the wallet", _fields(callback, _why(error)))

    async def leave(self, callback: Bet | Win | Cancel, reason: str, *, was_sent: bool) -> None:
        """
        Leaves the callback's transaction to a person, and writes the row of a callback that was not sent. Raises
        OutcomeUnknown if the journal is not available.
        """

        def step(found: Found) -> Change[None]:
            row = found.row if was_sent else before_call.not_sent(found.row, found.other, callback, now=found.now)
            if row is not None and row.account == callback.account:
                row = replace(row, for_human=reason)
            return Change(row, takes_turn=False, value=None)

        self._on_event("left to a person", _fields(callback, reason))
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled", _fields(callback, _why(error)))
            raise OutcomeUnknown(f"the journal is not available: {_why(error)}", sent=was_sent) from None

    async def note_repeat_refused(self, callback: Bet | Win, refusal: Outcome) -> None:
        """
        Records a refused repeat. The provider may have missed the first answer and now takes the movement for not made.
        """

        def step(found: Found) -> Change[None]:
            return Change(after_call.repeat_refused(found.row, refusal), takes_turn=False, value=None)

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            raise OutcomeUnknown(f"the refusal could not be written: {_why(error)}", sent=False) from None
        self._on_event("left to a person", _fields(callback, f"a repeat was answered {refusal.result:d}"))


def _note(trace: Trace, row: Row | None) -> None:
    if trace.calls is not None and row is not None:
        trace.standing = standing(row)


def _writing(decide: Decide) -> LookStep:
    def step(found: Found) -> Change[Look]:
        look = decide(found)
        return Change(look.row, takes_turn=look.step in _CALLS, value=look)

    return step


def _reading(decide: Decide) -> LookStep:
    return lambda found: Change(None, takes_turn=False, value=decide(found))


def _noting(decide: Decide) -> LookStep:
    def step(found: Found) -> Change[Look]:
        look = decide(found)
        return Change(look.row if look.row != found.row else None, takes_turn=False, value=look)

    return step


def _why(error: Exception) -> str:
    return "the disk took too long" if isinstance(error, TimeoutError) else str(error)


def _fields(callback: Callback, problem: object = "") -> dict[str, object]:
    fields: dict[str, object] = {"command": callback.command.value, **asdict(callback)}
    if problem:
        fields["problem"] = str(problem)
    return fields

"""
Calls the wallet for a transaction: one caller at a time, with the intent on disk before and the outcome on disk after.

What may be sent and what may be answered is decided by `journal.rules`; this module does it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

from walletbridge.callbacks import Balance, Bet, Callback, Cancel, Status, Win
from walletbridge.errors import OutcomeUnknown
from walletbridge.journal import rules
from walletbridge.journal.by_hand import standing
from walletbridge.journal.port import Busy, Change, Found, Journal, JournalUnavailable
from walletbridge.journal.row import Kind, Row
from walletbridge.journal.rules import End, Look, Promises, Step, Times, Verdict
from walletbridge.outcomes import Outcome, Result
from walletbridge.status_cache import StatusCache
from walletbridge.trace import Trace
from walletbridge.turns import Turns
from walletbridge.wallet.port import Wallet

BUSY_POLL_SECONDS = 0.02
"""How often it is seen whether another worker has given back its turn."""
END_SECONDS = 0.15
"""
How long what came of a call may take to reach the disk where nothing is left of the budget: it comes out of the margin
that is kept for the way back.
"""
ASK_AGAIN_SECONDS = 0.25
"""How often a cancel that may not be answered yet asks the wallet again."""
_PLAYER_EXISTS = 21

type LookStep = Callable[[Found], Change[Look]]
type OnEvent = Callable[[str, Mapping[str, object]], None]


class Transactions:
    """Takes bets, wins, cancels and status questions to the wallet. Raises OutcomeUnknown and nothing else."""

    def __init__(  # noqa: PLR0913 - all that money safety stands on
        self,
        wallet: Wallet,
        journal: Journal,
        turns: Turns,
        status_cache: StatusCache,
        *,
        promises: Promises,
        times: Times,
        clock: Callable[[], float],
        on_event: OnEvent,
    ) -> None:
        """`on_event` hears of what a person should look into, with the fields of the callback."""
        self._wallet = wallet
        self._journal = journal
        self._turns = turns
        self._status_cache = status_cache
        self._promises = promises
        self._times = times
        self._clock = clock
        self._on_event = on_event

    async def move(self, callback: Bet | Win, *, deadline: float, trace: Trace) -> Outcome:
        """Makes a bet or a win, once."""

        def step(found: Found) -> Change[Look]:
            return _change(
                rules.look_movement(
                    found.row, found.other, callback, self._promises, now=found.now, seconds=self._left(deadline)
                )
            )

        def end(row: Row, came: End, now: float) -> Verdict:
            return rules.end_movement(row, came, now=now)

        async with self._turn(callback, deadline, trace):
            look = await self._look(callback, step, deadline, trace)
            if look.step is Step.SEND:
                with self._status_cache.canceling(callback):
                    came = await self._call(callback, deadline, trace)
                    verdict = await self._end(callback, came, end, deadline, trace)
                return _answer(verdict, came)
        return await self._without_call(callback, look, deadline, trace)

    async def cancel(self, callback: Cancel, *, deadline: float, trace: Trace, is_providers: bool = True) -> Outcome:
        """
        Reverses a transaction; asks again while the wallet may still be at work on it.

        `is_providers` is False for a person's own cancel, of which the provider knows nothing.
        """

        def step(found: Found) -> Change[Look]:
            return _change(
                rules.look_cancel(
                    found.row,
                    found.other,
                    callback,
                    now=found.now,
                    seconds=self._left(deadline),
                    is_providers=is_providers,
                )
            )

        def end(row: Row, came: End, now: float) -> Verdict:
            verdict = rules.end_cancel(row, came, self._promises, self._times, now=now, for_provider=is_providers)
            if verdict.ask_again and self._left(deadline) > ASK_AGAIN_SECONDS:
                # The turn is kept, and with it what is known of a call that may be cut off.
                return replace(verdict, row=replace(verdict.row, call=Kind.CANCEL))
            return replace(verdict, ask_again=False)

        async with self._turn(callback, deadline, trace):
            look = await self._look(callback, step, deadline, trace)
            if look.step is Step.SEND:
                with self._status_cache.canceling(callback):
                    while True:
                        came = await self._call(callback, deadline, trace)
                        verdict = await self._end(callback, came, end, deadline, trace)
                        if not verdict.ask_again:
                            return _answer(verdict, came)
                        await asyncio.sleep(ASK_AGAIN_SECONDS)
        return await self._without_call(callback, look, deadline, trace)

    async def status(self, callback: Status, *, deadline: float, trace: Trace, is_providers: bool = True) -> Outcome:
        """Asks what became of a transaction, unless that is not settled. `is_providers`: see `cancel`."""
        async with self._turn(callback, deadline, trace):
            look = await self._look_status(callback, deadline, trace)
            if look.step is not Step.SEND:
                raise OutcomeUnknown(look.reason, sent=False)
            try:
                outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
            except OutcomeUnknown:
                self._journal.end_soon(callback.account, callback.trans_key, _nothing)
                raise
            if rules.end_status(look.row, outcome, for_provider=is_providers) is None:
                self._journal.end_soon(callback.account, callback.trans_key, _nothing)
                return outcome
            # The provider believes in it from now on, and the resolver has to know before the provider does.
            verdict = await self._write_end(callback, lambda found: _status_end(found, outcome, is_providers), deadline)
            return outcome if verdict is None else _answer(verdict, outcome)

    def delivered(self, callback: Bet | Win, *, sent: bool) -> None:
        """Notes whether the answer to a movement went out."""

        def step(found: Found) -> Change[None]:
            row = found.row and rules.delivered(found.row, callback, sent=sent)
            return Change(row if row is not found.row else None, takes_turn=False, value=None)

        self._journal.note_soon(callback.account, callback.trans_key, step)

    @asynccontextmanager
    async def _turn(self, callback: Bet | Win | Cancel | Status, deadline: float, trace: Trace) -> AsyncIterator[None]:
        key = callback.trans_key
        started = self._clock()
        is_ours = await self._turns.take(key, self._left(deadline))
        trace.turn_seconds += self._clock() - started
        if not is_ours:
            await self._note_not_sent(callback)
            raise OutcomeUnknown("the budget passed while an earlier call of this transaction was at work", sent=False)
        try:
            yield
        finally:
            self._turns.give_back(key)

    async def _look(self, callback: Bet | Win | Cancel | Status, step: LookStep, deadline: float, trace: Trace) -> Look:
        started = self._clock()
        try:
            look = await self._look_in_turn(callback, step, deadline)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled, so not sent to the wallet", _fields(callback, error))
            raise OutcomeUnknown(f"the journal is not available: {error}", sent=False) from None
        finally:
            trace.journal_seconds += self._clock() - started
        _note(trace, look.row)
        if look.is_conflict:
            self._on_event("conflict: this trans_id stands for something else", _fields(callback))
        return look

    async def _look_status(self, callback: Status, deadline: float, trace: Trace) -> Look:
        started = self._clock()
        try:
            look = await self._look_in_turn(callback, lambda found: _change(rules.look_status(found.row)), deadline)
        except (JournalUnavailable, TimeoutError):
            # A full disk takes no turn any more, but what is on it can be read; a question needs no more.
            return await self._look(callback, lambda found: _read_only(rules.look_status(found.row)), deadline, trace)
        trace.journal_seconds += self._clock() - started
        _note(trace, look.row)
        return look

    async def _look_in_turn(self, callback: Bet | Win | Cancel | Status, step: LookStep, deadline: float) -> Look:
        while True:
            # Bounded, for a disk may hang. A step that is written later all the same is found as a call cut off.
            async with asyncio.timeout(max(END_SECONDS, self._left(deadline))):
                look = await self._journal.look(
                    callback.account, callback.trans_key, step, seconds=self._left(deadline)
                )
            if not isinstance(look, Busy):
                return look
            if self._left(deadline) <= BUSY_POLL_SECONDS:
                await self._note_not_sent(callback)
                raise OutcomeUnknown("the budget passed while another worker had the turn", sent=False)
            await asyncio.sleep(BUSY_POLL_SECONDS)

    async def _call(self, callback: Bet | Win | Cancel, deadline: float, trace: Trace) -> End:
        if self._left(deadline) <= 0:
            return OutcomeUnknown("the budget was used up before the wallet was called", sent=False)
        try:
            return await self._wallet.call(callback, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            return unknown

    async def _end(
        self,
        callback: Bet | Win | Cancel,
        came: End,
        end: Callable[[Row, End, float], Verdict],
        deadline: float,
        trace: Trace,
    ) -> Verdict:
        def step(found: Found) -> Change[Verdict]:
            if found.row is None:
                raise LookupError(callback.trans_key)
            verdict = end(found.row, came, found.now)
            return Change(verdict.row, takes_turn=verdict.ask_again, value=verdict)

        started = self._clock()
        try:
            verdict = await self._write_end(callback, step, deadline)
        finally:
            trace.journal_seconds += self._clock() - started
        _note(trace, verdict.row)
        if verdict.row.for_human:
            self._on_event("left to a person", _fields(callback, verdict.row.for_human))
        return verdict

    async def _write_end[T](
        self, callback: Bet | Win | Cancel | Status, step: Callable[[Found], Change[T]], deadline: float
    ) -> T:
        try:
            async with asyncio.timeout(max(END_SECONDS, self._left(deadline))):
                value = await self._journal.end(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError, LookupError) as error:
            self._on_event("the outcome could not be written", _fields(callback, error))
            if isinstance(callback, Bet | Win):
                # It may be written later all the same, and then tells of an answer that did not go out.
                self.delivered(callback, sent=False)
            raise OutcomeUnknown(f"the outcome could not be written: {error}", sent=True) from None
        if isinstance(value, Busy):
            raise OutcomeUnknown("another worker has taken over the turn", sent=True)
        return value

    async def _note_not_sent(self, callback: Bet | Win | Cancel | Status) -> None:
        """Every movement and cancel has its row, also one that was answered without a look."""
        if isinstance(callback, Status):
            return

        def step(found: Found) -> Change[None]:
            row = rules.not_sent(found.row, found.other, callback, now=found.now)
            return Change(row, takes_turn=False, value=None)

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled, and not sent to the wallet", _fields(callback, error))

    async def _without_call(self, callback: Bet | Win | Cancel, look: Look, deadline: float, trace: Trace) -> Outcome:
        """The answer where no movement may be sent; what it needs of the wallet is a balance."""
        trace.reason = look.reason
        if look.step is Step.UNKNOWN:
            raise OutcomeUnknown(look.reason, sent=False)
        question = Balance(account=callback.account, checks=(_PLAYER_EXISTS,), requested_at=callback.requested_at)
        current = await self._wallet.call(question, deadline=deadline, trace=trace)
        if current.result is not Result.OK:
            raise OutcomeUnknown(f"{look.reason}; the balance could not be read", sent=False)
        result = Result.ALREADY_PROCESSED if look.step is Step.REPEATED else Result.FAILED
        return Outcome(result, current.balance)

    def _left(self, deadline: float) -> float:
        return deadline - self._clock()


def _note(trace: Trace, row: Row | None) -> None:
    if trace.calls is not None and row is not None:
        trace.standing = standing(row)


def _change(look: Look) -> Change[Look]:
    return Change(look.row, takes_turn=look.step is Step.SEND, value=look)


def _read_only(look: Look) -> Change[Look]:
    return Change(None, takes_turn=False, value=look)


def _nothing(_: Found) -> Change[None]:
    return Change(None, takes_turn=False, value=None)


def _status_end(found: Found, outcome: Outcome, for_provider: bool) -> Change[Verdict | None]:  # noqa: FBT001 - a step's own
    verdict = rules.end_status(found.row, outcome, for_provider=for_provider)
    return Change(verdict.row if verdict else None, takes_turn=False, value=verdict)


def _answer(verdict: Verdict, came: End) -> Outcome:
    if verdict.answer is not None:
        return verdict.answer
    if isinstance(came, OutcomeUnknown):
        raise came
    raise OutcomeUnknown(verdict.reason, sent=True)


def _fields(callback: Callback, problem: object = "") -> dict[str, object]:
    fields: dict[str, object] = {"command": callback.command.value, **asdict(callback)}
    if problem:
        fields["problem"] = str(problem)
    return fields

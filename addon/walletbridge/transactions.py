"""
Calls the wallet for a transaction: one caller at a time, with the intent on disk before and the outcome on disk after.

What may be sent and what may be answered is decided by `journal.looks` and `journal.ends`, and by `journal.cancels`,
`journal.asked` and `journal.record` for a wallet that promises less than wallet.v1; this module does it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec.structs import asdict, replace

from walletbridge.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.errors import OutcomeUnknown
from walletbridge.journal import asked, cancels, ends, looks, record
from walletbridge.journal.by_hand import standing
from walletbridge.journal.port import Busy, Change, Found, Journal, JournalUnavailable
from walletbridge.journal.repeats import NOT_PROCESSED, TRANSACTION_EXISTS
from walletbridge.journal.request import status_of
from walletbridge.journal.row import Kind, Row
from walletbridge.journal.rules import End, Look, Step, Times, Verdict
from walletbridge.outcomes import Outcome, Result
from walletbridge.promises import Promises
from walletbridge.questions import PLAYER_ACTIVE, ask_player, checks_of_player, with_balance
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
_FROM_JOURNAL = {
    Step.REPEATED: Result.ALREADY_PROCESSED,
    Step.FAILED: Result.FAILED,
    Step.NOT_FOUND: Result.TRANSACTION_NOT_FOUND,
    Step.CANCELLED: Result.OK,
}
"""What is answered with the current balance alone."""

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
                looks.look_movement(
                    found.row, found.other, callback, self._promises, now=found.now, seconds=self._left(deadline)
                )
            )

        def end(row: Row, came: End, now: float) -> Verdict:
            return ends.without_balance(ends.end_movement(row, came, now=now), callback)

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

        def end(row: Row, came: End, now: float) -> Verdict:
            verdict = ends.end_cancel(row, came, self._promises, self._times, now=now, for_provider=is_providers)
            if verdict.ask_again and self._left(deadline) > ASK_AGAIN_SECONDS:
                # The turn is kept, and with it what is known of a call that may be cut off.
                return replace(verdict, row=replace(verdict.row, call=Kind.CANCEL))
            return replace(ends.without_balance(verdict, callback), ask_again=False)

        async with self._turn(callback, deadline, trace):
            look = await self._look_to_cancel(callback, deadline, trace, is_providers=is_providers)
            if look.step is Step.SEND and look.row is not None:
                sent = cancels.as_sent(look.row, callback, self._promises)
                with self._status_cache.canceling(callback):
                    while True:
                        came = await self._call(sent, deadline, trace)
                        verdict = await self._end(callback, came, end, deadline, trace)
                        if not verdict.ask_again:
                            return _answer(verdict, came)
                        await asyncio.sleep(ASK_AGAIN_SECONDS)
        if look.step is Step.CANCELLED:
            self._status_cache.forget(callback)
        return await self._without_call(callback, look, deadline, trace)

    async def _look_to_cancel(self, callback: Cancel, deadline: float, trace: Trace, *, is_providers: bool) -> Look:
        """Looks, and asks the wallet what became of the transaction as long as the rules want to know and time is."""

        def step(found: Found) -> Change[Look]:
            return _change(
                cancels.look_cancel(
                    found.row,
                    found.other,
                    callback,
                    self._promises,
                    self._times,
                    now=found.now,
                    seconds=self._left(deadline),
                    is_providers=is_providers,
                )
            )

        def end(row: Row, came: End, now: float) -> Verdict:
            verdict = asked.end_question(row, came, self._times, now=now)
            return replace(verdict, ask_again=verdict.ask_again and self._left(deadline) > ASK_AGAIN_SECONDS)

        while True:
            look = await self._look(callback, step, deadline, trace)
            if look.step is not Step.ASK or look.row is None:
                return look
            # What was known of the transaction may be over with this cancel, whether a call follows or not.
            with self._status_cache.canceling(callback):
                came = await self._ask(look.row, deadline, trace)
                verdict = await self._end(callback, came, end, deadline, trace)
            if verdict.ask_again:
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            elif verdict.answer is None or self._left(deadline) <= 0:
                raise OutcomeUnknown(verdict.reason, sent=False)

    async def _ask(self, row: Row, deadline: float, trace: Trace) -> End:
        """The wallet's status for the transaction of `row`."""
        question = status_of(row.request, (TRANSACTION_EXISTS,))
        try:
            return await self._wallet.call(question, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            return unknown

    async def status(self, callback: Status, *, deadline: float, trace: Trace, is_providers: bool = True) -> Outcome:
        """Asks what became of a transaction, unless that is not settled. `is_providers`: see `cancel`."""

        def end(row: Row | None, outcome: Outcome) -> Verdict | None:
            return record.end_status(row, outcome, self._promises, for_provider=is_providers)

        async with self._turn(callback, deadline, trace):
            look = await self._look_status(callback, deadline, trace, is_providers=is_providers)
            if look.told is not None:
                return await self._told_by_journal(callback, look.told, deadline, trace)
            if look.step is not Step.SEND:
                raise OutcomeUnknown(look.reason, sent=False)
            try:
                outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
            except OutcomeUnknown:
                self._journal.end_soon(callback.account, callback.trans_key, _nothing)
                raise
            outcome = await self._with_balance(callback, outcome, deadline, trace)
            if end(look.row, outcome) is None:
                self._journal.end_soon(callback.account, callback.trans_key, _nothing)
                return outcome
            # The provider believes in it from now on, and the resolver has to know before the provider does.
            verdict = await self._write_end(callback, lambda found: _status_end(end(found.row, outcome)), deadline)
            return outcome if verdict is None else _answer(verdict, outcome)

    async def _told_by_journal(self, callback: Status, told: Outcome, deadline: float, trace: Trace) -> Outcome:
        """What the journal says, unless a check of the player fails. Who has a known transaction is known."""
        checks = checks_of_player(callback, before=TRANSACTION_EXISTS)
        if told.result is Result.OK and PLAYER_ACTIVE not in checks:
            return told
        player = await ask_player(self._wallet, callback, checks, deadline=deadline, trace=trace)
        return player if player.result is not Result.OK else replace(told, balance=player.balance)

    def delivered(self, callback: Bet | Win, *, sent: bool) -> None:
        """Notes whether the answer to a movement went out."""

        def step(found: Found) -> Change[None]:
            row = found.row and ends.delivered(found.row, callback, sent=sent)
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

    async def _look_status(self, callback: Status, deadline: float, trace: Trace, *, is_providers: bool) -> Look:
        def step(found: Found) -> Change[Look]:
            return _change(record.look_status(found.row, self._promises, for_provider=is_providers))

        def unwritten(found: Found) -> Change[Look]:
            return _read_only(record.look_status_unwritten(found.row, self._promises))

        started = self._clock()
        try:
            look = await self._look_in_turn(callback, step, deadline)
        except (JournalUnavailable, TimeoutError):
            # A full disk takes no turn any more, but what is on it can be read; a question needs no more.
            return await self._look(callback, unwritten, deadline, trace)
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
            outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            return unknown
        return await self._with_balance(callback, outcome, deadline, trace)

    async def _with_balance(self, callback: Callback, outcome: Outcome, deadline: float, trace: Trace) -> Outcome:
        return await with_balance(self._wallet, callback, outcome, deadline=deadline, trace=trace, clock=self._clock)

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
            row = looks.not_sent(found.row, found.other, callback, now=found.now)
            return Change(row, takes_turn=False, value=None)

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            self._on_event("not journalled, and not sent to the wallet", _fields(callback, error))

    async def _without_call(self, callback: Bet | Win | Cancel, look: Look, deadline: float, trace: Trace) -> Outcome:
        """The answer where no movement may be sent; what it needs of the wallet is a balance."""
        trace.reason = look.reason
        result = _FROM_JOURNAL.get(look.step)
        if result is None:
            raise OutcomeUnknown(look.reason, sent=False)
        checks = () if look.is_conflict or result is Result.FAILED else _checks_before(callback)
        try:
            current = await ask_player(self._wallet, callback, checks, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            raise OutcomeUnknown(f"{look.reason}; {unknown.reason}", sent=False) from None
        if current.result is Result.OK:
            return Outcome(result, current.balance)
        if isinstance(callback, Bet | Win) and look.row != ends.repeat_refused(look.row, current):
            await self._note_repeat_refused(callback, current)
        return current

    async def _note_repeat_refused(self, callback: Bet | Win, refusal: Outcome) -> None:
        """Its sender may not have heard that it was made, and takes it for not made now."""

        def step(found: Found) -> Change[None]:
            return Change(ends.repeat_refused(found.row, refusal), takes_turn=False, value=None)

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._journal.note(callback.account, callback.trans_key, step)
        except (JournalUnavailable, TimeoutError) as error:
            raise OutcomeUnknown(f"the refusal could not be written: {error}", sent=False) from None
        self._on_event("left to a person", _fields(callback, f"a repeat was answered {refusal.result:d}"))

    def _left(self, deadline: float) -> float:
        return deadline - self._clock()


def _note(trace: Trace, row: Row | None) -> None:
    if trace.calls is not None and row is not None:
        trace.standing = standing(row)


def _checks_before(callback: Bet | Win | Cancel) -> tuple[int, ...]:
    """The checks of the player that come before what the journal has found. PROTOCOL: Checks."""
    return checks_of_player(callback, before=TRANSACTION_EXISTS if isinstance(callback, Cancel) else NOT_PROCESSED)


def _change(look: Look) -> Change[Look]:
    return Change(look.row, takes_turn=look.step in {Step.SEND, Step.ASK}, value=look)


def _read_only(look: Look) -> Change[Look]:
    return Change(None, takes_turn=False, value=look)


def _nothing(_: Found) -> Change[None]:
    return Change(None, takes_turn=False, value=None)


def _status_end(verdict: Verdict | None) -> Change[Verdict | None]:
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

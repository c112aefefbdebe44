"""
Calls the wallet for a transaction: one caller at a time, with the intent on disk before and the outcome on disk after.

`rules.before_call` decides which calls may be sent, and `rules.after_call` which answers. For a wallet that promises
less than wallet.v1, so do `rules.cancel_strategy`, `rules.asked` and `rules.record`. This module carries it out.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from walletbridge.journal.port import Found, Journal
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.protocol.checks import Check
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Outcome, Result
from walletbridge.rules import after_call, asked, before_call, cancel_strategy, record
from walletbridge.rules.decisions import End, Look, Step, Times, Verdict
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import Kind, Row
from walletbridge.rules.stored_callback import status_of
from walletbridge.rules.words import Word, with_word
from walletbridge.transactions.journalled import Keeper, OnEvent
from walletbridge.transactions.questions import ask_player, checks_of_player, with_balance
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.turns import Turns
from walletbridge.wallet.port import Wallet

ASK_AGAIN_SECONDS = 0.25
"""Seconds before the wallet is asked again for a cancel that may not be answered yet."""
_FROM_JOURNAL = {
    Step.REPEATED: Result.ALREADY_PROCESSED,
    Step.FAILED: Result.FAILED,
    Step.NOT_FOUND: Result.TRANSACTION_NOT_FOUND,
    Step.CANCELLED: Result.OK,
}
"""The results of steps answered with the current balance alone."""


class Transactions:
    """Takes bets, wins, cancels and status questions to the wallet. Raises OutcomeUnknown and nothing else."""

    def __init__(  # noqa: PLR0913 - all parts of money safety
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
        """`on_event` receives events that a person should look into, with the fields of the callback."""
        self._wallet = wallet
        self._keeper = Keeper(journal, turns, clock=clock, on_event=on_event)
        self._status_cache = status_cache
        self._promises = promises
        self._times = times
        self._clock = clock

    async def move(self, callback: Bet | Win, *, deadline: float, trace: Trace) -> Outcome:
        """Makes a bet or a win, once."""

        def decide(found: Found) -> Look:
            seconds = self._keeper.left(deadline)
            return before_call.look_movement(
                found.row, found.other, callback, self._promises, now=found.now, seconds=seconds
            )

        def judge(row: Row, came: End, now: float) -> Verdict:
            return after_call.without_balance(after_call.end_movement(row, came, now=now), callback)

        async with self._keeper.turn(callback, deadline, trace):
            look = await self._keeper.look(callback, decide, deadline, trace)
            if look.step is Step.SEND:
                with self._status_cache.canceling(callback):
                    came = await self._call(callback, deadline, trace)
                    verdict = await self._keeper.end(callback, came, judge, deadline, trace)
                return _answer(verdict, came)
        return await self._without_call(callback, look, deadline, trace)

    async def cancel(self, callback: Cancel, *, deadline: float, trace: Trace, word: Word | None = None) -> Outcome:
        """
        Cancels a transaction; asks again while the wallet may still be at work on it.

        `word`: a person's decision to cancel, unknown to the provider and stored in the row.
        """
        is_providers = word is None

        def judge(row: Row, came: End, now: float) -> Verdict:
            verdict = after_call.end_cancel(row, came, self._promises, self._times, now=now, for_provider=is_providers)
            if verdict.ask_again and self._keeper.left(deadline) > ASK_AGAIN_SECONDS:
                # Keep the turn, and keep the call on record: it may be cut off.
                return replace(verdict, row=replace(verdict.row, call=Kind.CANCEL))
            return replace(after_call.without_balance(verdict, callback), ask_again=False)

        async with self._keeper.turn(callback, deadline, trace):
            look = await self._look_to_cancel(callback, deadline, trace, word)
            if look.step is Step.SEND and look.row is not None:
                sent = cancel_strategy.as_sent(look.row, callback, self._promises)
                with self._status_cache.canceling(callback):
                    while True:
                        came = await self._call(sent, deadline, trace)
                        verdict = await self._keeper.end(callback, came, judge, deadline, trace)
                        if not verdict.ask_again:
                            return _answer(verdict, came)
                        await asyncio.sleep(ASK_AGAIN_SECONDS)
        if look.step is Step.CANCELLED:
            self._status_cache.forget(callback)
        return await self._without_call(callback, look, deadline, trace)

    async def _look_to_cancel(self, callback: Cancel, deadline: float, trace: Trace, word: Word | None) -> Look:
        """
        Looks, and asks the wallet for the status while the rules need it. Raises OutcomeUnknown if that settles
        nothing.
        """

        def decide(found: Found) -> Look:
            look = cancel_strategy.look_cancel(
                found.row,
                found.other,
                callback,
                self._promises,
                self._times,
                now=found.now,
                seconds=self._keeper.left(deadline),
                is_providers=word is None,
            )
            if word is None or look.row is None or look.is_conflict:
                return look
            return replace(look, row=with_word(look.row, word))

        def judge(row: Row, came: End, now: float) -> Verdict:
            verdict = asked.end_question(row, came, self._times, now=now)
            return replace(verdict, ask_again=verdict.ask_again and self._keeper.left(deadline) > ASK_AGAIN_SECONDS)

        while True:
            look = await self._keeper.look(callback, decide, deadline, trace)
            if look.step is not Step.ASK or look.row is None:
                return look
            # This cancel may end the cached facts of the transaction, with or without a call.
            with self._status_cache.canceling(callback):
                came = await self._ask(look.row, deadline, trace)
                verdict = await self._keeper.end(callback, came, judge, deadline, trace)
            if verdict.ask_again:
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            elif verdict.answer is None or self._keeper.left(deadline) <= 0:
                raise OutcomeUnknown(verdict.reason, sent=False)

    async def _ask(self, row: Row, deadline: float, trace: Trace) -> End:
        """The wallet's status for the transaction of `row`."""
        question = status_of(row.request, (Check.TRANSACTION_EXISTS,))
        try:
            return await self._wallet.call(question, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            return unknown

    async def status(self, callback: Status, *, deadline: float, trace: Trace, is_providers: bool = True) -> Outcome:
        """
        Answers a `status`. Raises OutcomeUnknown while the transaction is open. `is_providers`: False for a person's.
        """

        def decide(found: Found) -> Look:
            return record.look_status(found.row, self._promises, other=found.other, for_provider=is_providers)

        def decide_unwritten(found: Found) -> Look:
            return record.look_status_unwritten(found.row, self._promises, other=found.other)

        def judge(row: Row | None, outcome: Outcome) -> Verdict | None:
            return record.end_status(row, outcome, self._promises, for_provider=is_providers)

        while True:
            # The turn is for the look alone: a cancel or bet that arrives while the wallet is asked goes first.
            async with self._keeper.turn(callback, deadline, trace):
                look = await self._keeper.look_or_read(callback, decide, decide_unwritten, deadline, trace)
            if look.told is not None:
                outcome = await self._told_by_journal(callback, look.told, deadline, trace)
            elif look.step is Step.SEND:
                outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
                outcome = await self._with_balance(callback, outcome, deadline, trace)
            else:
                raise OutcomeUnknown(look.reason, sent=False)
            if outcome is look.told:
                return outcome
            # The provider relies on an OK from now on, and the resolver must know before the provider does.
            end = judge if look.told is None else _as_told
            seen = await self._keeper.end_question(callback, look.row, partial(end, outcome=outcome), deadline)
            if seen is not None:
                return outcome if seen.verdict is None else _answer(seen.verdict, outcome)
            if self._keeper.left(deadline) <= 0:
                raise OutcomeUnknown("it changed while the wallet was asked", sent=False)

    async def _told_by_journal(self, callback: Status, told: Outcome, deadline: float, trace: Trace) -> Outcome:
        """
        The journal's outcome, unless a check of the player fails. A known transaction proves that the player exists.
        """
        checks = checks_of_player(callback, before=Check.TRANSACTION_EXISTS)
        if told.result is Result.OK and Check.PLAYER_ACTIVE not in checks:
            return told
        player = await ask_player(self._wallet, callback, checks, deadline=deadline, trace=trace)
        return player if player.result is not Result.OK else replace(told, balance=player.balance)

    async def leave(self, callback: Bet | Win | Cancel, reason: str, *, was_sent: bool) -> None:
        """See `Keeper.leave`."""
        await self._keeper.leave(callback, reason, was_sent=was_sent)

    def delivered(self, callback: Bet | Win, *, sent: bool) -> None:
        """Records whether the answer to a bet or win was delivered."""
        self._keeper.delivered(callback, sent=sent)

    async def _call(self, callback: Bet | Win | Cancel, deadline: float, trace: Trace) -> End:
        if self._keeper.left(deadline) <= 0:
            return OutcomeUnknown("the budget was used up before the wallet was called", sent=False)
        try:
            outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            return unknown
        return await self._with_balance(callback, outcome, deadline, trace)

    async def _with_balance(self, callback: Callback, outcome: Outcome, deadline: float, trace: Trace) -> Outcome:
        return await with_balance(self._wallet, callback, outcome, deadline=deadline, trace=trace, clock=self._clock)

    async def _without_call(self, callback: Bet | Win | Cancel, look: Look, deadline: float, trace: Trace) -> Outcome:
        """The answer if the callback may not be sent. The wallet only gives a balance and checks the player."""
        trace.reason = look.reason
        result = look.told.result if look.told else _FROM_JOURNAL.get(look.step)
        if result is None:
            raise OutcomeUnknown(look.reason, sent=False)
        if look.told and result in WITHOUT_BALANCE:
            return look.told
        checks = () if look.told or result is Result.FAILED or _is_other(look, callback) else _checks_before(callback)
        try:
            current = await ask_player(self._wallet, callback, checks, deadline=deadline, trace=trace)
        except OutcomeUnknown as unknown:
            raise OutcomeUnknown(f"{look.reason}; {unknown.reason}", sent=False) from None
        if current.result is Result.OK:
            return Outcome(result, current.balance)
        if isinstance(callback, Bet | Win) and look.row != after_call.repeat_refused(look.row, current):
            await self._keeper.note_repeat_refused(callback, current)
        return current


def _checks_before(callback: Bet | Win | Cancel) -> tuple[int, ...]:
    """The checks of the player that precede the journal's finding. PROTOCOL: Checks."""
    return checks_of_player(
        callback, before=Check.TRANSACTION_EXISTS if isinstance(callback, Cancel) else Check.NOT_PROCESSED
    )


def _is_other(look: Look, callback: Bet | Win | Cancel) -> bool:
    """Whether the bet or win differs from the one in its row, so that its checks do not apply to the row."""
    return look.is_conflict and not isinstance(callback, Cancel)


def _as_told(_row: Row | None, *, outcome: Outcome) -> None:
    """An outcome from the journal needs no note."""


def _answer(verdict: Verdict, came: End) -> Outcome:
    if verdict.answer is not None:
        return verdict.answer
    if isinstance(came, OutcomeUnknown):
        raise came
    raise OutcomeUnknown(verdict.reason, sent=True)

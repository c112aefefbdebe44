"""
The rules that keep money from moving twice or getting lost, as pure functions from a row to a row.

For each who wants to call the wallet there is a look, which reads the row and says whether the call may be made, and
an end, which writes down what came of it and says what may be answered. A look and its row go to disk in one
transaction before the wallet is called; an end goes to disk before the provider is answered.

The words: a call is unresolved while nobody knows what came of it; a cancel is owed from its intent until it is
settled.
"""

from dataclasses import dataclass, replace
from enum import Enum

from walletbridge.callbacks import Bet, Cancel, Win
from walletbridge.errors import OutcomeUnknown
from walletbridge.journal.request import to_json
from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told
from walletbridge.outcomes import Outcome, Result, TransactionState

type End = Outcome | OutcomeUnknown
"""What came of a call."""

_MADE = frozenset({Result.OK, Result.ALREADY_PROCESSED})
_REFUSED_PLAYER = frozenset({Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})


class Step(Enum):
    """What may be done after a look."""

    SEND = "call the wallet"
    UNKNOWN = "answer 500"
    REPEATED = "answer 41 with the current balance"
    FAILED = "answer 99 with the current balance"


@dataclass(frozen=True, slots=True)
class Look:
    """The row to write, if any, and what may be done then."""

    row: Row | None
    step: Step
    reason: str = ""
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row to write, and what may be answered: an outcome, or nothing known (500)."""

    row: Row
    answer: Outcome | None
    reason: str = ""
    ask_again: bool = False
    """The cancel may not be answered yet, but another question to the wallet may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What the wallet promises beyond the calls themselves."""

    late_bets_refused: bool
    """It remembers the cancel of a transaction that it does not know, and refuses what comes later."""
    repeats_reported: bool = True
    """It says of a repeat that it is one (41)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds; see the settings of the journal."""

    settle_after: float
    abandon_after: float
    redeliver_for: float
    recheck_after: tuple[float, ...]
    tries_max: int


def absorb(row: Row) -> Row:
    """
    What is known of a row whose turn is free although a call is on record: its worker died, so the call is unresolved.

    It ended at its deadline, at the earliest.
    """
    if row.call is None:
        return row
    told_at = row.call_ends_at if row.told_at is None else max(row.told_at, row.call_ends_at)
    if row.call is Kind.CANCEL:
        return replace(row, call=None, cancel_unresolved=True, told_at=told_at)
    if _is_on_record(row):
        return replace(row, call=None, told_at=told_at)
    return replace(row, call=None, movement_unresolved_since=_later(row, row.call_ends_at), told_at=told_at)


# Looks: before a call


def look_movement(  # noqa: PLR0913 - all that a look can depend on
    found: Row | None, other: Row | None, callback: Bet | Win, promises: Promises, *, now: float, seconds: float
) -> Look:
    """
    May this bet or win be sent? `other` is a row of the same transaction for another account.

    `seconds` is what is left of its budget.
    """
    kind = Kind(callback.command.value)
    if found is None:
        new = Row(account=callback.account, trans_id=callback.trans_key, created_at=now)
        return _send(_as_movement(new, callback), kind, now, seconds) if other is None else _conflict(other)
    if _is_conflict(found, callback):
        return _conflict(found)
    row = _anew(absorb(_as_movement(found, callback) if found.kind is None else found), now)
    if row.cancel is not CancelState.NONE:
        return _look_movement_after_cancel(row, kind, promises, now, seconds)
    if kind is Kind.BET and row.told not in {Told.YES, Told.REFUSED}:
        # Its sender has written it off and will cancel it; 41 would keep the stake.
        return Look(_told_unknown(row, now), Step.UNKNOWN, "nothing but 500 is known to have gone out for this bet")
    if row.movement is Movement.CONFIRMED and not promises.repeats_reported:
        return Look(row, Step.REPEATED, "made before; the journal knows")
    return _send(row, kind, now, seconds)


def _look_movement_after_cancel(row: Row, kind: Kind, promises: Promises, now: float, seconds: float) -> Look:
    if row.cancel is CancelState.OWED:
        return Look(_told_unknown(row, now), Step.UNKNOWN, "a cancel of this transaction is not settled")
    if row.cancel is CancelState.NOT_FOUND:
        return Look(row, Step.FAILED, "cancelled before it came")
    if kind is Kind.BET and row.told is not Told.YES and not row.cancel_by_provider:
        # To its sender 41 would mean that it stands.
        return Look(_told_unknown(row, now), Step.UNKNOWN, "it was cancelled, and its sender knows of no cancel")
    if promises.repeats_reported:
        return _send(row, kind, now, seconds)
    return Look(row, Step.REPEATED, "cancelled; the journal knows")


def look_cancel(  # noqa: PLR0913 - all that a look can depend on
    found: Row | None, other: Row | None, callback: Cancel, *, now: float, seconds: float, is_providers: bool = True
) -> Look:
    """May this cancel be sent? From here on no bet or win of the transaction is, until the cancel is settled."""
    if found is None and other is not None:
        # 41 is no answer to a cancel.
        return replace(_conflict(other), step=Step.UNKNOWN)
    row = absorb(found) if found else _of_cancel(callback, now)
    row = _owed(row) if is_providers else _wanted_undone(row)
    return _send(row, Kind.CANCEL, now, seconds)


def look_status(found: Row | None) -> Look:
    """May the wallet be asked? Not while a call's outcome is unknown: its answer could be out of date at once."""
    if found is None:
        return Look(None, Step.SEND)
    row = absorb(found)
    if row.is_open:
        return Look(row, Step.UNKNOWN, "a call for this transaction is not settled")
    return Look(row, Step.SEND)


# Ends: after a call


def end_movement(row: Row, end: End, *, now: float, for_provider: bool = True) -> Verdict:
    """What came of a bet or win. `for_provider` is False where nobody waits for the answer."""
    done = replace(row, call=None, told_at=now if for_provider else row.told_at)
    if isinstance(end, OutcomeUnknown):
        return Verdict(_movement_unknown(done, end, now, for_provider=for_provider), None, end.reason)
    known = replace(done, result=end.result, balance=end.balance, sends=done.sends + 1)
    if end.result not in _MADE:
        return _movement_refused(known, end, for_provider=for_provider)
    if row.cancel is CancelState.DONE and end.result is Result.ALREADY_PROCESSED:
        return Verdict(known, end)
    if row.cancel is not CancelState.NONE:
        # The wallet made what its own cancel should have kept from being made: take it back.
        landed = replace(known, movement=Movement.CONFIRMED, cancel=CancelState.OWED)
        return Verdict(landed, None, "the wallet made it after its cancel")
    made = replace(
        known, movement=Movement.CONFIRMED, movement_unresolved_since=None, tries=0, next_try_at=None, for_human=""
    )
    if row.kind is Kind.BET and end.result is Result.ALREADY_PROCESSED and row.sends and row.told is not Told.YES:
        reason = "the wallet has made it, though nothing that was answered said so"
        return Verdict(replace(made, for_human=reason), None, reason)
    if for_provider and made.told is not Told.YES:
        made = replace(made, told=Told.MAYBE)
    return Verdict(made, end)


def end_cancel(  # noqa: PLR0913 - all that an end can depend on
    row: Row, end: End, promises: Promises, times: Times, *, now: float, for_provider: bool
) -> Verdict:
    """What came of a cancel."""
    done = replace(row, call=None, told_at=now if for_provider else row.told_at)
    if isinstance(end, OutcomeUnknown):
        sends = row.sends + end.sent
        return Verdict(
            replace(done, sends=sends, cancel_unresolved=row.cancel_unresolved or end.sent), None, end.reason
        )
    known = replace(done, result=end.result, balance=end.balance, sends=row.sends + 1)
    if end.result is Result.OK:
        return Verdict(_settled(known, CancelState.DONE), end)
    if end.result is Result.TRANSACTION_NOT_FOUND:
        return _not_found(known, end, promises, times, now=now)
    if not for_provider:
        return Verdict(replace(known, tries=row.tries + 1), end)
    if row.cancel is CancelState.OWED and row.cancel_unresolved:
        return Verdict(known, None, "refused, while an earlier cancel is unresolved")
    return Verdict(known, end)


def end_status(row: Row | None, outcome: Outcome, *, for_provider: bool = True) -> Verdict | None:
    """
    What a status answered OK means for the row, if anything: from now on the provider believes in it, if it was the
    provider who asked.
    """
    if row is None or outcome.state is not TransactionState.OK:
        return None
    if row.cancel is CancelState.NOT_FOUND:
        # It landed after its cancel was answered: take it back.
        return Verdict(replace(row, cancel=CancelState.OWED), None, "the wallet made it after its cancel")
    if row.told is Told.YES or row.status_said_ok or not for_provider:
        return None
    return Verdict(replace(row, status_said_ok=True), outcome)


def not_sent(found: Row | None, other: Row | None, callback: Bet | Win | Cancel, *, now: float) -> Row:
    """The row of a callback that was answered 500 without a look, because its budget had passed."""
    if found is None and other is not None:
        return replace(other, conflicts=other.conflicts + 1)
    if isinstance(callback, Cancel):
        return replace(_owed(found or _of_cancel(callback, now)), told_at=now)
    row = found or Row(account=callback.account, trans_id=callback.trans_key, created_at=now)
    if _is_conflict(row, callback):
        return replace(row, conflicts=row.conflicts + 1)
    row = _anew(_as_movement(row, callback) if row.kind is None else row, now)
    return _told_unknown(_asked_in_vain(row), now)


def delivered(row: Row, callback: Bet | Win, *, sent: bool) -> Row:
    """
    Whether the answer to a bet or win went out, be it that it was made or that it was refused.

    The answer to a conflict says nothing of the row.
    """
    if _is_conflict(row, callback):
        return row
    if row.told is Told.MAYBE:
        return replace(row, told=Told.YES if sent else Told.NOTHING)
    if row.told is Told.REFUSED and not sent:
        # Its sender knows of no refusal: a bet is written off, and a win is still owed.
        return _asked_in_vain(row)
    return row


def _as_movement(row: Row, callback: Bet | Win) -> Row:
    return replace(
        row,
        kind=Kind(callback.command.value),
        amount=callback.amount,
        round_id=callback.round_id,
        request=to_json(callback),
    )


def _of_cancel(callback: Cancel, now: float) -> Row:
    return Row(
        account=callback.account,
        trans_id=callback.trans_key,
        round_id=callback.round_id,
        request=to_json(callback),
        created_at=now,
    )


def _owed(row: Row) -> Row:
    """The provider cancels. What was in doubt before is not any more: it wants the transaction undone."""
    return replace(_wanted_undone(row), cancel_by_provider=True)


def _wanted_undone(row: Row) -> Row:
    if row.cancel is not CancelState.NONE:
        return row
    return replace(row, cancel=CancelState.OWED, tries=0, next_try_at=None, for_human="")


def _anew(row: Row, now: float) -> Row:
    """A row at rest is used again. Ages count from now: its times may be of another boot."""
    if row.is_listed:
        return row
    return replace(row, created_at=now, told_at=None, next_try_at=None, tries=0)


def _send(row: Row, kind: Kind, now: float, seconds: float) -> Look:
    return Look(replace(row, call=kind, call_ends_at=now + seconds), Step.SEND)


def _is_conflict(row: Row, callback: Bet | Win) -> bool:
    return row.kind is not None and (row.kind, row.amount) != (Kind(callback.command.value), callback.amount)


def _conflict(row: Row) -> Look:
    """Another kind, account or amount under the same id is no repeat, whatever it is."""
    step = Step.REPEATED if row.movement is Movement.CONFIRMED else Step.UNKNOWN
    counted = replace(row, conflicts=row.conflicts + 1)
    return Look(counted, step, "another callback has used this trans_id", is_conflict=True)


def _told_unknown(row: Row, now: float) -> Row:
    return replace(row, told_at=now)


def _is_on_record(row: Row) -> bool:
    """Whether the wallet has said that it has the transaction: a repeat can no longer change anything."""
    return row.movement is Movement.CONFIRMED or row.cancel is CancelState.DONE


def _later(row: Row, ended_at: float) -> float:
    since = row.movement_unresolved_since
    return ended_at if since is None else max(since, ended_at)


def _movement_unknown(row: Row, end: OutcomeUnknown, now: float, *, for_provider: bool) -> Row:
    if _is_on_record(row):
        return replace(row, sends=row.sends + end.sent)
    if end.sent:
        return replace(row, movement_unresolved_since=_later(row, now), sends=row.sends + 1)
    return _asked_in_vain(row) if for_provider else row


def _asked_in_vain(row: Row) -> Row:
    """What was refused was asked for again, and nobody knows whether the refusal still held."""
    if row.movement is not Movement.REFUSED:
        return row
    return replace(row, movement=Movement.NONE, told=Told.NOTHING)


def _movement_refused(row: Row, end: Outcome, *, for_provider: bool) -> Verdict:
    if not for_provider:
        row = replace(row, tries=row.tries + 1)
    if row.cancel is CancelState.DONE:
        return Verdict(row, end)
    if row.movement is Movement.CONFIRMED:
        return _repeat_refused(row, end)
    if row.is_unresolved:
        # A refusal speaks for its own call; the earlier one may still land.
        return Verdict(row, None, f"{end.result.name}, while an earlier call is unresolved")
    if not for_provider:
        return Verdict(row, end)
    told = Told.REFUSED if row.told is Told.NOTHING else row.told
    return Verdict(replace(row, movement=Movement.REFUSED, told=told), end)


def _repeat_refused(row: Row, end: Outcome) -> Verdict:
    """
    A repeat of what was made is refused. Its sender may not have heard of the first, and take it for not made.

    The checks of the player come before that of the transaction, so their answer stands, and a person looks at it;
    whatever comes after them contradicts what the wallet has said (PROTOCOL: Checks).
    """
    if end.result in _REFUSED_PLAYER:
        reason = f"it was made, but a repeat was answered {end.result:d}"
        return Verdict(replace(row, for_human=reason), end)
    return Verdict(row, None, f"{end.result.name}, though it was made before")


def _settled(row: Row, state: CancelState) -> Row:
    return replace(
        row,
        cancel=state,
        cancel_unresolved=False,
        movement_unresolved_since=None,
        tries=0,
        next_try_at=None,
        rechecks_left=0,
        for_human="",
    )


def _not_found(row: Row, end: Outcome, promises: Promises, times: Times, *, now: float) -> Verdict:
    """Is it believed that the wallet does not know the transaction?"""
    if _is_on_record(row):
        reason = "the wallet does not know a transaction that it had confirmed"
        return Verdict(replace(row, for_human=reason), None, reason)
    if row.cancel is CancelState.NOT_FOUND:
        return Verdict(row, end)
    since = row.movement_unresolved_since
    if since is None or promises.late_bets_refused:
        return Verdict(_settled(row, CancelState.NOT_FOUND), end)
    if now - since < times.settle_after:
        return Verdict(row, None, "the bet may still land", ask_again=True)
    # Believed on time alone: to be asked again, in case it landed later still.
    settled = _settled(row, CancelState.NOT_FOUND)
    rechecks = len(times.recheck_after)
    next_try_at = now + times.recheck_after[0] if rechecks else None
    return Verdict(replace(settled, rechecks_left=rechecks, next_try_at=next_try_at), end)

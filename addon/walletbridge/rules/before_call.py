"""
Looks at the row before a wallet call: may the wallet be called, and if not, what is the answer?
"""

from msgspec.structs import replace

from walletbridge.protocol.callbacks import Bet, Cancel, Win
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules import decisions
from walletbridge.rules.decisions import Look, Step
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.repeats import cancels_are_checked, repeats_are_told
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.rules.stored_callback import to_json
from walletbridge.rules.words import is_made_by_force


def look_movement(  # noqa: PLR0911, PLR0913 - one return for each case, and all inputs of the decision
    found: Row | None, other: Row | None, callback: Bet | Win, promises: Promises, *, now: float, seconds: float
) -> Look:
    """
    May this bet or win be sent? `other` is a row of the same transaction for another account.

    `seconds` are left of the callback's budget.
    """
    kind = Kind(callback.command.value)
    if found is None:
        new = Row(account=callback.account, trans_id=callback.trans_key, created_at=now)
        return _send(_as_movement(new, callback), kind, now, seconds) if other is None else _conflict(other)
    if decisions.is_conflict(found, callback):
        return _conflict(found)
    row = decisions.came_again(decisions.absorb(_as_movement(found, callback) if found.kind is None else found))
    row = _anew(row, now)
    if row.cancel is not CancelState.NONE:
        return _look_movement_after_cancel(row, kind, promises, now, seconds)
    if kind is Kind.BET and row.told is Told.REFUSED and not row.may_stand:
        # The provider never repeats a bet: this is a double, and the answer to the first stands (RULES 6).
        told = Outcome(row.result or Result.FAILED, None)
        return Look(row, Step.TOLD, "refused before; the journal knows", told=told)
    if kind is Kind.BET and row.told is not Told.YES:
        # RULES 4: the provider has written it off and will cancel it; 41 would keep the stake.
        return Look(_told_unknown(row, now), Step.UNKNOWN, "nothing but 500 is known to have gone out for this bet")
    if row.movement is Movement.CONFIRMED and promises.repeats is not Repeats.REPORTED and is_made_by_force(row):
        return _look_movement_by_force(row, kind, promises, now, seconds)
    if promises.repeats is Repeats.UNPROTECTED and row.is_unresolved:
        return Look(_told_unknown(row, now), Step.UNKNOWN, "its outcome is unknown, and this wallet gets it only once")
    if row.movement is Movement.CONFIRMED and not repeats_are_told(promises):
        return Look(row, Step.REPEATED, "made before; the journal knows")
    return _send(row, kind, now, seconds)


def _look_movement_by_force(row: Row, kind: Kind, promises: Promises, now: float, seconds: float) -> Look:
    """A person called it made, against the wallet's answer. A wallet that can be asked decides (RULES 16)."""
    if promises.repeats is Repeats.REPLAYED:
        return _send(row, kind, now, seconds)
    reason = "a person called it made, and it comes again"
    return Look(replace(_told_unknown(row, now), for_human=reason, word=""), Step.UNKNOWN, reason)


def _look_movement_after_cancel(row: Row, kind: Kind, promises: Promises, now: float, seconds: float) -> Look:
    if row.cancel is CancelState.OWED:
        return Look(_told_unknown(row, now), Step.UNKNOWN, "a cancel of this transaction is not settled")
    if row.cancel in {CancelState.NOT_FOUND, CancelState.REFUSED}:
        return Look(row, Step.FAILED, "cancelled before it came")
    if kind is Kind.BET and row.told is not Told.YES and not row.cancel_by_provider:
        # For the provider, 41 would mean that the bet stands.
        return Look(_told_unknown(row, now), Step.UNKNOWN, "it was cancelled, and its sender knows of no cancel")
    # A wallet that checks 42 accepted the cancel, so it has the movement; another might make it now.
    is_known = row.movement is Movement.CONFIRMED or cancels_are_checked(promises)
    if repeats_are_told(promises) and is_known:
        return _send(row, kind, now, seconds)
    return Look(row, Step.REPEATED, "cancelled; the journal knows")


def look_cancel(  # noqa: PLR0913 - all inputs of the decision
    found: Row | None, other: Row | None, callback: Cancel, *, now: float, seconds: float, is_providers: bool = True
) -> Look:
    """May this cancel be sent? No bet or win of the transaction is sent until the cancel is settled (RULES 6)."""
    if found is None and other is not None:
        # PROTOCOL: Checks. A cancel that names a transaction of another account is 42.
        return replace(_conflict(other), step=Step.NOT_FOUND)
    return _send(cancel_wanted(found, callback, now=now, is_providers=is_providers), Kind.CANCEL, now, seconds)


def cancel_wanted(found: Row | None, callback: Cancel, *, now: float, is_providers: bool = True) -> Row:
    """The row once the provider or a person has requested the cancel, before any call."""
    row = decisions.absorb(found) if found else _of_cancel(callback, now)
    return _owed(row) if is_providers else _wanted_undone(row)


def look_status(found: Row | None, other: Row | None = None) -> Look:
    """May the wallet be asked? Not while the row is open: the answer could be out of date at once (RULES 4)."""
    if found is None:
        if other is not None:
            reason = "another account's transaction"
            return Look(None, Step.TOLD, reason, told=Outcome(Result.TRANSACTION_NOT_FOUND, None))
        return Look(None, Step.SEND)
    row = decisions.absorb(found)
    if row.is_open:
        return Look(row, Step.UNKNOWN, "a call for this transaction is not settled")
    return Look(row, Step.SEND)


def not_sent(found: Row | None, other: Row | None, callback: Bet | Win | Cancel, *, now: float) -> Row:
    """The row of a callback that is answered 500 without a look, such as after its budget has passed (RULES 2)."""
    if found is None and other is not None:
        return replace(other, conflicts=other.conflicts + 1)
    if isinstance(callback, Cancel):
        return replace(_owed(found or _of_cancel(callback, now)), told_at=now)
    row = found or Row(account=callback.account, trans_id=callback.trans_key, created_at=now)
    if decisions.is_conflict(row, callback):
        return replace(row, conflicts=row.conflicts + 1)
    row = _anew(_as_movement(row, callback) if row.kind is None else row, now)
    return _told_unknown(decisions.asked_in_vain(decisions.came_again(row)), now)


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
    """Notes the provider's cancel, which ends every doubt: the provider wants the transaction undone."""
    return replace(_wanted_undone(row), cancel_by_provider=True)


def _wanted_undone(row: Row) -> Row:
    if row.cancel not in {CancelState.NONE, CancelState.REFUSED}:
        return row
    return replace(row, cancel=CancelState.OWED, tries=0, refused_since=None, next_try_at=None, for_human="")


def _anew(row: Row, now: float) -> Row:
    """Uses a row at rest again. Its ages count from now, for its times may be from another boot."""
    if row.is_listed:
        return row
    return replace(row, created_at=now, told_at=None, next_try_at=None, tries=0, refused_since=None)


def _send(row: Row, kind: Kind, now: float, seconds: float) -> Look:
    return Look(replace(row, call=kind, call_ends_at=now + seconds), Step.SEND)


def _conflict(row: Row) -> Look:
    """Another kind, account or amount under the same id is no repeat (RULES 1)."""
    step = Step.REPEATED if row.movement is Movement.CONFIRMED else Step.UNKNOWN
    counted = replace(row, conflicts=row.conflicts + 1)
    return Look(counted, step, "another callback has used this trans_id", is_conflict=True)


def _told_unknown(row: Row, now: float) -> Row:
    return replace(row, told_at=now)

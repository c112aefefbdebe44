"""
Records the end of a wallet call in the row, and decides the answer.
"""

from msgspec.structs import replace

from walletbridge.protocol.callbacks import Bet, Cancel, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Outcome, Result, TransactionState
from walletbridge.rules import decisions
from walletbridge.rules.decisions import End, Times, Verdict
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

_MADE = frozenset({Result.OK, Result.ALREADY_PROCESSED})
_REFUSED_PLAYER = frozenset({Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})
_OF_UNDO_ALONE = frozenset({Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED})


def end_movement(row: Row, end: End, *, now: float, for_provider: bool = True) -> Verdict:
    """Records the end of a bet's or win's call. `for_provider` is False if no callback waits for the answer."""
    done = replace(row, call=None, told_at=now if for_provider else row.told_at)
    if isinstance(end, OutcomeUnknown):
        return Verdict(_movement_unknown(done, end, now, for_provider=for_provider), None, end.reason)
    known = replace(done, result=end.result, balance=end.balance, sends=done.sends + 1)
    if end.result not in _MADE:
        return _movement_refused(known, end, now=now, for_provider=for_provider)
    if row.cancel is CancelState.DONE and end.result is Result.ALREADY_PROCESSED:
        return Verdict(known, end)
    if row.cancel is not CancelState.NONE:
        # The wallet made a movement that its cancel should have prevented: take it back.
        landed = replace(known, movement=Movement.CONFIRMED, cancel=CancelState.OWED)
        return Verdict(landed, None, "the wallet made it after its cancel")
    made = replace(
        known,
        movement=Movement.CONFIRMED,
        movement_unresolved_since=None,
        tries=0,
        refused_since=None,
        next_try_at=None,
        for_human="",
    )
    if row.kind is Kind.BET and end.result is Result.ALREADY_PROCESSED and row.sends and row.told is not Told.YES:
        reason = "the wallet has made it, though nothing that was answered said so"
        return Verdict(replace(made, for_human=reason), None, reason)
    if for_provider and made.told is not Told.YES:
        made = replace(made, told=Told.MAYBE)
    return Verdict(made, end)


def _movement_unknown(row: Row, end: OutcomeUnknown, now: float, *, for_provider: bool) -> Row:
    if decisions.is_on_record(row):
        return replace(row, sends=row.sends + end.sent)
    if end.sent:
        return replace(row, movement_unresolved_since=decisions.later(row, now), sends=row.sends + 1)
    return decisions.asked_in_vain(row) if for_provider else row


def _movement_refused(row: Row, end: Outcome, *, now: float, for_provider: bool) -> Verdict:
    if not for_provider:
        row = decisions.refused(row, now)
    if row.cancel is CancelState.DONE:
        return Verdict(row, end)
    if row.movement is Movement.CONFIRMED:
        return _repeat_refused(row, end)
    if row.is_unresolved:
        # RULES 3: the refusal is for its own call alone; the earlier one may still land.
        return Verdict(row, None, f"{end.result.name}, while an earlier call is unresolved")
    if not for_provider:
        return Verdict(row, end)
    told = Told.REFUSED if row.told is Told.NOTHING else row.told
    return Verdict(replace(row, movement=Movement.REFUSED, told=told), end)


def _repeat_refused(row: Row, end: Outcome) -> Verdict:
    """
    The wallet refuses a repeat of a confirmed movement. The provider may not have heard of the first.

    The player's checks come before the transaction's (PROTOCOL: Checks), so 21 and 22 go out, and a person looks at the
    row. Any later refusal contradicts the wallet's confirmation, and is 500 (RULES 3).
    """
    if end.result in _REFUSED_PLAYER:
        reason = f"it was made, but a repeat was answered {end.result:d}"
        return Verdict(replace(row, for_human=reason), end)
    return Verdict(row, None, f"{end.result.name}, though it was made before")


def repeat_refused(row: Row | None, end: Outcome) -> Row | None:
    """The row after a repeat that the journal knows was answered 21 or 22."""
    if row is None or row.movement is not Movement.CONFIRMED or row.cancel is not CancelState.NONE:
        return row
    return _repeat_refused(row, end).row


def end_cancel(  # noqa: PLR0913 - one return for each case, and all inputs of the decision
    row: Row, end: End, promises: Promises, times: Times, *, now: float, for_provider: bool
) -> Verdict:
    """Records the end of a cancel's call."""
    done = replace(row, call=None, told_at=now if for_provider else row.told_at)
    if isinstance(end, OutcomeUnknown):
        sends = row.sends + end.sent
        return Verdict(
            replace(done, sends=sends, cancel_unresolved=row.cancel_unresolved or end.sent), None, end.reason
        )
    known = replace(done, result=end.result, balance=end.balance, sends=row.sends + 1)
    if end.result is Result.OK:
        return Verdict(decisions.settled(known, CancelState.DONE), end)
    if end.result in _OF_UNDO_ALONE:
        return _end_undo(known, end, promises, now=now, for_provider=for_provider)
    if end.result is Result.TRANSACTION_NOT_FOUND:
        return _not_found(known, end, promises, times, now=now)
    return _cancel_refused(known, end, times, now=now, for_provider=for_provider)


def _cancel_refused(row: Row, end: Outcome, times: Times, *, now: float, for_provider: bool) -> Verdict:  # noqa: PLR0911 - one for each case
    """
    Decides about 21, 22 or 99 to a cancel (RULES 8). 99 means that nothing was undone, so it goes out only if the
    resolver will not undo it later. 21 and 22 are about the player, not the transaction.
    """
    is_check = end.result in _REFUSED_PLAYER
    if row.cancel is CancelState.DONE:
        return Verdict(row, end if is_check else replace(end, result=Result.OK))
    if row.cancel is not CancelState.OWED:
        if for_provider and row.rechecks_left and not is_check:
            return Verdict(row, None, "it is asked again whether it landed late")
        return Verdict(row if for_provider else decisions.refused(row, now), end)
    if _has_nothing_to_undo(row, end, times, now=now, for_provider=for_provider):
        return Verdict(decisions.settled(row, CancelState.REFUSED), end)
    if not for_provider:
        return Verdict(decisions.refused(row, now), end)
    if row.cancel_unresolved:
        return Verdict(row, None, "refused, while an earlier cancel is unresolved")
    if is_check or row.for_human:
        return Verdict(row, end)
    return Verdict(row, None, "the wallet does not cancel it for now, and is asked again")


def _has_nothing_to_undo(row: Row, end: Outcome, times: Times, *, now: float, for_provider: bool) -> bool:
    """Whether a refused cancel can be settled. An unresolved movement may land until `settle_after` has passed."""
    if end.result is Result.PLAYER_NOT_FOUND:
        # The player is unknown: no money can have moved once no call can land any more.
        since = row.movement_unresolved_since
        return row.movement is not Movement.CONFIRMED and (since is None or now - since >= times.settle_after)
    return for_provider and not (row.may_stand or row.cancel_unresolved)


def _end_undo(row: Row, end: Outcome, promises: Promises, *, now: float, for_provider: bool) -> Verdict:
    """
    Decides about 31 and 41 to an Undo, which no cancel lists (PROTOCOL: Answers). 41: the Undo was made before, so
    the transaction is cancelled. 31: the player has spent the win, so the answer is 500 and the cancel stays owed.
    """
    if end.result is Result.ALREADY_PROCESSED and not promises.has_cancel:
        return Verdict(decisions.settled(row, CancelState.DONE), replace(end, result=Result.OK))
    known = row if for_provider else decisions.refused(row, now)
    return Verdict(known, None, f"{end.result.name} is no answer to a cancel")


def _not_found(row: Row, end: Outcome, promises: Promises, times: Times, *, now: float) -> Verdict:
    """Decides whether a 42 to a cancel is believed (RULES 7)."""
    if decisions.is_on_record(row):
        reason = "the wallet does not know a transaction that it had confirmed"
        return Verdict(replace(row, for_human=reason), None, reason)
    if row.cancel is CancelState.NOT_FOUND:
        return Verdict(row, end)
    since = row.movement_unresolved_since
    if since is None or promises.late_bets_refused:
        return Verdict(decisions.settled(row, CancelState.NOT_FOUND), end)
    if now - since < times.settle_after:
        return Verdict(row, None, "the bet may still land", ask_again=True)
    return Verdict(decisions.believed_for_now(row, times, now=now), end)


def end_status(row: Row | None, outcome: Outcome, *, for_provider: bool = True) -> Verdict | None:
    """
    Records a status answered OK; None if the row does not change. If the provider asked, it believes in the movement
    from now on.
    """
    if row is None or outcome.state is not TransactionState.OK:
        return None
    if row.cancel is CancelState.NOT_FOUND:
        # The movement landed after its cancel was answered: take it back.
        return Verdict(replace(row, cancel=CancelState.OWED), None, "the wallet made it after its cancel")
    if row.told is Told.YES or row.status_said_ok or not for_provider:
        return None
    return Verdict(replace(row, status_said_ok=True), outcome)


def delivered(row: Row, callback: Bet | Win, *, sent: bool) -> Row:
    """
    Records whether the answer to a bet or win, a success or a refusal, was delivered.

    The answer to a conflict does not change the row.
    """
    if decisions.is_conflict(row, callback):
        return row
    if row.told is Told.MAYBE:
        return replace(row, told=Told.YES if sent else Told.NOTHING)
    if row.told is Told.REFUSED and not sent:
        # The provider knows of no refusal: it writes a bet off, and a win is still owed.
        return decisions.asked_in_vain(row)
    return row


def without_balance(verdict: Verdict, callback: Bet | Win | Cancel) -> Verdict:
    """
    Replaces an answer whose balance could not be read by 500. The row records the 500 beside the known result.
    """
    answer = verdict.answer
    if answer is None or answer.balance is not None or answer.result in WITHOUT_BALANCE:
        return verdict
    row = verdict.row if isinstance(callback, Cancel) else delivered(verdict.row, callback, sent=False)
    return replace(verdict, row=row, answer=None, reason=f"{answer.result.name}, but the balance could not be read")

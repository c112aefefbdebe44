"""
Settles a cancel if the wallet's own cancel does not suffice: the wallet has none, may not get it twice, or does not
answer 42 for an unknown transaction.

The opposite movement (`callbacks.Undo`) moves money even if the movement that it undoes was never made. So it is sent
only for a movement that the wallet has confirmed. For an unresolved one the wallet is asked, or a person decides.
"""

from enum import Enum

from msgspec.structs import asdict, replace

from walletbridge.protocol.callbacks import Cancel, Command, Undo
from walletbridge.rules import before_call, decisions
from walletbridge.rules.decisions import Look, Step, Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.repeats import cancels_are_checked, cancels_may_repeat
from walletbridge.rules.row import CancelState, Kind, Movement, Row
from walletbridge.rules.words import is_cancelled_by_word_alone


class Way(Enum):
    """The ways to settle an owed cancel."""

    SEND = "the wallet's own cancel, or the opposite movement"
    ASK = "a question what became of the transaction"
    WAIT = "time: it may still land, and the wallet would not say so"
    NOT_MADE = "the journal: the transaction was never made"
    NOTHING_MOVED = "the journal: no money has moved that could go back"
    LEAVE = "a person"


_UNSETTLED = {
    Way.WAIT: "the transaction may still land",
    Way.LEAVE: "nobody can tell what became of it, and this wallet cannot be asked",
}


def way(row: Row, promises: Promises, times: Times, *, now: float) -> Way:
    """Chooses the way to settle the cancel of `row`, whose answer the journal does not know yet."""
    if row.cancel_unresolved and not cancels_may_repeat(promises):
        return Way.ASK if promises.has_cancel and promises.has_status else Way.LEAVE
    if cancels_are_checked(promises):
        return Way.SEND
    if row.movement is Movement.CONFIRMED:
        return Way.SEND if promises.has_cancel else _way_back(row)
    if row.is_unresolved:
        return _way_in_doubt(row, promises, times, now)
    return Way.ASK if row.kind is None and promises.has_status else Way.NOT_MADE


def _way_back(row: Row) -> Way:
    if row.kind is None or row.amount is None:
        return Way.LEAVE
    return Way.SEND if row.amount else Way.NOTHING_MOVED


def _way_in_doubt(row: Row, promises: Promises, times: Times, now: float) -> Way:
    if promises.has_cancel and promises.late_bets_refused:
        return Way.SEND
    if promises.has_status:
        return Way.ASK
    if not promises.has_cancel:
        return Way.LEAVE
    # It answers 0 to the cancel of an unknown movement, so it gets the cancel once that has landed or never will.
    return Way.SEND if now >= certain_at(row, times) else Way.WAIT


def certain_at(row: Row, times: Times) -> float:
    """When a movement of unknown outcome has certainly landed, or never will."""
    return (row.movement_unresolved_since or 0.0) + times.settle_after


def look_cancel(  # noqa: PLR0913 - all inputs of the decision
    found: Row | None,
    other: Row | None,
    callback: Cancel,
    promises: Promises,
    times: Times,
    *,
    now: float,
    seconds: float,
    is_providers: bool = True,
) -> Look:
    """
    May this cancel be sent, and if not, what is the answer?

    From here on no bet or win of the transaction is sent until the cancel is settled. A late one is refused afterwards
    as well, even if the wallet cannot remember its cancel.
    """
    is_own = cancels_are_checked(promises) and cancels_may_repeat(promises)
    if is_own or (found is None and other is not None):
        return before_call.look_cancel(found, other, callback, now=now, seconds=seconds, is_providers=is_providers)
    row = before_call.cancel_wanted(found, callback, now=now, is_providers=is_providers)
    if is_providers and is_cancelled_by_word_alone(row):
        # RULES 16: the wallet was never asked, and 0 would mean that the stake is back.
        reason = "a person called it cancelled before its cancel came"
        return Look(replace(row, for_human=reason, told_at=now), Step.UNKNOWN, reason)
    if row.cancel is CancelState.DONE:
        return Look(row, Step.CANCELLED, "cancelled before")
    if row.cancel is CancelState.NOT_FOUND:
        return Look(row, Step.NOT_FOUND, "never made; the journal knows")
    return _look_by(way(row, promises, times, now=now), row, now, seconds)


def _look_by(chosen: Way, row: Row, now: float, seconds: float) -> Look:
    match chosen:
        case Way.SEND:
            return Look(replace(row, call=Kind.CANCEL, call_ends_at=now + seconds), Step.SEND)
        case Way.ASK:
            return Look(row, Step.ASK)
        case Way.NOT_MADE:
            return Look(decisions.settled(row, CancelState.NOT_FOUND), Step.NOT_FOUND, "never made; the journal knows")
        case Way.NOTHING_MOVED:
            return Look(decisions.settled(row, CancelState.DONE), Step.CANCELLED, "no money had moved")
        case Way.WAIT | Way.LEAVE:
            return Look(replace(row, told_at=now), Step.UNKNOWN, row.for_human or _UNSETTLED[chosen])


def as_sent(row: Row, callback: Cancel, promises: Promises) -> Cancel:
    """The call for the wallet: its own cancel, or the opposite movement with the row's kind and amount."""
    if promises.has_cancel or row.kind is None or row.amount is None:
        return callback
    return Undo(**asdict(callback), undone=Command(row.kind.value), amount=row.amount)

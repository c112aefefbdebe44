"""
How a cancel is settled where the wallet's own does not do it: there is none, it may not be sent twice, or it does not
say that it does not know the transaction.

The opposite movement (`callbacks.Undo`) moves money by itself, whatever became of what it undoes. So it is sent only
for a movement that the wallet has confirmed; one that may or may not have been made is asked for, or left to a person.
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
    """What settles a cancel that is owed."""

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
    """What settles the cancel of `row`, to which the journal knows no answer yet."""
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
    # It answers 0 to a cancel of what it does not know yet, so it gets the cancel once it is certain to know.
    return Way.SEND if now >= certain_at(row, times) else Way.WAIT


def certain_at(row: Row, times: Times) -> float:
    """When a movement of unknown outcome has certainly landed or not."""
    return (row.movement_unresolved_since or 0.0) + times.settle_after


def look_cancel(  # noqa: PLR0913 - all that a look can depend on
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
    May this cancel be sent, and if not, what is answered?

    From here on no bet or win of the transaction is sent, until the cancel is settled; nor after it, so that a late
    bet is refused also by a wallet that cannot remember its cancel.
    """
    is_own = cancels_are_checked(promises) and cancels_may_repeat(promises)
    if is_own or (found is None and other is not None):
        return before_call.look_cancel(found, other, callback, now=now, seconds=seconds, is_providers=is_providers)
    row = before_call.cancel_wanted(found, callback, now=now, is_providers=is_providers)
    if is_providers and is_cancelled_by_word_alone(row):
        # RULES 16: nobody has asked the wallet, and 0 would say that the stake is back.
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
    """The cancel as the wallet gets it: its own, or the opposite movement with the amount and the kind of the row."""
    if promises.has_cancel or row.kind is None or row.amount is None:
        return callback
    return Undo(**asdict(callback), undone=Command(row.kind.value), amount=row.amount)

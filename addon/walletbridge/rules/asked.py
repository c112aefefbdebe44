"""
Applies the wallet's answer to the gateway's own `status` question about a row in doubt.

A "yes" settles the row at once. A "no" proves nothing while a call may still land, and afterwards only if
`settle_after` is long enough: a "no" that is believed on time alone is asked again later (RULES 7).
"""

from msgspec.structs import replace

from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules import decisions
from walletbridge.rules.decisions import End, Times, Verdict
from walletbridge.rules.row import CancelState, Movement, Row


def end_question(row: Row, end: End, times: Times, *, now: float) -> Verdict:
    """
    The row after the question. `ask_again`: the question came too early.

    A new look at the row decides the answer to a cancel that waits for it.
    """
    if isinstance(end, OutcomeUnknown):
        return Verdict(row, None, end.reason)
    known = replace(row, result=end.result)
    if end.result is Result.TRANSACTION_NOT_FOUND:
        return _not_known(known, end, times, now)
    if end.result is not Result.OK:
        return Verdict(decisions.refused(known, now), None, f"the question was answered {end.result.name}")
    if end.state is TransactionState.CANCELED:
        return _cancelled(known, end)
    return _stands(known, end, times, now)


def _stands(row: Row, end: Outcome, times: Times, now: float) -> Verdict:
    made = replace(row, movement=Movement.CONFIRMED, movement_unresolved_since=None, tries=0, refused_since=None)
    made = replace(made, next_try_at=None)
    if row.cancel_unresolved:
        if now - row.call_ends_at < times.settle_after:
            return Verdict(made, None, "its cancel may still land", ask_again=True)
        return _left(made, "its cancel was sent once, and the wallet says that it stands")
    if row.cancel is CancelState.NOT_FOUND:
        # The movement landed after its cancel was answered: take it back.
        made = replace(made, cancel=CancelState.OWED, rechecks_left=0)
    return Verdict(made, end)


def _cancelled(row: Row, end: Outcome) -> Verdict:
    if row.cancel is CancelState.NONE:
        return _left(row, "the wallet says that it is cancelled, and nobody has sent a cancel")
    return Verdict(decisions.settled(replace(row, movement=Movement.CONFIRMED), CancelState.DONE), end)


def _not_known(row: Row, end: Outcome, times: Times, now: float) -> Verdict:
    if row.movement is Movement.CONFIRMED:
        return _left(row, "the wallet does not know a transaction that it had confirmed")
    if row.cancel is CancelState.NOT_FOUND:
        return Verdict(row, end)
    since = row.movement_unresolved_since
    if row.cancel_unresolved:
        since = max(row.call_ends_at, since or 0.0)
    if since is None:
        return Verdict(decisions.settled(row, CancelState.NOT_FOUND), end)
    if now - since < times.settle_after:
        return Verdict(row, None, "it may still land", ask_again=True)
    if row.cancel is CancelState.NONE:
        return _left(row, "the wallet does not know it, and this wallet gets it only once")
    return Verdict(decisions.believed_for_now(row, times, now=now), end)


def _left(row: Row, reason: str) -> Verdict:
    return Verdict(replace(row, for_human=reason), None, reason)

"""
Answers `status` from the journal, if the wallet has no `status`, or one that knows of no cancel.
"""

from msgspec.structs import replace

from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules import after_call, before_call
from walletbridge.rules.decisions import Look, Step, Verdict
from walletbridge.rules.promises import Promises
from walletbridge.rules.repeats import cancels_are_checked
from walletbridge.rules.row import CancelState, Movement, Row
from walletbridge.rules.words import rests_on_word


def look_status(found: Row | None, promises: Promises, *, other: Row | None = None, for_provider: bool = True) -> Look:
    """May the wallet be asked, or does the journal answer? The row notes an OK: the provider believes in it."""
    look = before_call.look_status(found, other)
    if look.step is not Step.SEND:
        return look
    told = _told(look.row, promises)
    if told is None:
        return look
    verdict = after_call.end_status(look.row, told, for_provider=for_provider)
    return Look(look.row if verdict is None else verdict.row, Step.TOLD, "the journal knows", told=told)


def look_status_unwritten(found: Row | None, promises: Promises, *, other: Row | None = None) -> Look:
    """The same if the journal cannot be written: an OK that must be noted is 500."""
    look = look_status(found, promises, other=other)
    is_noted = found is None or look.row is None or found.status_said_ok == look.row.status_said_ok
    return look if look.step is not Step.TOLD or is_noted else Look(None, Step.UNKNOWN, "it cannot be noted")


def _told(row: Row | None, promises: Promises) -> Outcome | None:
    """The status that the journal knows better than the wallet, or None."""
    if row is not None and row.cancel is CancelState.DONE and not (promises.has_cancel and promises.has_status):
        return Outcome(Result.OK, None, TransactionState.CANCELED)
    if promises.has_status:
        return None
    if row is not None and row.movement is Movement.CONFIRMED and row.cancel is CancelState.NONE:
        return Outcome(Result.OK, None, TransactionState.OK)
    return Outcome(Result.TRANSACTION_NOT_FOUND, None)


def end_status(row: Row | None, outcome: Outcome, promises: Promises, *, for_provider: bool = True) -> Verdict | None:
    """
    Decides the answer to a status that the wallet answered with `outcome`; None: answer `outcome`, and note nothing.

    The wallet's own confirmation in the journal outranks a `status` that contradicts it: a lagging replica may have
    answered (RULES 4). A movement that the wallet has made, and does not cancel by itself, must be undone.
    """
    known = _contradicted(row, outcome)
    if known is not None and row is not None:
        if rests_on_word(row):
            return Verdict(row, None, "the wallet's status contradicts what a person said")
        noted = after_call.end_status(row, known, for_provider=for_provider)
        return Verdict(row if noted is None else noted.row, known, "the wallet's status is out of date")
    verdict = after_call.end_status(row, outcome, for_provider=for_provider)
    if verdict is None or verdict.row.cancel is not CancelState.OWED or cancels_are_checked(promises):
        return verdict
    return replace(verdict, row=replace(verdict.row, movement=Movement.CONFIRMED, rechecks_left=0))


def _contradicted(row: Row | None, outcome: Outcome) -> Outcome | None:
    """The journal's answer if the wallet's status contradicts it, else None."""
    if row is None or outcome.result not in {Result.OK, Result.TRANSACTION_NOT_FOUND}:
        return None
    if row.cancel is CancelState.DONE:
        known = TransactionState.CANCELED
    elif row.movement is Movement.CONFIRMED and row.cancel is CancelState.NONE:
        # CANCELED is no contradiction: the operator may have cancelled it in the wallet.
        known = outcome.state or TransactionState.OK
    else:
        return None
    return None if outcome.state is known else Outcome(Result.OK, outcome.balance, known)

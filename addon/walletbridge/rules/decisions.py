"""
The common parts of the rules that keep money from moving twice or getting lost: pure functions from a row to a row.

Each wallet call has a look (`before_call`) and an end (`after_call`). The look reads the row and decides whether the
call may be made; the look and its row go to disk in one transaction before the call. The end records the outcome and
decides the answer; it goes to disk before the provider is answered (RULES 2).

A call is unresolved while its outcome is unknown. A cancel is owed from its intent until it is settled.
"""

from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from walletbridge.protocol.callbacks import Bet, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

type End = Outcome | OutcomeUnknown
"""The outcome of a call, or the reason why it is unknown."""


class Step(Enum):
    """The next step after a look."""

    SEND = "call the wallet"
    UNKNOWN = "answer 500"
    REPEATED = "answer 41 with the current balance"
    FAILED = "answer 99 with the current balance"
    NOT_FOUND = "answer 42 with the current balance"
    CANCELLED = "answer 0 with the current balance"
    ASK = "ask the wallet what became of it, then look again"
    TOLD = "answer what the journal knows"


class Look(Struct, frozen=True):
    """The row to write, if any, and the next step."""

    row: Row | None
    step: Step
    reason: str = ""
    is_conflict: bool = False
    told: Outcome | None = None
    """For TOLD: the result that the journal knows, without a balance."""


class Verdict(Struct, frozen=True):
    """The row to write, and the answer: an outcome, or None for unknown (500)."""

    row: Row
    answer: Outcome | None
    reason: str = ""
    ask_again: bool = False
    """The cancel has no certain answer yet, but another call of the wallet may bring one."""


class Times(Struct, frozen=True, kw_only=True):
    """Times of `settings.Journal`, in seconds."""

    settle_after: float
    abandon_after: float
    redeliver_for: float
    recheck_after: tuple[float, ...]
    give_up_after: float
    """How long the resolver tries after the wallet's first refusal."""
    refused_pause_max: float = 300.0
    """The longest pause between two such tries."""


def absorb(row: Row) -> Row:
    """
    The row of a free turn. A call that is still on record becomes unresolved: its worker died.

    It ended at its deadline, at the earliest (RULES 12).
    """
    if row.call is None:
        return row
    told_at = row.call_ends_at if row.told_at is None else max(row.told_at, row.call_ends_at)
    if row.call is Kind.CANCEL:
        return replace(row, call=None, cancel_unresolved=True, told_at=told_at)
    if is_on_record(row):
        return replace(row, call=None, told_at=told_at)
    return replace(row, call=None, movement_unresolved_since=later(row, row.call_ends_at), told_at=told_at)


def settled(row: Row, state: CancelState) -> Row:
    """The row once its cancel is settled."""
    return replace(
        row,
        cancel=state,
        cancel_unresolved=False,
        movement_unresolved_since=None,
        tries=0,
        refused_since=None,
        next_try_at=None,
        rechecks_left=0,
        for_human="",
    )


def refused(row: Row, now: float) -> Row:
    """Counts one more refusal to the resolver. `give_up_after` runs from the first one (RULES 8)."""
    since = now if row.refused_since is None else row.refused_since
    return replace(row, tries=row.tries + 1, refused_since=since)


RESTORED = "the journal was restored from a copy, and what was answered since is not known"


def restored(row: Row) -> Row:
    """
    The row in a journal that is older than the answers (RULES 12). A call that is open in it may have ended since, so a
    person decides the row. An owed cancel stays owed: it means the same whenever it is sent.
    """
    if row.cancel is CancelState.OWED:
        return row
    if row.call is None and not row.is_open and not row.is_heard_in_doubt:
        return row
    return replace(absorb(row), for_human=RESTORED)


def cancels_round(before: Row | None, after: Row) -> bool:
    """Whether this change is the first cancel of a bet, or of a possible bet, of a round (RULES 9)."""
    is_first = after.cancel is not CancelState.NONE and (before is None or before.cancel is CancelState.NONE)
    return is_first and bool(after.round_id) and after.kind is not Kind.WIN


def in_cancelled_round(row: Row) -> Row:
    """Marks a win whose round has a cancelled bet. Written with the cancel's intent, so order does not matter."""
    return row if row.round_cancelled or row.kind is not Kind.WIN else replace(row, round_cancelled=True)


def believed_for_now(row: Row, times: Times, *, now: float) -> Row:
    """Settles a 42 that is believed on time alone, to be asked again in case the movement lands later still."""
    rechecks = len(times.recheck_after)
    next_try_at = now + times.recheck_after[0] if rechecks else None
    return replace(settled(row, CancelState.NOT_FOUND), rechecks_left=rechecks, next_try_at=next_try_at)


def is_conflict(row: Row, callback: Bet | Win) -> bool:
    """Whether a callback differs from the row in kind or amount, and so is no repeat."""
    return row.kind is not None and (row.kind, row.amount) != (Kind(callback.command.value), callback.amount)


def is_on_record(row: Row) -> bool:
    """Whether the wallet has confirmed the movement or its cancel: a repeat can no longer change anything."""
    return row.movement is Movement.CONFIRMED or row.cancel is CancelState.DONE


def later(row: Row, ended_at: float) -> float:
    """When the last movement call of unknown outcome ended, counting one that ended at `ended_at`."""
    since = row.movement_unresolved_since
    return ended_at if since is None else max(since, ended_at)


def came_again(row: Row) -> Row:
    """
    Notes that a win comes again after it was answered as made. The provider did not hear the answer, or this is a
    double: the gateway cannot know (RULES 11).
    """
    return replace(row, told=Told.MAYBE) if row.kind is Kind.WIN and row.told is Told.YES else row


def asked_in_vain(row: Row) -> Row:
    """Drops a refusal that was not delivered, or whose repeat got no definite answer."""
    if row.movement is not Movement.REFUSED:
        return row
    return replace(row, movement=Movement.NONE, told=Told.NOTHING)

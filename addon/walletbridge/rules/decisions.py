"""
The rules that keep money from moving twice or getting lost, as pure functions from a row to a row.

For each who wants to call the wallet there is a look (`looks`), which reads the row and says whether the call may be
made, and an end (`ends`), which writes down what came of it and says what may be answered. A look and its row go to
disk in one transaction before the wallet is called; an end goes to disk before the provider is answered. Here is what
both are made of.

The words: a call is unresolved while nobody knows what came of it; a cancel is owed from its intent until it is
settled.
"""

from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from walletbridge.protocol.callbacks import Bet, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

type End = Outcome | OutcomeUnknown
"""What came of a call."""


class Step(Enum):
    """What may be done after a look."""

    SEND = "call the wallet"
    UNKNOWN = "answer 500"
    REPEATED = "answer 41 with the current balance"
    FAILED = "answer 99 with the current balance"
    NOT_FOUND = "answer 42 with the current balance"
    CANCELLED = "answer 0 with the current balance"
    ASK = "ask the wallet what became of it, then look again"
    TOLD = "answer what the journal knows"


class Look(Struct, frozen=True):
    """The row to write, if any, and what may be done then."""

    row: Row | None
    step: Step
    reason: str = ""
    is_conflict: bool = False
    told: Outcome | None = None
    """Of TOLD: what the journal knows, without a balance."""


class Verdict(Struct, frozen=True):
    """The row to write, and what may be answered: an outcome, or nothing known (500)."""

    row: Row
    answer: Outcome | None
    reason: str = ""
    ask_again: bool = False
    """The cancel may not be answered yet, but another question to the wallet may help."""


class Times(Struct, frozen=True, kw_only=True):
    """Seconds; see the settings of the journal."""

    settle_after: float
    abandon_after: float
    redeliver_for: float
    recheck_after: tuple[float, ...]
    give_up_after: float
    """How long what the wallet refuses to settle is tried, from its first refusal on."""
    refused_pause_max: float = 300.0
    """The longest pause between two such tries."""


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
    """The resolver was refused once more; how long that goes on is counted from the first time (RULES 8)."""
    since = now if row.refused_since is None else row.refused_since
    return replace(row, tries=row.tries + 1, refused_since=since)


RESTORED = "the journal was restored from a copy, and what was answered since is not known"


def restored(row: Row) -> Row:
    """
    A row of a journal that is older than what was answered: what was open in it may have ended since, and what it says
    of that must not be acted on. A cancel that is owed says the same whenever it is sent. RULES 12.
    """
    if row.cancel is CancelState.OWED:
        return row
    if row.call is None and not row.is_open and not row.is_heard_in_doubt:
        return row
    return replace(absorb(row), for_human=RESTORED)


def cancels_round(before: Row | None, after: Row) -> bool:
    """Whether this change is the first that cancels a bet, or what may be one, of a round (RULES 9)."""
    is_first = after.cancel is not CancelState.NONE and (before is None or before.cancel is CancelState.NONE)
    return is_first and bool(after.round_id) and after.kind is not Kind.WIN


def in_cancelled_round(row: Row) -> Row:
    """A win once a bet of its round is cancelled. Written with the cancel's intent, so no order of both escapes."""
    return row if row.round_cancelled or row.kind is not Kind.WIN else replace(row, round_cancelled=True)


def believed_for_now(row: Row, times: Times, *, now: float) -> Row:
    """The wallet does not know it, believed on time alone: to be asked again, in case it landed later still."""
    rechecks = len(times.recheck_after)
    next_try_at = now + times.recheck_after[0] if rechecks else None
    return replace(settled(row, CancelState.NOT_FOUND), rechecks_left=rechecks, next_try_at=next_try_at)


def is_conflict(row: Row, callback: Bet | Win) -> bool:
    """Whether a callback cannot be a repeat of what the row stands for."""
    return row.kind is not None and (row.kind, row.amount) != (Kind(callback.command.value), callback.amount)


def is_on_record(row: Row) -> bool:
    """Whether the wallet has said that it has the transaction: a repeat can no longer change anything."""
    return row.movement is Movement.CONFIRMED or row.cancel is CancelState.DONE


def later(row: Row, ended_at: float) -> float:
    """When the last movement call of unknown outcome ended, with one more that ended at `ended_at`."""
    since = row.movement_unresolved_since
    return ended_at if since is None else max(since, ended_at)


def came_again(row: Row) -> Row:
    """
    A win that went out as made comes once more. Its sender has not heard so, unless it is a double: nobody can tell
    (RULES 11).
    """
    return replace(row, told=Told.MAYBE) if row.kind is Kind.WIN and row.told is Told.YES else row


def asked_in_vain(row: Row) -> Row:
    """What was refused was asked for again, and nobody knows whether the refusal still held."""
    if row.movement is not Movement.REFUSED:
        return row
    return replace(row, movement=Movement.NONE, told=Told.NOTHING)

"""
Plans the resolver's next action for a row. Pure: the transaction that writes the intent plans again.
"""

from dataclasses import dataclass
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from walletbridge.protocol.outcomes import Result
from walletbridge.rules.cancel_strategy import Way, certain_at, way
from walletbridge.rules.decisions import Times, Verdict, absorb, settled
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.repeats import cancels_are_checked, cancels_may_repeat
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

REFUSED_PAUSE_SECONDS = 0.25
"""The pause after the first refusal; each further refusal doubles it."""
DOUBLINGS_MAX = 20
"""More doublings would only make the number large."""
HEARSAY_SECONDS = 5.0
"""The least pause between two looks whether the provider believes in a bet; it grows with the bet's age."""
WALLET_V1 = Promises(late_bets_refused=True)


class Action(Enum):
    """The resolver's actions."""

    NOTHING = "nothing"
    WAIT = "wait"
    REDELIVER = "send the win again"
    CANCEL = "send the cancel"
    ABANDON = "cancel a bet that its sender has written off"
    RECHECK = "ask again whether a cancelled transaction is still unknown"
    ASK = "ask the wallet what became of it"
    SETTLE = "note that there is nothing to be cancelled"
    BELIEVE = "note that the provider believes in the bet"
    LISTEN = "see whether the provider believes in the bet by now"
    SEE_ROUND = "see whether a bet of the win's round was cancelled"
    LEAVE = "leave it to a person"


SENDS = frozenset({Action.REDELIVER, Action.CANCEL, Action.ABANDON, Action.RECHECK, Action.ASK})


class Round(Struct, frozen=True):
    """The rest of the row's round: same account, same `round_id`. An unset `round_id` is no round (RULES 9)."""

    has_win: bool = False
    """A win of the round came."""
    has_cancelled_bet: bool = False
    """The cancel of a bet of the round has its intent on disk."""
    has_standing_bet: bool = False
    """Another bet of the round is neither cancelled nor refused."""


ALONE = Round()


@dataclass(frozen=True, slots=True)
class Switches:
    """Which rows the resolver may settle."""

    wins: bool = True
    bets: bool = True
    rollback: bool = False
    """The provider voids a round by cancelling its bets, so that an unheard win goes back as well."""


class Plan(Struct, frozen=True):
    """The next action, and its time."""

    action: Action
    at: float = 0.0
    """For WAIT: the earliest time of the next action."""
    reason: str = ""
    """For LEAVE: why a person must decide."""


NOTHING = Plan(Action.NOTHING)


def plan(  # noqa: PLR0913 - all inputs of the decision
    row: Row,
    around: Round,
    times: Times,
    switches: Switches,
    *,
    now: float,
    eager: bool = False,
    promises: Promises = WALLET_V1,
) -> Plan:
    """
    Plans for `row`, whose turn is free. `eager`: the wallet has just come back, so only rechecks wait for their time.
    """
    row = absorb(row)
    if row.for_human:
        return _of_left(row, around, now)
    wanted = _as_promised(row, _wanted(row, around, times, switches, now), promises, times, now)
    if wanted.action not in SENDS:
        return wanted
    is_early = row.next_try_at is not None and now < row.next_try_at
    if is_early and (wanted.action is Action.RECHECK or not eager):
        return Plan(Action.WAIT, at=row.next_try_at or now)
    return wanted


def _wanted(row: Row, around: Round, times: Times, switches: Switches, now: float) -> Plan:
    if row.cancel is CancelState.OWED:
        return Plan(Action.CANCEL) if switches.bets else NOTHING
    if row.rechecks_left:
        return Plan(Action.RECHECK)
    if row.cancel is not CancelState.NONE:
        return NOTHING
    if row.is_unheard_win and row.round_id:
        return _of_unheard_win(row, around, times, switches, now)
    if row.is_win_owed or (row.kind is Kind.WIN and row.is_unresolved):
        return _of_win(row, around, times, switches, now)
    return _of_bet(row, around, times, switches, now) if row.kind is Kind.BET else NOTHING


def _of_win(row: Row, around: Round, times: Times, switches: Switches, now: float) -> Plan:
    if not switches.wins:
        return NOTHING
    if around.has_cancelled_bet or row.round_cancelled:
        return _of_void_win(around, switches, "a bet of its round was cancelled: the win may no longer be owed")
    if now - row.created_at > times.redeliver_for:
        return Plan(Action.LEAVE, reason="too old to be sent again")
    return Plan(Action.REDELIVER)


def _of_unheard_win(row: Row, around: Round, times: Times, switches: Switches, now: float) -> Plan:
    """Plans for an unheard win. Its round is looked up once; a later cancel of a bet marks the row."""
    if row.is_rolled_back:
        return _of_void_win(around, switches, "it was made and never heard of, and a bet of its round was cancelled")
    if row.round_cancelled is not None:
        return NOTHING
    quiet_until = (row.created_at if row.told_at is None else row.told_at) + times.abandon_after
    return Plan(Action.WAIT, at=quiet_until) if now < quiet_until else Plan(Action.SEE_ROUND)


def _of_void_win(around: Round, switches: Switches, reason: str) -> Plan:
    """Takes a win back only if its whole round is void: of two bets the cancelled one may be a double (RULES 9)."""
    if switches.rollback and not around.has_standing_bet:
        return Plan(Action.CANCEL)
    return Plan(Action.LEAVE, reason=reason)


def _of_left(row: Row, around: Round, now: float) -> Plan:
    """A person has the row, but the provider's next callbacks may still show that it heard of a bet (RULES 11)."""
    if not row.is_heard_in_doubt:
        return NOTHING
    if around.has_win or row.status_said_ok:
        return Plan(Action.BELIEVE)
    is_early = row.next_try_at is not None and now < row.next_try_at
    return Plan(Action.WAIT, at=row.next_try_at or now) if is_early else Plan(Action.LISTEN)


def _of_bet(  # noqa: PLR0911 - one return for each case
    row: Row, around: Round, times: Times, switches: Switches, now: float
) -> Plan:
    is_maybe = row.is_heard_in_doubt
    if not (row.is_unresolved or row.is_written_off or is_maybe):
        return NOTHING
    quiet_since = row.created_at if row.told_at is None else row.told_at
    if is_maybe and (around.has_win or row.status_said_ok):
        return Plan(Action.BELIEVE)
    if now - quiet_since < times.abandon_after:
        return Plan(Action.WAIT, at=quiet_since + times.abandon_after)
    if is_maybe:
        return Plan(Action.LEAVE, reason="it was made, and it is not known whether the provider was told so")
    if around.has_win:
        return Plan(Action.LEAVE, reason="a win of its round came, though nothing but 500 went out for the bet")
    if row.status_said_ok:
        return Plan(Action.LEAVE, reason="a status was answered OK, though nothing but 500 went out for the bet")
    return Plan(Action.ABANDON) if switches.bets else NOTHING


def _as_promised(row: Row, wanted: Plan, promises: Promises, times: Times, now: float) -> Plan:
    """Adapts the plan to the wallet's promises."""
    match wanted.action:
        case Action.REDELIVER if promises.repeats is Repeats.UNPROTECTED and row.is_unresolved:
            return _ask_or_leave(promises, "nobody can tell whether it was made, and this wallet gets it only once")
        case Action.RECHECK:
            is_safe = cancels_may_repeat(promises) or not row.cancel_unresolved
            if cancels_are_checked(promises) and is_safe:
                return wanted
            return _ask_or_leave(promises, "it was believed on time alone that it was not made")
        case Action.CANCEL | Action.ABANDON:
            return _as_way(row, wanted, way(row, promises, times, now=now), times)
        case _:
            return wanted


def _as_way(row: Row, wanted: Plan, chosen: Way, times: Times) -> Plan:
    match chosen:
        case Way.SEND:
            return wanted
        case Way.ASK:
            return Plan(Action.ASK)
        case Way.WAIT:
            return Plan(Action.WAIT, at=certain_at(row, times))
        case Way.NOT_MADE | Way.NOTHING_MOVED:
            return Plan(Action.SETTLE)
        case Way.LEAVE:
            return Plan(Action.LEAVE, reason="nobody can tell what became of it, and this wallet cannot be asked")


def _ask_or_leave(promises: Promises, reason: str) -> Plan:
    return Plan(Action.ASK) if promises.has_status else Plan(Action.LEAVE, reason=reason)


def take(  # noqa: C901, PLR0911 - one return for each case
    row: Row, chosen: Plan, *, now: float, seconds: float, around: Round = ALONE
) -> Row:
    """The row with the intent of `chosen`, to be written before the wallet is called, or with a note if none is."""
    row = absorb(row)
    match chosen.action:
        case Action.REDELIVER:
            # No bet of its round is cancelled yet; a cancel from now on marks this row.
            return replace(row, call=Kind.WIN, call_ends_at=now + seconds, round_cancelled=False)
        case Action.CANCEL | Action.ABANDON:
            return replace(row, call=Kind.CANCEL, call_ends_at=now + seconds, cancel=CancelState.OWED)
        case Action.RECHECK:
            return replace(row, call=Kind.CANCEL, call_ends_at=now + seconds)
        case Action.ASK if row.kind is Kind.BET and row.cancel is CancelState.NONE:
            # The bet is given up: no bet is sent from here on, and a landed one is taken back.
            return replace(row, cancel=CancelState.OWED)
        case Action.ASK if row.kind is Kind.WIN and row.cancel is CancelState.NONE:
            return replace(row, round_cancelled=False)
        case Action.SETTLE:
            state = CancelState.DONE if row.movement is Movement.CONFIRMED else CancelState.NOT_FOUND
            return settled(row, state)
        case Action.BELIEVE:
            return replace(row, told=Told.YES, for_human="", next_try_at=None)
        case Action.LISTEN:
            age = now - (row.created_at if row.told_at is None else row.told_at)
            return replace(row, next_try_at=now + max(HEARSAY_SECONDS, age / 4))
        case Action.SEE_ROUND:
            return replace(row, round_cancelled=around.has_cancelled_bet)
        case Action.LEAVE:
            return replace(row, for_human=chosen.reason)
        case Action.ASK | Action.NOTHING | Action.WAIT:
            return row


def after(verdict: Verdict, before: Row, times: Times, *, now: float, pause: float) -> Row:
    """
    The row after a call of the resolver, with the time of the next try, if any.

    `pause`: seconds until the next try of a row that is still open.
    """
    row = verdict.row
    if row.tries > before.tries and row.refused_since is not None:
        if now - row.refused_since >= times.give_up_after:
            return replace(row, for_human=f"refused {row.tries} times in {now - row.refused_since:.0f} s")
        pause = max(pause, min(times.refused_pause_max, REFUSED_PAUSE_SECONDS * 2 ** min(before.tries, DOUBLINGS_MAX)))
    if before.rechecks_left and row.cancel is CancelState.NOT_FOUND:
        if row.result is Result.TRANSACTION_NOT_FOUND and verdict.answer is not None:
            return _rechecked(row, times, now)
        return replace(row, next_try_at=now + pause)
    return replace(row, next_try_at=now + pause) if row.is_open else row


def _rechecked(row: Row, times: Times, now: float) -> Row:
    left = row.rechecks_left - 1
    next_try_at = now + times.recheck_after[-left] if left else None
    return replace(row, rechecks_left=left, next_try_at=next_try_at, tries=0, refused_since=None)

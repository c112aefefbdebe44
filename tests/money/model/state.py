"""
What the model of one transaction consists of: its row, which the real rules write; the call that has the turn; the
wallet's books; the provider and what it believes. Everything that can go wrong is a fault, and a run has a few of them.

Times are small whole numbers, and always relative to now: a state does not say when it is, or there would be no end.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache

from msgspec import Struct
from msgspec.structs import replace
from tests.money.model.books import Books, Stand
from tests.money.model.setting import LATE_MAX, SENDS_OF_CANCEL, TIMES, Fault

from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.resolver_plan import Plan, Round
from walletbridge.rules.row import CancelState, Kind, Row

UNKNOWN = None
"""HTTP 500, or no answer."""
MADE = frozenset({Result.OK, Result.ALREADY_PROCESSED})
CANCELLED = frozenset({Result.OK, Result.TRANSACTION_NOT_FOUND})
"""What settles a cancel."""


class Belief(StrEnum):
    """What the provider takes for true."""

    UNSURE = "unsure"
    """Of a bet that was not sent yet, or a win that was not answered: it is owed."""
    MADE = "made"
    REFUSED = "refused"
    NOT_MADE = "not made"
    """It has cancelled the transaction, or gave up trying to."""
    DISPUTED = "disputed"
    """Its cancel was refused."""
    VOID = "void"
    """A win that it heard of, whose bet was cancelled, or a bet that it wrote off and plays on with."""
    ROLLED_BACK = "rolled back"
    """A win that it never heard of, whose bet it has cancelled: with the round it is over."""


class Provider(Struct, frozen=True):
    """What it has done and believes."""

    belief: Belief = Belief.UNSURE
    sends_left: int = 1
    cancels_left: int = 0
    """Of a cancel that is not answered yet."""
    cancel_answer: Result | None = None
    heard_made: bool = False
    """0 went out to it, or may have, or it has shown that it takes the bet for made."""
    has_regretted: bool = False


class Phase(StrEnum):
    """How far a call has come."""

    LOOKED = "looked"
    CAME = "came"
    ENDED = "ended"


class Call(Struct, frozen=True):
    """Who has the turn."""

    kind: Kind
    by: Plan | None
    """None: the provider."""
    phase: Phase = Phase.LOOKED
    came: Outcome | None = None
    """None: nobody knows."""
    is_sent: bool = True
    answer: Result | None = UNKNOWN
    is_read: bool = True
    """The provider still waits for it."""
    is_first: bool = False
    """Nothing was known of the transaction."""
    before: Row | None = None
    """The row with the call's intent, where it is needed again."""
    unwritten: Row | None = None
    """What is written only once the provider was answered."""
    asks_left: int = 1


class Asked(Struct, frozen=True):
    """A question of the provider's that the wallet has answered, and whose answer has not gone out."""

    row: Row | None
    """As it was when the wallet was asked."""
    said: TransactionState | None
    """None: it does not know the transaction."""


class State(Struct, frozen=True):
    """Everything."""

    row: Row | None
    call: Call | None
    books: Books
    late: tuple[tuple[Kind, int], ...]
    """Calls that the wallet is still at work on, with the time since their deadline."""
    provider: Provider
    around: Round
    straggles: bool
    """The bet or win is still under way to the gateway, and may arrive at any time."""
    faults: tuple[frozenset[Fault], ...]
    """What may still happen."""
    asked: Asked | None = None
    wrong: str = ""


type Steps = Iterator[tuple[str, State]]


def faulty(state: State, fault: Fault, *afters: State) -> Steps:
    """The steps to `afters`, if the fault may still happen."""
    place = next((place for place, allowed in enumerate(state.faults) if fault in allowed), None)
    if place is not None:
        left = state.faults[:place] + state.faults[place + 1 :]
        yield from ((fault, replace(after, faults=left)) for after in afters)


def with_row(state: State, row: Row | None) -> State:
    """The state once `row` is written, if it is one."""
    return state if row is None else replace(state, row=canonical(row))


def hear(state: State, kind: Kind, answer: Result | None) -> State:
    """What the provider makes of an answer, or of none."""
    provider = state.provider
    if kind is Kind.CANCEL:
        return replace(state, provider=_hear_of_cancel(provider, answer))
    if answer in MADE:
        provider = replace(provider, belief=Belief.MADE, sends_left=0, cancels_left=0)
    elif answer is not UNKNOWN:
        provider = replace(provider, belief=Belief.REFUSED, sends_left=0)
    elif kind is Kind.BET:
        provider = replace(provider, belief=Belief.NOT_MADE, cancels_left=SENDS_OF_CANCEL)
    return replace(state, provider=provider)


def _hear_of_cancel(provider: Provider, answer: Result | None) -> Provider:
    if answer is UNKNOWN:
        return replace(provider, cancels_left=provider.cancels_left - 1)
    # 21 and 22 say that it may not play, whatever becomes of the transaction.
    belief = Belief.DISPUTED if answer is Result.FAILED else provider.belief
    return replace(provider, cancels_left=0, cancel_answer=answer, belief=belief)


def stands(state: State) -> bool:
    """Whether the bet or win has moved money that was not given back."""
    return state.books.stand is Stand.MADE


_OLDEST = {
    "movement_unresolved_since": -TIMES.settle_after,
    "told_at": -TIMES.abandon_after,
    "created_at": -TIMES.redeliver_for - 1,
    "next_try_at": 0,
    "refused_since": -TIMES.give_up_after,
    "call_ends_at": -TIMES.redeliver_for,
}
"""What is older makes no difference."""


def a_second_later(state: State) -> State:
    """The state as it looks then."""
    late = tuple((kind, age + 1) for kind, age in state.late if age < LATE_MAX)
    asked = state.asked and replace(state.asked, row=state.asked.row and _older(state.asked.row))
    return replace(state, row=state.row and _older(state.row), late=late, asked=asked)


@cache
def _older(row: Row) -> Row:
    times = {name: getattr(row, name) for name in _OLDEST}
    changes = {name: max(at - 1, _OLDEST[name]) for name, at in times.items() if at is not None and at > _OLDEST[name]}
    return replace(row, **changes) if changes else row


@cache
def canonical(row: Row) -> Row:
    """The row without what no rule reads."""
    return replace(
        row,
        request="",
        result=None,
        balance=None,
        conflicts=0,
        sends=min(row.sends, 1),
        tries=min(row.tries, 2),
        call_ends_at=row.call_ends_at if row.call else _OLDEST["call_ends_at"],
        cancel_by_provider=row.cancel_by_provider and row.cancel is not CancelState.NONE,
    )

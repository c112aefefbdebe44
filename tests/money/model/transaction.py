"""The model of one transaction: everything that can happen to it, and what must never come of that."""

from functools import partial
from typing import Any

from msgspec.structs import replace
from tests.money.model.arrivals import answered, of_provider, of_resolver
from tests.money.model.books import Books, Stand, execute
from tests.money.model.calls import of_call
from tests.money.model.explorer import Model
from tests.money.model.setting import Fault, Setting, Stage
from tests.money.model.state import CANCELLED, Belief, Provider, State, Steps, a_second_later, faulty, stands

from walletbridge.journal import columns
from walletbridge.protocol.callbacks import Bet, Cancel, Win
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Kind

_GAME: dict[str, Any] = {
    "account": "test1234",
    "trans_id": 1,
    "checks": (21,),
    "requested_at": None,
    "round_id": "r",
    "provider_id": 0,
    "game_code": "",
    "game_name": "",
    "game_type": "",
}


def model(setting: Setting) -> Model[State]:
    """The model of a transaction in which nothing has happened yet."""
    stage = _stage(setting)
    books = Books(Stand.MADE, moved=1) if setting.was_made_before else Books()
    start = State(
        None, None, books, (), Provider(sends_left=stage.sends), Round(), straggles=False, faults=setting.faults
    )
    return Model(start, partial(_steps, stage), partial(_wrong, stage), partial(_wrong_at_rest, stage))


def _stage(setting: Setting) -> Stage:
    promises = Promises(late_bets_refused=setting.kindness.remembers_cancels, repeats=setting.repeats)
    movement = (Bet if setting.kind is Kind.BET else Win)(**_GAME, amount=1, call_id=0, type=0)
    return Stage(setting, promises, movement, replace(movement, amount=2), Cancel(**_GAME))


def _steps(stage: Stage, state: State) -> Steps:
    if state.call is not None:
        yield from of_call(stage, state, state.call)
    else:
        yield from of_provider(stage, state)
        yield from of_resolver(stage, state)
        yield from _pruned(state)
        yield "time passes", a_second_later(state)
    if state.asked is not None:
        yield "the question is answered", answered(stage, state, state.asked)
    for call in set(state.late):
        rest = list(state.late)
        rest.remove(call)
        left = replace(state, late=tuple(rest))
        books, result = execute(state.books, call[0], stage.setting.kindness)
        yield f"a late {call[0]} lands: {result.name}", replace(left, books=books)
        yield f"a late {call[0]} is dropped", left


def _pruned(state: State) -> Steps:
    """The last thing that happens: rows are kept for longer than anybody comes back to them."""
    provider = state.provider
    is_over = not (state.late or state.straggles or state.asked or provider.sends_left or provider.cancels_left)
    if is_over and len(state.faults) == 1 and state.row is not None and not columns.needs_look(state.row):
        yield from faulty(state, Fault.PRUNE, replace(state, row=None))


def _wrong(stage: Stage, state: State) -> str:
    if state.wrong:
        return state.wrong
    if state.books.moved > 1:
        return "its money has moved twice"
    answer = state.provider.cancel_answer
    if answer in CANCELLED and stage.setting.kindness.remembers_cancels and stands(state):
        return f"it stands in the wallet though its cancel was answered {answer:d}"
    return ""


def _wrong_at_rest(stage: Stage, state: State) -> str:
    return "a call never ends" if state.call is not None else _wrong_in_the_end(stage, state)


def _wrong_in_the_end(stage: Stage, state: State) -> str:
    row, belief = state.row, state.provider.belief
    if row is not None and row.is_heard_in_doubt and state.around.has_win:
        return "it is left to a person although a win of its round came"
    if row is not None and row.is_listed:
        return "" if row.for_human else "nobody settles it"
    is_wanted = belief is Belief.MADE or (belief is Belief.UNSURE and stage.setting.kind is Kind.WIN)
    if belief is Belief.DISPUTED:
        is_undone = state.books.stand is Stand.CANCELLED
        return "its cancel was answered 99, and it was cancelled all the same" if is_undone else ""
    if belief is Belief.VOID or is_wanted == stands(state):
        return ""
    return f"the provider takes it for {belief}, in the wallet it is {state.books.stand}, and nobody looks at it"

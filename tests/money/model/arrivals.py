"""What may begin while no call has the turn: the provider's callbacks and questions, and the resolver's work."""

from collections.abc import Iterator

from msgspec.structs import replace
from tests.money.model.books import Stand
from tests.money.model.setting import SECONDS, SENDS_OF_CANCEL, Fault, Stage
from tests.money.model.state import (
    UNKNOWN,
    Asked,
    Belief,
    Call,
    Phase,
    Provider,
    State,
    Steps,
    canonical,
    faulty,
    hear,
    with_row,
)

from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules import after_call, before_call, decisions, record
from walletbridge.rules import resolver_plan as plans
from walletbridge.rules.decisions import Step
from walletbridge.rules.resolver_plan import Action, Switches
from walletbridge.rules.row import Kind, Row

_ANSWERS = {Step.UNKNOWN: UNKNOWN, Step.REPEATED: Result.ALREADY_PROCESSED, Step.FAILED: Result.FAILED}


def of_provider(stage: Stage, state: State) -> Steps:
    """What PROTOCOL.md has it do, and what it does beside."""
    provider = state.provider
    if provider.sends_left and provider.belief is Belief.UNSURE and not provider.cancels_left:
        spent = replace(state, provider=replace(provider, sends_left=provider.sends_left - 1))
        yield f"the {stage.setting.kind} comes", look_movement(stage, came_again(stage, spent))
        if not state.straggles:
            straggling = replace(spent, straggles=True)
            yield from faulty(state, Fault.STRAGGLES, hear(straggling, stage.setting.kind, UNKNOWN))
    if state.straggles:
        yield f"a late {stage.setting.kind} comes", look_movement(stage, replace(state, straggles=False), is_read=False)
    has_begun = state.row is not None or provider.sends_left < stage.sends
    if not has_begun:
        return
    if provider.cancels_left:
        yield "its cancel comes", _look_cancel(stage, state)
    if state.faults:
        yield from _cancels(state)
        yield from _of_bet(stage, state) if stage.setting.kind is Kind.BET else _of_win(state)
        yield from _questions(state)
        yield from faulty(state, Fault.CONFLICT, *_conflicts(stage, state))


def came_again(stage: Stage, state: State) -> State:
    """A win that its sender sends again has not been heard of, whatever went out before: the gateway sees that."""
    if stage.setting.kind is Kind.BET:
        return state
    return replace(state, provider=replace(state.provider, heard_made=False))


def _cancels(state: State) -> Steps:
    provider = state.provider
    if provider.belief in {Belief.MADE, Belief.UNSURE}:
        regretted = Provider(
            Belief.NOT_MADE,
            sends_left=0,
            cancels_left=SENDS_OF_CANCEL,
            heard_made=provider.heard_made,
            has_regretted=True,
        )
        yield from faulty(state, Fault.REGRET, replace(state, provider=regretted))
    # Where 0 went out for a bet, or may yet, or the provider has changed its mind, nothing but the cancel could tell.
    if provider.cancels_left and not (provider.heard_made or provider.has_regretted or state.straggles):
        yield from faulty(state, Fault.CANCEL_LOST, hear(state, Kind.CANCEL, UNKNOWN))


def _of_bet(stage: Stage, state: State) -> Steps:
    provider = state.provider
    yield from faulty(state, Fault.REPEAT, look_movement(stage, state, is_read=False))
    if (provider.belief is Belief.MADE or provider.cancels_left) and not state.around.has_win:
        belief = Belief.VOID if provider.cancels_left else Belief.MADE
        plays_on = replace(provider, belief=belief, cancels_left=0, heard_made=True)
        around = replace(state.around, has_win=True)
        yield from faulty(state, Fault.WIN_OF_ROUND, replace(state, provider=plays_on, around=around))


def _of_win(state: State) -> Steps:
    if not state.around.has_cancelled_bet:
        yield from faulty(state, Fault.CANCEL_OF_ROUND, round_cancelled(state))


def round_cancelled(state: State) -> State:
    """The provider has given up on a win, and cancels the bet of its round."""
    heard = state.provider.heard_made
    void = replace(state.provider, belief=Belief.VOID if heard else Belief.ROLLED_BACK, sends_left=0, cancels_left=0)
    around = replace(state.around, has_cancelled_bet=True)
    row = state.row and decisions.in_cancelled_round(state.row)
    return replace(with_row(state, row), provider=void, around=around)


def look_movement(stage: Stage, state: State, *, is_read: bool = True) -> State:
    """The bet or win has come. `is_read`: the provider goes by its answer."""
    look = before_call.look_movement(state.row, None, stage.movement, stage.promises, now=0, seconds=SECONDS)
    call = Call(stage.setting.kind, None, is_first=state.row is None, is_read=is_read)
    if look.step is Step.SEND:
        return _take(stage, state, look.row, call)
    answer = look.told.result if look.told else _ANSWERS[look.step]
    return answering(with_row(state, look.row), call, answer)


def _look_cancel(stage: Stage, state: State) -> State:
    look = before_call.look_cancel(state.row, None, stage.cancel, now=0, seconds=SECONDS)
    return _take(stage, state, look.row, Call(Kind.CANCEL, None))


def _take(stage: Stage, state: State, row: Row | None, call: Call) -> State:
    assert row is not None
    row = canonical(row)
    if not stage.setting.intent_first:
        return replace(state, call=replace(call, before=row))
    return replace(state, row=row, call=replace(call, before=row if call.by else None))


def answering(state: State, call: Call, answer: Result | None) -> State:
    """The call has ended, and its answer is about to go out."""
    is_41_to_bet = call.kind is Kind.BET and answer is Result.ALREADY_PROCESSED
    is_cancelled_by_it = state.row is not None and state.row.cancel_by_provider
    if is_41_to_bet and not (state.provider.heard_made or call.is_first or is_cancelled_by_it):
        state = replace(state, wrong="41 to a bet for which no 0 went out")
    ended = Call(call.kind, None, Phase.ENDED, answer=answer, is_read=call.is_read, unwritten=call.unwritten)
    return replace(state, call=ended)


def _conflicts(stage: Stage, state: State) -> Iterator[State]:
    """Whether the answer goes out or not."""
    if state.row is None or state.row.kind is None:
        return
    look = before_call.look_movement(state.row, None, stage.conflict, stage.promises, now=0, seconds=SECONDS)
    if look.step is Step.SEND or look.row is None:
        yield replace(state, wrong="a callback that differs from its row was sent")
        return
    yield with_row(state, look.row)
    if look.step is Step.REPEATED:
        for sent in (True, False):
            yield with_row(state, after_call.delivered(look.row, stage.conflict, sent=sent))


_SAYS = {Stand.UNKNOWN: None, Stand.MADE: TransactionState.OK, Stand.CANCELLED: TransactionState.CANCELED}
_SAID_BEFORE = {
    Stand.UNKNOWN: (),
    Stand.MADE: (None,),
    Stand.CANCELLED: (None, TransactionState.OK),
}
"""What a replica may still say."""


def _questions(state: State) -> Steps:
    """The provider asks what became of it."""
    if state.asked is not None:
        return
    look = before_call.look_status(state.row)
    looked = with_row(state, look.row)
    if look.step is not Step.SEND:
        yield from faulty(state, Fault.STATUS, looked)
        return
    yield from faulty(state, Fault.STATUS, replace(looked, asked=Asked(looked.row, _SAYS[state.books.stand])))
    if state.row is not None:
        lagging = [replace(looked, asked=Asked(looked.row, said)) for said in _SAID_BEFORE[state.books.stand]]
        yield from faulty(state, Fault.LAG, *lagging)


def answered(stage: Stage, state: State, asked: Asked) -> State:
    """The wallet's answer to the provider's question is there, and what the provider makes of it."""
    state = replace(state, asked=None)
    row = state.row and decisions.absorb(state.row)
    if stage.setting.drops_old_answers and row != asked.row:
        # 500, and what the provider takes for true is as before.
        return state
    if state.straggles and asked.said is None:
        # What is still under way is cancelled all the same (PROTOCOL: Retries).
        return state
    outcome = Outcome(Result.OK if asked.said else Result.TRANSACTION_NOT_FOUND, state=asked.said)
    verdict = record.end_status(row, outcome, stage.promises)
    if verdict is not None and verdict.answer is UNKNOWN:
        return with_row(state, verdict.row)
    said = (verdict.answer if verdict and verdict.answer else outcome).state
    heard_made = state.provider.heard_made or said is TransactionState.OK
    provider = replace(state.provider, sends_left=0, cancels_left=0, heard_made=heard_made)
    if said is None and provider.belief is Belief.REFUSED:
        belief = Belief.REFUSED
    else:
        belief = Belief.MADE if said is TransactionState.OK else Belief.NOT_MADE
    return replace(with_row(state, verdict.row if verdict else None), provider=replace(provider, belief=belief))


def of_resolver(stage: Stage, state: State) -> Steps:
    """What it would do now, though it need not come to it."""
    if state.row is None:
        return
    chosen = plans.plan(state.row, state.around, stage.setting.times, Switches(), now=0, eager=True)
    if chosen.action in {Action.NOTHING, Action.WAIT, Action.LISTEN}:
        return
    label = f"the resolver: {chosen.action.value}"
    row = plans.take(state.row, chosen, now=0, seconds=SECONDS, around=state.around)
    if chosen.action not in plans.SENDS:
        yield label, with_row(state, row)
        return
    wrong = ""
    if chosen.action is Action.REDELIVER and state.around.has_cancelled_bet:
        wrong = "a win is sent again though the bet of its round was cancelled"
    if chosen.action is Action.ABANDON and state.around.has_win:
        wrong = "a bet is given up though a win of its round came"
    yield label, replace(_take(stage, state, row, Call(row.call or Kind.CANCEL, chosen)), wrong=wrong)

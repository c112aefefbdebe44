"""What may become of the call that has the turn, from its intent on disk to the answer that goes out."""

from collections.abc import Iterator

from msgspec.structs import replace
from tests.money.model.arrivals import answering, came_again, round_cancelled
from tests.money.model.books import execute
from tests.money.model.setting import SECONDS, Fault, Stage
from tests.money.model.state import (
    MADE,
    UNKNOWN,
    Belief,
    Call,
    Phase,
    State,
    Steps,
    a_second_later,
    canonical,
    faulty,
    hear,
    stands,
    with_row,
)

from walletbridge.protocol import outcomes
from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules import after_call, before_call
from walletbridge.rules import resolver_plan as plans
from walletbridge.rules.decisions import End, Verdict
from walletbridge.rules.row import Kind, Movement, Row

LOST = OutcomeUnknown("lost", sent=True)
NOT_SENT = OutcomeUnknown("not sent", sent=False)


def of_call(stage: Stage, state: State, call: Call) -> Steps:
    """Every next step of the call, and what may come in between."""
    if call.phase is Phase.ENDED:
        yield from _answer(stage, state, call)
        return
    yield from _send(stage, state, call) if call.phase is Phase.LOOKED else _end(stage, state, call)
    if not stage.setting.takes_turns and state.provider.cancels_left:
        yield "its cancel comes, at the same time", _cancel_beside(stage, state, call)
    if state.faults:
        if call.kind is not Kind.BET and stage.setting.kind is Kind.WIN and not state.around.has_cancelled_bet:
            is_given_up = call.by is not None or not call.is_read
            yield from faulty(state, Fault.CANCEL_OF_ROUND, *[round_cancelled(state)] * is_given_up)
        is_waited_for = call.by is None and call.is_read
        dead = replace(state, call=None)
        yield from faulty(state, Fault.CRASH, hear(dead, call.kind, UNKNOWN) if is_waited_for else dead)
        if is_waited_for and call.kind is not Kind.CANCEL:
            unread = replace(state, call=replace(call, is_read=False))
            yield from faulty(state, Fault.OVERTAKEN, hear(unread, call.kind, UNKNOWN))
        if not is_waited_for:
            yield from faulty(state, Fault.NO_TURN, *_without_turn(stage, state, call))


def _without_turn(stage: Stage, state: State, call: Call) -> Iterator[State]:
    """Callbacks whose budget passes before the call has ended."""
    provider = state.provider
    if provider.cancels_left:
        row = before_call.not_sent(state.row, None, stage.cancel, now=0)
        yield hear(with_row(state, row), Kind.CANCEL, UNKNOWN)
    if call.by is None:
        return
    row = before_call.not_sent(state.row, None, stage.movement, now=0)
    if provider.sends_left and provider.belief is Belief.UNSURE:
        spent = replace(state, provider=replace(provider, sends_left=provider.sends_left - 1))
        yield hear(with_row(came_again(stage, spent), row), stage.setting.kind, UNKNOWN)
    if provider.belief is Belief.REFUSED and stage.setting.kind is Kind.BET:
        yield hear(with_row(state, row), Kind.BET, UNKNOWN)


def _cancel_beside(stage: Stage, state: State, call: Call) -> State:
    """All of a cancel at once, while another call is at work."""
    look = before_call.look_cancel(state.row, None, stage.cancel, now=0, seconds=SECONDS)
    assert look.row is not None
    books, result = execute(state.books, Kind.CANCEL, stage.setting.kindness)
    beside = replace(call, kind=Kind.CANCEL, by=None, came=Outcome(result))
    verdict = _verdict(stage, look.row, beside)
    heard = hear(with_row(replace(state, books=books), verdict.row), Kind.CANCEL, _code(verdict))
    return replace(heard, call=call)


def _send(stage: Stage, state: State, call: Call) -> Steps:
    books, result = execute(state.books, call.kind, stage.setting.kindness)
    came = replace(call, phase=Phase.CAME)
    done = replace(state, books=books)
    yield f"the wallet: {result.name}", replace(done, call=replace(came, came=Outcome(result)))
    if not state.faults:
        return
    lost = replace(done, call=came)
    yield from faulty(state, Fault.LOST, lost)
    late = tuple(sorted((*state.late, (call.kind, 0))))
    yield from faulty(state, Fault.LATE, replace(state, call=came, late=late))
    yield from faulty(state, Fault.NOT_SENT, replace(state, call=replace(came, is_sent=False)))
    refusals = [Result.FAILED]
    if state.row is not None and state.row.movement is Movement.CONFIRMED:
        refusals.append(Result.PLAYER_INACTIVE)
    refused = [replace(state, call=replace(came, came=Outcome(refusal))) for refusal in refusals]
    if not (state.straggles and call.kind is Kind.WIN):
        # Nobody could tell the win that comes late from one that is sent again because it was refused.
        yield from faulty(state, Fault.REFUSED, *refused)
    odd = Outcome(Result.ALREADY_PROCESSED if call.kind is Kind.CANCEL else Result.TRANSACTION_NOT_FOUND)
    is_listed = outcomes.is_listed(Command(call.kind.value), odd)
    yield from faulty(state, Fault.ODD, replace(done, call=replace(came, came=odd)) if is_listed else lost)
    if call.kind is Kind.CANCEL and stands(state):
        missing = replace(came, came=Outcome(Result.TRANSACTION_NOT_FOUND))
        yield from faulty(state, Fault.AMNESIA, replace(state, call=missing))


def _verdict(stage: Stage, row: Row, call: Call) -> Verdict:
    came: End = (LOST if call.is_sent else NOT_SENT) if call.came is None else call.came
    for_provider = call.by is None
    if call.kind is Kind.CANCEL:
        return after_call.end_cancel(row, came, stage.promises, stage.setting.times, now=0, for_provider=for_provider)
    return after_call.end_movement(row, came, now=0, for_provider=for_provider)


def _code(verdict: Verdict) -> Result | None:
    return verdict.answer.result if verdict.answer else UNKNOWN


def _end(stage: Stage, state: State, call: Call) -> Steps:
    row = state.row if stage.setting.intent_first else call.before
    assert row is not None
    verdict = _verdict(stage, row, call)
    if call.by is not None:
        assert call.before is not None
        after = plans.after(verdict, call.before, stage.setting.times, now=0, pause=1)
        yield "written", replace(with_row(state, after), call=None)
        yield from faulty(state, Fault.UNWRITTEN, replace(state, call=None))
        return
    if verdict.ask_again and call.asks_left:
        kept = with_row(state, replace(verdict.row, call=Kind.CANCEL))
        again = replace(call, phase=Phase.LOOKED, came=None, asks_left=call.asks_left - 1)
        yield "asked again", replace(a_second_later(kept), call=again)
    if not stage.setting.end_first:
        unwritten = replace(call, unwritten=canonical(verdict.row))
        yield "not written yet", answering(state, unwritten, _code(verdict))
        return
    yield "written", answering(with_row(state, verdict.row), call, _code(verdict))
    yield from faulty(state, Fault.UNWRITTEN, *_unanswered(stage, state, call, row))
    yield from faulty(state, Fault.WRITTEN_LATE, *_unanswered(stage, state, call, verdict.row))


def _unanswered(stage: Stage, state: State, call: Call, row: Row) -> Iterator[State]:
    """500 goes out. That is noted, if there is anything to note and the disk takes it."""
    if call.kind is not Kind.CANCEL:
        noted = after_call.delivered(row, stage.movement, sent=False)
        yield answering(with_row(state, noted), call, UNKNOWN)
    if call.kind is Kind.CANCEL or row is state.row:
        yield answering(with_row(state, row), call, UNKNOWN)


def _answer(stage: Stage, state: State, call: Call) -> Steps:
    row = call.unwritten or state.row
    assert row is not None
    dead = replace(state, call=None)
    ended = replace(dead, row=row)
    is_noted = call.kind is not Kind.CANCEL and call.answer is not UNKNOWN
    unsent = with_row(ended, after_call.delivered(row, stage.movement, sent=False) if is_noted else row)
    label = "answered 500" if call.answer is UNKNOWN else f"answered {call.answer:d}"
    if not call.is_read and not (is_noted and call.answer in MADE):
        # Who does not wait has closed the connection.
        yield "nobody is there to be answered", unsent
    elif is_noted and call.answer in MADE:
        sent = with_row(ended, after_call.delivered(row, stage.movement, sent=True))
        yield label, _heard_made(_heard(sent, call, call.answer))
        yield from faulty(state, Fault.UNREAD, _heard_made(_heard(sent, call, UNKNOWN)))
        yield from faulty(state, Fault.UNSENT, _heard(unsent, call, UNKNOWN))
        yield from faulty(state, Fault.CRASH, _heard(dead, call, UNKNOWN), _heard_made(_heard(dead, call, call.answer)))
    else:
        yield label, hear(ended, call.kind, call.answer)
        if call.answer is not UNKNOWN:
            yield from faulty(state, Fault.UNSENT, hear(unsent, call.kind, UNKNOWN))


def _heard(state: State, call: Call, answer: Result | None) -> State:
    return hear(state, call.kind, answer) if call.is_read else state


def _heard_made(state: State) -> State:
    """It went out, so nobody can know that the provider has not read it."""
    belief = Belief.VOID if state.provider.belief is Belief.ROLLED_BACK else state.provider.belief
    return replace(state, provider=replace(state.provider, heard_made=True, belief=belief))

"""Each rule, switched off: what would be if it were not kept. Its number stands in front of what it says."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.money.model.setting import TIMES, Setting

from walletbridge.journal import columns
from walletbridge.protocol import outcomes
from walletbridge.protocol.callbacks import Bet, Win
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules import after_call, before_call, decisions, record, stored_callback
from walletbridge.rules import resolver_plan as plans
from walletbridge.rules.decisions import Look, Step, Times, Verdict
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import Action, Plan, Round
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.transactions import resolver

type Patch = pytest.MonkeyPatch


def conflicts_are_repeats(patch: Patch) -> None:
    """Rule 1: a callback that differs from its row in kind or amount is no repeat."""
    patch.setattr(decisions, "is_conflict", lambda _row, _callback: False)


def what_is_not_sent_leaves_no_row(patch: Patch) -> None:
    """Rule 2: a movement or cancel has its row also where the wallet was not called."""
    patch.setattr(before_call, "not_sent", lambda found, *_, **__: found)


def a_refusal_speaks_for_all(patch: Patch) -> None:
    """Rule 3: a refusal speaks only for its own call."""
    real = after_call._movement_refused

    def refused(row: Row, end: Outcome, *, now: float, for_provider: bool) -> Verdict:
        return real(replace(row, movement_unresolved_since=None), end, now=now, for_provider=for_provider)

    patch.setattr(after_call, "_movement_refused", refused)


def a_repeats_refusal_is_passed_on(patch: Patch) -> None:
    """Rule 3: nor does the refusal of a repeat say that the first was not made."""
    patch.setattr(after_call, "_repeat_refused", Verdict)


def a_status_is_always_asked(patch: Patch) -> None:
    """Rule 4: while a row is open, a status for it is 500."""
    patch.setattr(before_call, "look_status", lambda found, _other=None: Look(found, Step.SEND))


def a_status_after_a_cancel_is_passed_on(patch: Patch) -> None:
    """Rule 4: what the wallet says of a transaction whose cancel was answered 42 is no answer if it stands."""
    patch.setattr(after_call, "end_status", lambda _row, _outcome, **_: None)


def a_lagging_status_is_believed(patch: Patch) -> None:
    """Rule 4: what the journal has from the wallet outranks a status that contradicts it."""
    patch.setattr(record, "_contradicted", lambda _row, _outcome: None)


def a_bet_is_sent_again(patch: Patch) -> None:
    """Rule 4: a repeated bet is 500 where nothing but 500 went out for it."""
    real = before_call.look_movement

    def look(found: Row | None, other: Row | None, callback: Bet | Win, promises: Promises, **times: float) -> Look:
        looked = real(found, other, callback, promises, **times)
        if looked.row is None or "nothing but 500" not in looked.reason:
            return looked
        return before_call._send(looked.row, Kind.BET, **times)

    patch.setattr(before_call, "look_movement", look)


def a_refused_bet_is_sent_again(patch: Patch) -> None:
    """Rule 6: a bet that was refused is refused again, for its sender never sends one twice."""
    real = before_call.look_movement

    def look(found: Row | None, other: Row | None, callback: Bet | Win, promises: Promises, **times: float) -> Look:
        looked = real(found, other, callback, promises, **times)
        if looked.row is None or looked.step is not Step.TOLD:
            return looked
        return before_call._send(looked.row, Kind.BET, **times)

    patch.setattr(before_call, "look_movement", look)


def every_result_is_believed(patch: Patch) -> None:
    """Rule 5: a result that is not listed for the command is unknown."""
    patch.setattr(outcomes, "is_listed", lambda _command, _outcome: True)


def a_cancel_stops_nobody(patch: Patch) -> None:
    """Rule 6: after a cancel that was made, a wallet that does not report repeats is not asked again."""

    def look(row: Row, kind: Kind, _: Promises, now: float, seconds: float) -> Look:
        return before_call._send(row, kind, now, seconds)

    patch.setattr(before_call, "_look_movement_after_cancel", look)


def a_bet_may_come_after_its_cancel(patch: Patch) -> None:
    """Rule 6: once a cancel was settled by 42, no bet of that id reaches the wallet."""
    real = before_call.look_movement

    def look(found: Row | None, other: Row | None, callback: Bet | Win, promises: Promises, **times: float) -> Look:
        row = None if found is not None and found.cancel is CancelState.NOT_FOUND else found
        return real(row, other, callback, promises, **times)

    patch.setattr(before_call, "look_movement", look)


def a_42_is_believed_at_once(patch: Patch) -> None:
    """Rule 7: a 42 is not believed while a bet may still land in a wallet that forgets cancels."""
    real = after_call._not_found

    def believed(row: Row, end: Outcome, promises: Promises, times: Times, *, now: float) -> Verdict:
        return real(replace(row, movement_unresolved_since=None), end, promises, times, now=now)

    patch.setattr(after_call, "_not_found", believed)


def a_refused_recheck_counts(patch: Patch) -> None:
    """Rule 7: a refusal does not say whether the transaction is known."""
    real = plans.after

    def after(verdict: Verdict, before: Row, times: Times, **seconds: float) -> Row:
        row = replace(verdict.row, result=Result.TRANSACTION_NOT_FOUND)
        return real(replace(verdict, row=row), before, times, **seconds)

    patch.setattr(plans, "after", after)


def a_42_for_what_was_confirmed_is_believed(patch: Patch) -> None:
    """Rule 7: never."""
    patch.setattr(decisions, "is_on_record", lambda _: False)


def a_win_is_settled_by_a_refusal(patch: Patch) -> None:
    """Rule 8: it is settled by 0 or 41, and any other answer is a try."""
    real = after_call._movement_refused

    def refused(row: Row, end: Outcome, *, now: float, for_provider: bool) -> Verdict:
        verdict = real(row, end, now=now, for_provider=for_provider)
        return verdict if for_provider else replace(verdict, row=replace(verdict.row, movement=Movement.REFUSED))

    patch.setattr(after_call, "_movement_refused", refused)


def a_cancel_is_settled_by_a_refusal(patch: Patch) -> None:
    """Rule 8: it is settled by 0 or a believed 42; a provider's cancel that was refused stays listed as well."""
    real = after_call.end_cancel

    def ended(row: Row, end: decisions.End, promises: Promises, times: Times, **about: Any) -> Verdict:
        verdict = real(row, end, promises, times, **about)
        is_refused = isinstance(end, Outcome) and end.result is Result.FAILED
        return replace(verdict, row=decisions.settled(verdict.row, CancelState.DONE)) if is_refused else verdict

    patch.setattr(after_call, "end_cancel", ended)


def a_99_to_a_cancel_goes_out(patch: Patch) -> None:
    """Rule 8: where the resolver is going to cancel it, its sender does not hear that nothing was undone."""
    real = after_call._cancel_refused

    def refused(row: Row, end: Outcome, times: Times, *, now: float, for_provider: bool) -> Verdict:
        verdict = real(row, end, times, now=now, for_provider=for_provider)
        return replace(verdict, answer=end) if for_provider else verdict

    patch.setattr(after_call, "_cancel_refused", refused)


def planned(patch: Patch, name: str, action: Action, change: Callable[[Row, Plan], Plan]) -> None:
    """Replaces what `plan` makes of rows for which it wants `action`."""
    real = getattr(plans, name)

    def wanted(row: Row, *about: Any) -> Plan:
        chosen = real(row, *about)
        return change(row, chosen) if chosen.action is action else chosen

    patch.setattr(plans, name, wanted)


def cancels_are_left_open(patch: Patch) -> None:
    """Rule 8: the resolver settles the cancels that are owed."""
    planned(patch, "_wanted", Action.CANCEL, lambda _row, _plan: plans.NOTHING)


def wins_are_left_open(patch: Patch) -> None:
    """Rule 8: and the wins."""
    patch.setattr(plans, "_of_win", lambda *_: plans.NOTHING)


def a_win_is_owed_whatever_becomes_of_its_bet(patch: Patch) -> None:
    """Rule 9: a win is not sent again once a bet of its round was cancelled."""
    planned(patch, "_of_win", Action.LEAVE, lambda _row, _plan: Plan(Action.REDELIVER))


def a_win_that_nobody_heard_of_is_at_rest(patch: Patch) -> None:
    """Rule 9: one that was made and never answered is listed once a bet of its round is cancelled."""
    patch.setattr(Row, "is_rolled_back", property(lambda _: False))


def a_cancel_does_not_look_for_wins(patch: Patch) -> None:
    """Rule 9: whichever of both comes first, so the cancel of a bet is noted in the wins of its round."""
    patch.setattr(decisions, "in_cancelled_round", lambda row: row)


def a_win_does_not_look_for_cancels(patch: Patch) -> None:
    """Rule 9: and a win that comes after the cancel looks for it."""
    planned(patch, "_of_unheard_win", Action.SEE_ROUND, lambda _row, _plan: plans.NOTHING)


def bets_are_left_open(patch: Patch) -> None:
    """Rule 10: a bet that we could not answer is cancelled in the end."""
    planned(patch, "_of_bet", Action.ABANDON, lambda _row, _plan: plans.NOTHING)


def a_bet_is_cancelled_though_it_may_have_been_answered(patch: Patch) -> None:
    """Rule 10: but only if nothing but 500 went out for it."""

    def given_up(row: Row, chosen: Plan) -> Plan:
        return Plan(Action.ABANDON) if row.told is Told.MAYBE else chosen

    planned(patch, "_of_bet", Action.LEAVE, given_up)


def a_bet_is_cancelled_though_its_round_goes_on(patch: Patch) -> None:
    """Rule 10: and no win of its round came."""
    real = plans._of_bet

    def alone(row: Row, _: Round, *about: Any) -> Plan:
        return real(row, Round(), *about)

    patch.setattr(plans, "_of_bet", alone)


def what_is_answered_counts_as_sent(patch: Patch) -> None:
    """Rule 11: a row says whether its answer went out, did not, or may have."""
    real = after_call.end_movement

    def ended(row: Row, end: decisions.End, **about: Any) -> Verdict:
        verdict = real(row, end, **about)
        told = Told.YES if verdict.row.told is Told.MAYBE else verdict.row.told
        return replace(verdict, row=replace(verdict.row, told=told))

    patch.setattr(after_call, "end_movement", ended)


def a_refusal_counts_as_sent(patch: Patch) -> None:
    """Rule 11: also where it is a refusal."""
    real = after_call.delivered

    def delivered(row: Row, callback: Bet | Win, *, sent: bool) -> Row:
        return real(row, callback, sent=sent or row.told is Told.REFUSED)

    patch.setattr(after_call, "delivered", delivered)


def a_win_that_comes_again_was_heard_of(patch: Patch) -> None:
    """Rule 11: a win that is sent again shows that the answer to it was not heard."""
    patch.setattr(decisions, "came_again", lambda row: row)


def an_answer_to_a_conflict_counts(patch: Patch) -> None:
    """Rule 11: the answer to another callback says nothing of the row's."""
    real = after_call.delivered

    def delivered(row: Row, callback: Bet | Win, *, sent: bool) -> Row:
        return real(row, replace(callback, amount=row.amount or 0), sent=sent)

    patch.setattr(after_call, "delivered", delivered)


def nobody_listens_whether_it_was_heard(patch: Patch) -> None:
    """Rule 11: what the provider does later shows whether it has heard."""
    patch.setattr(plans, "_of_left", lambda *_: plans.NOTHING)


def calls_are_forgotten(patch: Patch) -> None:
    """Rule 12: a call that never ended on record ended at its deadline, at the earliest."""

    def forget(row: Row) -> Row:
        return replace(row, call=None)

    patch.setattr(decisions, "absorb", forget)
    patch.setattr(plans, "absorb", forget)


def what_is_refused_is_given_up_in_seconds(patch: Patch) -> None:
    """Rule 8: what the wallet refuses is tried for hours, for it may be warming up."""
    real = plans.after

    def after(verdict: Verdict, before: Row, times: Times, **seconds: float) -> Row:
        return real(verdict, before, replace(times, give_up_after=2), **seconds)

    patch.setattr(resolver, "after", after)


def what_is_sent_again_does_not_say_so(patch: Patch) -> None:
    """Rule 8: a redelivery says that it is one, for a wallet may refuse what is long past."""
    real = stored_callback.win_of

    def win_of(text: str, checks: tuple[int, ...], *, sent_at: int) -> Win:
        return replace(real(text, checks, sent_at=sent_at), redelivered=False, requested_at=0)

    patch.setattr(resolver, "win_of", win_of)


def a_restored_journal_is_believed(patch: Patch) -> None:
    """Rule 12: what was open in a journal that is older than the answers may have ended since."""
    patch.setattr(decisions, "restored", lambda row: row)


def open_rows_are_pruned(patch: Patch) -> None:
    """Rule 13: open rows are never deleted."""
    patch.setattr(columns, "needs_look", lambda _: False)


def as_it_is(setting: Setting) -> Setting:
    """For what the functions above have switched off."""
    return setting


def no_turns(setting: Setting) -> Setting:
    """Rule 1: everyone who calls the wallet for a transaction takes its turn."""
    return replace(setting, takes_turns=False)


def the_intent_is_not_written(setting: Setting) -> Setting:
    """Rule 2: the intent is on disk before the wallet is called."""
    return replace(setting, intent_first=False)


def the_answer_goes_out_first(setting: Setting) -> Setting:
    """Rule 2: the outcome is on disk before the provider is answered."""
    return replace(setting, end_first=False)


def an_old_answer_to_a_question_counts(setting: Setting) -> Setting:
    """Rule 4: what the wallet said before the transaction changed is no answer."""
    return replace(setting, drops_old_answers=False)


def a_42_is_not_asked_again(setting: Setting) -> Setting:
    """Rule 7: one that was believed on time alone is."""
    return replace(setting, times=replace(TIMES, recheck_after=()))

"""
Each rule can be seen to matter: with it switched off, the exploration finds a way to lose money or to move it twice.

Not here, because the model cannot say it: that turns are fair and budgets are kept (no order of steps depends on it);
that a win is not sent again after `redeliver_for` (the provider alone knows how long it is owed); that a status which
was answered OK speaks for a bet (it takes an answer that is found not to have gone out only after the next question);
and that what was written survives a crash of the machine.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.money.model.books import Kindness
from tests.money.model.explorer import explore
from tests.money.model.rules_off import (
    Patch,
    a_42_for_what_was_confirmed_is_believed,
    a_42_is_believed_at_once,
    a_42_is_not_asked_again,
    a_99_to_a_cancel_goes_out,
    a_bet_is_cancelled_though_it_may_have_been_answered,
    a_bet_is_cancelled_though_its_round_goes_on,
    a_bet_is_sent_again,
    a_bet_may_come_after_its_cancel,
    a_cancel_does_not_look_for_wins,
    a_cancel_is_settled_by_a_refusal,
    a_cancel_stops_nobody,
    a_lagging_status_is_believed,
    a_refusal_counts_as_sent,
    a_refusal_speaks_for_all,
    a_refused_bet_is_sent_again,
    a_refused_recheck_counts,
    a_repeats_refusal_is_passed_on,
    a_status_after_a_cancel_is_passed_on,
    a_status_is_always_asked,
    a_win_does_not_look_for_cancels,
    a_win_is_owed_whatever_becomes_of_its_bet,
    a_win_is_settled_by_a_refusal,
    a_win_that_comes_again_was_heard_of,
    a_win_that_nobody_heard_of_is_at_rest,
    an_answer_to_a_conflict_counts,
    an_old_answer_to_a_question_counts,
    as_it_is,
    bets_are_left_open,
    calls_are_forgotten,
    cancels_are_left_open,
    conflicts_are_repeats,
    every_result_is_believed,
    no_turns,
    nobody_listens_whether_it_was_heard,
    open_rows_are_pruned,
    the_answer_goes_out_first,
    the_intent_is_not_written,
    what_is_answered_counts_as_sent,
    what_is_not_sent_leaves_no_row,
    wins_are_left_open,
)
from tests.money.model.setting import Fault, Setting
from tests.money.model.transaction import model

from walletbridge.rules.promises import Repeats
from walletbridge.rules.row import Kind

STATES_MAX = 100_000
PROMISES_ALL = Kindness()
FORGETS = Kindness(remembers_cancels=False)
REPORTS_NO_REPEATS = Kindness(reports_repeats=False)


@dataclass(frozen=True, slots=True)
class Off:
    """A rule that is off, and what it takes to see that."""

    mutate: Callable[[Patch], None] | None
    faults: tuple[Fault, ...]
    wrong: str
    kind: Kind = Kind.BET
    kindness: Kindness = PROMISES_ALL
    change: Callable[[Setting], Setting] = as_it_is

    @property
    def name(self) -> str:
        return self.change.__name__ if self.mutate is None else self.mutate.__name__

    def setting(self) -> Setting:
        """With no more going wrong than it takes."""
        faults = tuple(frozenset({fault}) for fault in self.faults)
        repeats = Repeats.REPORTED if self.kindness.reports_repeats else Repeats.REPLAYED
        return Setting(kind=self.kind, kindness=self.kindness, repeats=repeats, faults=faults)


STANDS = "the provider takes it for not made, in the wallet it is made, and nobody looks at it"
CANCELLED = "the provider takes it for made, in the wallet it is cancelled, and nobody looks at it"
STUCK = "nobody settles it"

OFF = [
    Off(None, (Fault.LATE, Fault.OVERTAKEN), STUCK, change=no_turns),
    Off(conflicts_are_repeats, (Fault.CONFLICT,), "a callback that differs from its row was sent"),
    Off(None, (Fault.CRASH, *2 * [Fault.CANCEL_LOST]), STANDS, change=the_intent_is_not_written),
    Off(None, (Fault.CRASH,), CANCELLED, change=the_answer_goes_out_first),
    Off(what_is_not_sent_leaves_no_row, (Fault.OVERTAKEN, *2 * [Fault.NO_TURN]), STANDS),
    Off(a_refusal_speaks_for_all, (Fault.LATE, Fault.REFUSED), "refused", kind=Kind.WIN),
    Off(a_repeats_refusal_is_passed_on, (Fault.UNREAD, Fault.REFUSED), "refused", kind=Kind.WIN),
    Off(a_status_is_always_asked, (Fault.REGRET, Fault.LATE, Fault.STATUS), CANCELLED),
    Off(a_status_after_a_cancel_is_passed_on, (Fault.LATE, Fault.STATUS), CANCELLED, kindness=FORGETS),
    Off(a_lagging_status_is_believed, (Fault.LAG,), STANDS),
    Off(None, (Fault.REGRET, Fault.STATUS), CANCELLED, change=an_old_answer_to_a_question_counts),
    Off(a_refused_bet_is_sent_again, (Fault.REFUSED, Fault.REPEAT), "refused"),
    Off(a_99_to_a_cancel_goes_out, (Fault.REGRET, Fault.REFUSED), "cancelled all the same"),
    Off(a_win_that_nobody_heard_of_is_at_rest, (Fault.UNSENT, Fault.CANCEL_OF_ROUND), "rolled back", kind=Kind.WIN),
    Off(a_cancel_does_not_look_for_wins, (Fault.UNSENT, Fault.CANCEL_OF_ROUND), "rolled back", kind=Kind.WIN),
    Off(
        a_win_does_not_look_for_cancels,
        (Fault.STRAGGLES, Fault.CANCEL_OF_ROUND, Fault.UNSENT),
        "rolled back",
        kind=Kind.WIN,
    ),
    Off(nobody_listens_whether_it_was_heard, (Fault.CRASH, Fault.WIN_OF_ROUND), "although a win of its round came"),
    Off(a_bet_is_sent_again, (Fault.CRASH, Fault.REPEAT), "41 to a bet for which no 0 went out"),
    Off(every_result_is_believed, (Fault.ODD,), "refused"),
    Off(a_cancel_stops_nobody, (Fault.REGRET, Fault.REPEAT), "moved twice", kindness=REPORTS_NO_REPEATS),
    Off(a_bet_may_come_after_its_cancel, (Fault.STRAGGLES,), STANDS, kindness=FORGETS),
    Off(a_42_is_believed_at_once, (Fault.LATE,), STANDS, kindness=FORGETS),
    Off(None, (Fault.LATE,), STANDS, kindness=FORGETS, change=a_42_is_not_asked_again),
    Off(a_refused_recheck_counts, (Fault.LATE, Fault.REFUSED), STANDS, kindness=FORGETS),
    Off(a_42_for_what_was_confirmed_is_believed, (Fault.REGRET, Fault.AMNESIA), "answered 42"),
    Off(a_win_is_settled_by_a_refusal, (*2 * [Fault.NOT_SENT], Fault.REFUSED), "unsure", kind=Kind.WIN),
    Off(a_cancel_is_settled_by_a_refusal, (Fault.LOST, *2 * [Fault.NOT_SENT], Fault.REFUSED), STANDS),
    Off(cancels_are_left_open, (Fault.LOST, *2 * [Fault.NOT_SENT]), STUCK),
    Off(wins_are_left_open, (Fault.LOST, Fault.LOST), STUCK, kind=Kind.WIN),
    Off(a_win_is_owed_whatever_becomes_of_its_bet, (Fault.LOST, Fault.CANCEL_OF_ROUND), "again", kind=Kind.WIN),
    Off(bets_are_left_open, (Fault.LOST, *2 * [Fault.CANCEL_LOST]), STUCK),
    Off(a_bet_is_cancelled_though_it_may_have_been_answered, (Fault.CRASH,), CANCELLED),
    Off(a_bet_is_cancelled_though_its_round_goes_on, (Fault.LOST, Fault.WIN_OF_ROUND), "given up though a win"),
    Off(what_is_answered_counts_as_sent, (Fault.CRASH, *2 * [Fault.CANCEL_LOST]), STANDS),
    Off(a_refusal_counts_as_sent, (Fault.NOT_SENT, Fault.REFUSED, Fault.UNSENT), "unsure", kind=Kind.WIN),
    *[
        Off(
            a_win_that_comes_again_was_heard_of,
            (Fault.UNREAD, lost, Fault.CANCEL_OF_ROUND),
            "rolled back",
            kind=Kind.WIN,
        )
        for lost in (Fault.LOST, Fault.UNSENT, Fault.CRASH)
    ],
    Off(an_answer_to_a_conflict_counts, (Fault.CRASH, Fault.CONFLICT), CANCELLED),
    Off(calls_are_forgotten, (Fault.LATE, Fault.CRASH), STANDS, kindness=FORGETS),
    Off(open_rows_are_pruned, (Fault.LOST, *2 * [Fault.CANCEL_LOST], Fault.PRUNE), STANDS),
]


@pytest.mark.parametrize("off", OFF, ids=lambda off: off.name)
def test_a_rule_that_is_off_is_missed(monkeypatch: Patch, off: Off) -> None:
    assert explore(model(off.setting()), states_max=STATES_MAX).wrong == ""

    if off.mutate is not None:
        off.mutate(monkeypatch)
    found = explore(model(off.change(off.setting())), states_max=STATES_MAX)
    assert off.wrong in found.wrong, str(found)


def test_all_rules_are_among_them() -> None:
    texts = [switch.__doc__ or "" for off in OFF for switch in (off.mutate, off.change) if switch]
    numbers = {int(found[1]) for text in texts if (found := re.match(r"Rule (\d+): ", text))}

    assert numbers == set(range(1, 14))

"""What may be left to a person where the wallet can be asked, and for which reasons."""

from dataclasses import replace

import pytest
from tests.money.faults.beliefs import Transaction
from tests.money.faults.heard import Said, Times
from tests.money.faults.needs import is_needless
from tests.money.faults.one_bet import BET

from walletbridge.rules.decisions import RESTORED

KILLED = Times(kills=[Said("", 40.0)])
CANCELLED = replace(BET, cancel_sent_at=50.0)


def needless(reason: str, bet: Transaction = BET, times: Times = KILLED, **more: bool) -> bool:
    flags = {"is_win": True, "was_restored": False, "was_decided": False, **more}
    return is_needless(reason, bet, times, **flags)


@pytest.mark.parametrize("was_restored", [True, False])
def test_refusals_that_pass_and_what_can_be_asked_are_never_a_persons(*, was_restored: bool) -> None:
    for reason in (
        "refused 7 times in 9 s",
        "nobody can tell what became of it, and this wallet cannot be asked",
        "too old to be sent again",
    ):
        assert needless(reason, was_restored=was_restored)
    assert not needless("", was_restored=was_restored)


def test_a_restored_journal_leaves_what_was_under_way() -> None:
    assert not needless(RESTORED, was_restored=True)
    assert needless(RESTORED)


def test_whether_a_bet_was_heard_of_is_doubted_only_where_a_note_of_it_was_lost() -> None:
    reason = "it was made, and it is not known whether the provider was told so"

    assert not needless(reason, is_win=False)
    assert needless(reason, times=Times(), is_win=False)


def test_a_win_is_left_where_its_bet_was_cancelled() -> None:
    reason = "it was made and never heard of, and a bet of its round was cancelled"

    assert not needless(reason, CANCELLED)
    assert needless(reason)
    assert needless(reason, CANCELLED, is_win=False)


def test_what_a_person_said_is_doubted_only_where_a_person_has_spoken() -> None:
    reason = "a person called it made, and it comes again"

    assert not needless(reason, was_decided=True)
    assert needless(reason)


def test_a_reason_that_nothing_explains_is_needless() -> None:
    assert needless("the wallet does not know a transaction that it had confirmed")

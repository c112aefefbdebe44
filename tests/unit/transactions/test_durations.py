"""What the settings' times mean to the rules."""

import pytest

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import SettingsError
from walletbridge.rules.promises import Promises
from walletbridge.settings import Deadlines, Journal
from walletbridge.transactions.durations import budgets, days_to_keep, times


def test_a_budget_is_the_provider_s_limit_less_the_way_back() -> None:
    deadlines = Deadlines(authenticate=1, balance=2, bet=3, win=4, cancel=5, status=6, margin=0.5)

    assert budgets(deadlines) == {
        Command.AUTHENTICATE: 0.5,
        Command.BALANCE: 1.5,
        Command.BET: 2.5,
        Command.WIN: 3.5,
        Command.CANCEL: 4.5,
        Command.STATUS: 5.5,
    }
    assert budgets(Deadlines())[Command.BET] == 1.75


def test_a_journal_that_is_the_record_is_kept_for_longer_than_its_settings_may_say() -> None:
    promises = Promises(late_bets_refused=True, has_status=False)

    assert days_to_keep(Journal(), promises) == 400
    with pytest.raises(SettingsError, match=r"^journal.keep_days: expected at least 400, got 30"):
        days_to_keep(Journal(keep_days=30), promises)
    assert days_to_keep(Journal(), Promises(late_bets_refused=True)) == 30


def test_a_cancel_that_was_believed_is_asked_again_later_and_later() -> None:
    assert times(Journal(recheck_after=2)).recheck_after == (2, 20, 120)

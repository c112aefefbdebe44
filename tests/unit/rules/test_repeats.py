"""What may be sent again, and where the journal is the record, by what a wallet promises."""

import pytest
from msgspec.structs import replace

from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.repeats import (
    cancels_are_checked,
    cancels_may_repeat,
    is_the_record,
    keep_days,
    repeats_are_told,
)

V1 = Promises(late_bets_refused=True)
ALL = V1.checks


@pytest.mark.parametrize(
    ("promises", "are_told"),
    [
        (V1, True),
        (replace(V1, late_bets_refused=False, has_cancel=False, has_status=False), True),
        (replace(V1, repeats=Repeats.REPLAYED), False),
        (replace(V1, repeats=Repeats.UNPROTECTED), False),
        # A repeat of a bet would be 31.
        (replace(V1, checks_balance_first=True), False),
        (replace(V1, checks=ALL - {31}), False),
        (replace(V1, checks=ALL - {41}), False),
    ],
)
def test_a_repeat_is_the_wallets_to_tell_or_the_journals(promises: Promises, *, are_told: bool) -> None:
    assert repeats_are_told(promises) is are_told


@pytest.mark.parametrize("cancels_repeat_safely", [True, False])
@pytest.mark.parametrize("repeats", Repeats)
def test_an_unprotected_wallet_gets_a_cancel_once_whatever_else_it_promises(
    repeats: Repeats, *, cancels_repeat_safely: bool
) -> None:
    promises = replace(V1, repeats=repeats, cancels_repeat_safely=cancels_repeat_safely)

    assert cancels_may_repeat(promises) is (cancels_repeat_safely and repeats is not Repeats.UNPROTECTED)


@pytest.mark.parametrize(
    ("promises", "are_checked"),
    [(V1, True), (replace(V1, has_cancel=False), False), (replace(V1, checks=ALL - {42}), False)],
)
def test_a_cancel_says_42_or_the_journal_does(promises: Promises, *, are_checked: bool) -> None:
    assert cancels_are_checked(promises) is are_checked


@pytest.mark.parametrize(
    ("promises", "is_record"),
    [
        (V1, False),
        (replace(V1, late_bets_refused=False, checks_balance_first=True), False),
        (replace(V1, checks=frozenset({41, 42})), False),
        (replace(V1, has_cancel=False), True),
        (replace(V1, has_status=False), True),
        (replace(V1, repeats=Repeats.REPLAYED), True),
        (replace(V1, repeats=Repeats.UNPROTECTED), True),
        (replace(V1, checks=ALL - {41}), True),
        (replace(V1, checks=ALL - {42}), True),
    ],
)
def test_a_journal_that_is_the_record_covers_the_longest_dispute(promises: Promises, *, is_record: bool) -> None:
    assert is_the_record(promises) is is_record
    assert keep_days(None, promises) == (400 if is_record else 30)
    assert [keep_days(days, promises) for days in (400, 1000)] == [400, 1000]
    if is_record:
        with pytest.raises(ValueError, match=r"at least 400, got 399: .* only record"):
            keep_days(399, promises)
    else:
        assert keep_days(1, promises) == 1

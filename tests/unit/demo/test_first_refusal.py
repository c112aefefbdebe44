"""The first check that does not hold is the outcome, in the order given."""

import pytest

from walletbridge.demo.first_refusal import UnknownCheck, first_refusal, refusal_of_read
from walletbridge.protocol.outcomes import Result


@pytest.mark.parametrize(
    ("checks", "refusal"),
    [
        ((), None),
        ((21, 22), None),
        ((21, 31), Result.BALANCE_INSUFFICIENT),
        # The first that fails, in the order given.
        ((31, 41), Result.BALANCE_INSUFFICIENT),
        ((41, 31), Result.ALREADY_PROCESSED),
        # An unknown one fails where it stands.
        ((21, 77, 41), Result.FAILED),
        ((41, 77), Result.ALREADY_PROCESSED),
        # One that makes no sense for the operation counts as unknown.
        ((42, 41), Result.FAILED),
        ((0,), Result.FAILED),
    ],
)
def test_the_first_check_that_does_not_hold_is_the_outcome(checks: tuple[int, ...], refusal: Result | None) -> None:
    holds = {21: True, 22: True, 31: False, 41: False}

    assert first_refusal(checks, holds) is refusal


@pytest.mark.parametrize("check", [21, 22, 31, 41])
def test_without_a_player_no_other_check_makes_sense(check: int) -> None:
    assert first_refusal((check,), {21: False, 22: False, 31: True, 41: False}) is Result.PLAYER_NOT_FOUND


def test_a_read_has_no_result_for_a_check_that_it_does_not_know() -> None:
    with pytest.raises(UnknownCheck, match="expected checks among 21, 22"):
        refusal_of_read((21, 31), {21: True, 22: True})


def test_a_read_needs_a_player_whatever_is_asked() -> None:
    assert refusal_of_read((), {21: False, 22: False}) is Result.PLAYER_NOT_FOUND
    assert refusal_of_read((), {21: True, 22: False}) is None

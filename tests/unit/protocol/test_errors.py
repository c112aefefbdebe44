"""The exceptions that cross a module's border."""

import pytest

from walletbridge.protocol.errors import BadCallback, OutcomeUnknown, SettingsError


def test_a_bad_callback_names_the_path_and_the_problem() -> None:
    error = BadCallback("$.data.amount", "must not be negative")

    assert (error.path, error.problem) == ("$.data.amount", "must not be negative")
    assert str(error) == "$.data.amount: must not be negative"


@pytest.mark.parametrize("sent", [True, False])
def test_an_unknown_outcome_says_why_and_whether_the_wallet_was_called(*, sent: bool) -> None:
    error = OutcomeUnknown("DEADLINE_EXCEEDED", sent=sent)

    assert (error.reason, error.sent) == ("DEADLINE_EXCEEDED", sent)
    assert str(error) == "DEADLINE_EXCEEDED"


def test_an_unknown_outcome_is_not_taken_for_a_wrong_value() -> None:
    """Code that catches ValueError around a conversion must not swallow it."""
    assert not issubclass(OutcomeUnknown, ValueError)
    assert issubclass(BadCallback, ValueError)
    assert issubclass(SettingsError, ValueError)

"""What the fuzzing begins with keeps its rules."""

import pytest
from tests.fuzz.seeds import seeds
from tests.fuzz.target import check, said
from tests.support.vectors import load_cases
from tests.unit.serve.lane.fakes import request


@pytest.mark.parametrize("data", seeds())
def test_no_seed_breaks_a_rule(data: bytes) -> None:
    check(data)


def test_most_of_the_gateway_is_reached() -> None:
    calls = [call for data in seeds() for call in said(data).wallet_calls]

    assert len(calls) >= 2 * len(load_cases())
    assert len({call.command for call in calls}) == 6


def test_what_is_split_where_it_matters_is_seen() -> None:
    """The rules are tested against what really follows: two requests ask twice, and the wallet hears both."""
    bet = next(data for data in seeds() if b'"bet"' in data)

    assert len(said(bet[:99], bet[99:] + bet).wallet_calls) == 2
    assert said(request(token=b"wrong")).asked == [(False, b"")]

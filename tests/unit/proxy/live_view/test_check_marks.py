"""How each check went, as far as the answer tells."""

import pytest
from tests.unit.proxy.live_view.records import bet_record, unknown_record

from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.check_marks import Went, checks
from walletbridge.proxy.live_view.record import Record

OK, NO, NOT, ASK = Went.HELD, Went.FAILED, Went.NOT_REACHED, Went.NOT_TOLD


@pytest.mark.parametrize(
    ("record", "went"),
    [
        (bet_record(), [OK, OK, OK, OK]),
        (bet_record(Result.PLAYER_NOT_FOUND), [NO, NOT, NOT, NOT]),
        (bet_record(Result.PLAYER_INACTIVE), [OK, NO, NOT, NOT]),
        (bet_record(Result.ALREADY_PROCESSED), [OK, OK, NO, NOT]),
        (bet_record(Result.BALANCE_INSUFFICIENT), [OK, OK, OK, NO]),
        # The wallet could not make it, whatever its checks said.
        (bet_record(Result.FAILED), [ASK, ASK, ASK, ASK]),
        (unknown_record(), [ASK, ASK, ASK, ASK]),
        # 41 came from the journal, to a bet that did not ask for it.
        (Record(checks=(21, 31), http_status=200, result=41), [ASK, ASK]),
        (Record(checks=(21,)), [ASK]),
        (Record(http_status=200), []),
    ],
)
def test_the_first_that_fails_is_the_answer(record: Record, went: list[Went]) -> None:
    assert [check.went for check in checks(record)] == went


def test_checks_are_named_in_the_providers_order() -> None:
    found = checks(Record(checks=(22, 77), http_status=200))

    assert [(check.number, check.meaning) for check in found] == [
        (22, "the player is active"),
        (77, "a check of the wallet's own"),
    ]

"""A callback that was kept can be sent again as it came, with other checks."""

import json

import pytest
from msgspec.structs import asdict, replace

from walletbridge.protocol.callbacks import Bet, Cancel, Status, Win
from walletbridge.rules.stored_callback import cancel_of, status_of, to_json, win_of

CANCEL = Cancel(
    account="test1234",
    checks=(21, 22, 42),
    requested_at=1_718_000_000,
    trans_id=1676358190,
    round_id="818395446",
    provider_id=1,
    game_code="vswaysdogs",
    game_name="Größe \u0000 \U0001f415 \"'",
    game_type="Slots",
)
OF_GAME = {name: value for name, value in asdict(CANCEL).items() if name != "redelivered"}
WIN = Win(**OF_GAME, amount=2**63 - 1, call_id=7, type=2)
BET = Bet(**OF_GAME, amount=0, call_id=0, type=1)


def test_a_win_comes_back_with_other_checks_and_says_that_it_is_sent_again_and_when() -> None:
    again = win_of(to_json(WIN), (41,), sent_at=1_718_009_999)

    assert again == replace(WIN, checks=(41,), requested_at=1_718_009_999, redelivered=True)


@pytest.mark.parametrize("kept", [BET, WIN, CANCEL])
def test_whatever_was_kept_can_be_cancelled(kept: Bet | Win | Cancel) -> None:
    sent = cancel_of(to_json(kept), (42,), sent_at=1_718_009_999)

    assert sent == replace(CANCEL, checks=(42,), requested_at=1_718_009_999, redelivered=True)


def test_what_an_earlier_version_has_kept_can_be_sent() -> None:
    kept = json.loads(to_json(WIN))
    del kept["redelivered"]

    assert win_of(json.dumps(kept), (41,), sent_at=1).trans_id == WIN.trans_id


@pytest.mark.parametrize("trans_id", [1, "1", "01", 2**63 - 1, 10**63, -(10**62)])
def test_an_id_keeps_its_type(trans_id: int | str) -> None:
    sent = win_of(to_json(replace(WIN, trans_id=trans_id, requested_at=None)), (41,), sent_at=1)

    assert (sent.trans_id, type(sent.trans_id)) == (trans_id, type(trans_id))


def test_it_names_its_command_for_people() -> None:
    assert [json.loads(to_json(kept))["command"] for kept in (BET, WIN, CANCEL)] == ["bet", "win", "cancel"]


@pytest.mark.parametrize("kept", [BET, WIN, CANCEL])
def test_what_became_of_whatever_was_kept_can_be_asked(kept: Bet | Win | Cancel) -> None:
    question = status_of(to_json(kept), (42,))

    assert (question.account, question.trans_id, question.checks) == ("test1234", 1676358190, (42,))
    assert isinstance(question, Status)

"""A callback that a person changed while it was held is two, and each says so."""

import pytest
from tests.support.callbacks import body, make_callback

from walletbridge.gateway.edits import edit_of

BET = body(make_callback("bet"))


def edited(command: str, **data: object) -> bytes:
    return body(make_callback(command, **data))


@pytest.mark.parametrize(
    ("came", "sent"),
    [
        (BET, BET),
        (BET, edited("bet", game_name="another")),
        (BET, edited("bet", round_id="another")),
        (edited("balance"), edited("status")),
        (b"nothing", edited("balance")),
        (b"nothing", b"else"),
    ],
)
def test_what_makes_no_difference_to_money_is_no_edit(came: bytes, sent: bytes) -> None:
    assert edit_of(came, sent, currency_decimals=2) is None


@pytest.mark.parametrize(
    ("sent", "is_elsewhere"),
    [
        (edited("bet", trans_id=7), True),
        (edited("bet", account="somebody"), True),
        (edited("balance"), True),
        (b"nothing", True),
        (edited("bet", amount=7), False),
        (edited("win"), False),
        (edited("cancel"), False),
    ],
)
def test_what_does_is_one_to_another_row_or_to_the_same(sent: bytes, *, is_elsewhere: bool) -> None:
    edit = edit_of(BET, sent, currency_decimals=2)

    assert edit is not None
    assert edit.is_elsewhere is is_elsewhere


def test_both_say_what_a_person_did() -> None:
    edit = edit_of(BET, edited("win", trans_id="other", amount=7), currency_decimals=2)

    assert edit is not None
    assert edit.left_out == (
        "it was held, and a person sent a win of 700 minor units, transaction other, account test1234 in its place"
    )
    assert edit.put_in == (
        "a person sent it in place of a bet of 100000 minor units, transaction 1676358190, account test1234, "
        "whose sender hears its answer"
    )


def test_what_moves_no_money_has_no_row() -> None:
    edit = edit_of(edited("balance"), BET, currency_decimals=2)

    assert edit is not None
    assert (edit.came, edit.is_elsewhere) == (None, True)
    assert "something that moves no money" in edit.put_in

"""The bytes that the provider sends."""

import itertools
import json
from decimal import Decimal

import pytest
from tests.support.vectors import Case, load_cases

from walletbridge.protocol.callbacks import Bet, Command, Win, decode
from walletbridge.protocol.errors import BadCallback
from walletbridge.simulator.wire.calls import GAMES, Call, malformed, text, varied

UNIT = 10**8


def call_of(case: Case) -> Call:
    """The call whose body is the documented request."""
    data = case.request["data"]
    return Call(
        command=Command(case.request["command"]),
        account=data["account"],
        trans_id=data.get("trans_id"),
        amount=data.get("amount", 0) * UNIT,
        round_id=data.get("round_id", ""),
        call_id=data.get("call_id", 0),
        game=GAMES[0],
    )


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_a_call_is_sent_as_documented(case: Case) -> None:
    assert json.loads(call_of(case).body(int(case.request["timestamp"]))) == case.request


@pytest.mark.parametrize(
    ("units", "written"),
    [(0, "0"), (100 * UNIT, "100"), (9050 * UNIT // 100, "90.5"), (1, "0.00000001"), (-5 * UNIT, "-5")],
)
def test_amounts_are_written_as_the_protocol_does(units: int, written: str) -> None:
    assert text(units) == written


@pytest.mark.parametrize("units", [1, 10**7, 90 * UNIT + 10**7])
def test_an_amount_is_exact_on_the_wire(units: int) -> None:
    body = Call(command=Command.WIN, account="test1234", trans_id=1, amount=units).body(0)

    amount = json.loads(body, parse_float=Decimal)["data"]["amount"]
    assert amount * UNIT == units


def bet(amount: int = 10 * UNIT) -> Call:
    return Call(command=Command.BET, account="test1234", trans_id=7, amount=amount, round_id="12", call_id=0)


def test_varied_bets_are_bets_all_the_same() -> None:
    """They are what our own gateway takes, with the money as it was."""
    ids = itertools.count(1)

    def new_bet() -> Call:
        return Call(command=Command.BET, account="test1234", trans_id=next(ids), amount=10 * UNIT, round_id="12")

    forms = [(call, decode(body, currency_decimals=0)) for call, body in varied(new_bet, 1600000000)]

    assert [call.trans_id for call, _ in forms] == [1, 2, 3]
    for call, decoded in forms:
        assert isinstance(decoded, Bet)
        assert (decoded.trans_id, decoded.amount, decoded.account) == (call.trans_id, 10, "test1234")


@pytest.mark.parametrize("command", [Command.BET, Command.WIN])
def test_malformed_bodies_are_no_callbacks(command: Command) -> None:
    call = Call(command=command, account="test1234", trans_id=7, amount=10 * UNIT, round_id="12")
    bodies = list(malformed(call, 1600000000))

    assert len(set(bodies)) == len(bodies)
    assert isinstance(decode(call.body(0), currency_decimals=0), Bet | Win)
    for body in bodies:
        with pytest.raises(BadCallback):
            decode(body, currency_decimals=0)

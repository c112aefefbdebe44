"""Callbacks to go."""

import json
import shlex
import subprocess
from decimal import Decimal

import pytest
from mitmproxy.http import Response
from tests.support.callbacks import body, make_callback
from tests.unit.proxy.live_view.houses import TOKEN, make_flow
from tests.unit.proxy.live_view.records import bet_record, status_record

from walletbridge.demo.cases import documented_cases
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.export import curl, vector
from walletbridge.proxy.live_view.record import Record

BET = body(make_callback("bet"))


def test_a_shell_reads_the_curl_line_as_it_is_meant() -> None:
    text = b'{"it\'s":"$HOME `x` \\"quoted\\" \xc3\xa9"}'
    line = curl(make_flow(text), "TOKEN_VARIABLE").replace("curl ", "printf '%s\\n' ", 1)
    shown = subprocess.run(
        ["/bin/sh", "-c", line], env={"TOKEN_VARIABLE": "t0ken"}, capture_output=True, check=True
    ).stdout.split(b"\n")

    assert text in shown
    assert b"Callback-Token: t0ken" in shown
    assert b"content-type: application/json" in [one.lower() for one in shown]
    assert shown[-2].endswith(b"/callback")


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert "\\xff" in shlex.split(curl(make_flow(b"\xff"), "T"))[-2]
    assert TOKEN not in curl(make_flow(b""), "T")


def test_a_vector_has_the_form_of_the_documented_ones() -> None:
    flow = make_flow(BET)
    flow.response = Response.make(200, b'{"result":0,"status":"OK","data":{"balance":90.50}}')
    entry = json.loads(vector(flow, bet_record(balance=9050), []), parse_float=Decimal)

    assert set(entry) == {"name", "given", "request", "http_status", "answer"}
    assert entry["given"] == {
        "players": [{"account": "test1234", "balance": Decimal("1090.5"), "active": True}],
        "transactions": [],
    }
    assert entry["request"] == make_callback("bet")
    assert (entry["http_status"], entry["answer"]["data"]["balance"]) == (200, Decimal("90.50"))
    assert documented_cases()[0].players[0].keys() == entry["given"]["players"][0].keys()


@pytest.mark.parametrize(
    ("record", "players", "transactions"),
    [
        (bet_record(Result.PLAYER_NOT_FOUND), [], []),
        (bet_record(Result.PLAYER_INACTIVE), [{"account": "test1234", "balance": 0, "active": False}], []),
        (
            bet_record(Result.ALREADY_PROCESSED),
            [{"account": "test1234", "balance": 4000, "active": True}],
            [{"trans_id": 1676358190, "account": "test1234", "kind": "bet", "amount": 1000, "canceled": False}],
        ),
        (
            status_record(),
            [{"account": "test1234", "balance": 0, "active": True}],
            [{"trans_id": 1676358190, "account": "test1234", "kind": "bet", "amount": 0, "canceled": False}],
        ),
    ],
)
def test_what_the_wallet_knew_before_is_told_by_the_answer(
    record: Record, players: list[object], transactions: list[object]
) -> None:
    flow = make_flow(BET)
    flow.response = Response.make(200, b"{}")

    assert json.loads(vector(flow, record, []))["given"] == {"players": players, "transactions": transactions}


def test_the_bet_of_a_status_tells_its_amount() -> None:
    flow = make_flow(body(make_callback("status")))
    flow.response = Response.make(200, b"{}")
    given = json.loads(vector(flow, status_record(), [bet_record(amount="2.5")]))["given"]

    assert given["transactions"][0]["amount"] == 2.5


def test_what_is_no_callback_is_no_vector() -> None:
    unanswered = make_flow(BET)
    for request, answer in ((b"no JSON", b"{}"), (BET, b"[]"), (b'{"data":1}', b"{}")):
        flow = make_flow(request)
        flow.response = Response.make(200, answer)
        with pytest.raises(ValueError, match=r"expected|Expecting"):
            vector(flow, bet_record(), [])
    with pytest.raises(ValueError, match="answered"):
        vector(unanswered, bet_record(), [])

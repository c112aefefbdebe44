"""mitmproxy commands for callbacks."""

import asyncio
import json
import logging
from pathlib import Path

import pyperclip
import pytest
from mitmproxy import exceptions
from mitmproxy.test import tflow
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import reply
from tests.unit.proxy.live_view.houses import TOKEN, House, make_flow, record_of, ui_house

from walletbridge.journal.turn_owner import user_name
from walletbridge.proxy.live_view.commands import KEYS, Commands
from walletbridge.proxy.live_view.replay_permits import Permits
from walletbridge.wallet.v1 import wallet_service_pb2 as v1


@pytest.fixture(autouse=True)
def clipboard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    copied: list[str] = []
    monkeypatch.setattr(pyperclip, "copy", copied.append)
    return copied


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_the_status_of_a_transaction_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        house.wallet.script("GetTransactionStatus", reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED))
        await house.command("walletbridge.status", [flow])

        call = house.wallet.calls[-1].request
        assert (call.account, call.trans_id, list(call.checks)) == ("test1234", "1676358190", [21, 42])
        assert "status #1676358190 of test1234: 0 OK OK" in caplog.text
        assert "status #1676358190 of test1234: 0 OK OK" in record_of(flow).asked[0]


async def test_a_transaction_can_be_cancelled_and_the_journal_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        calls = len(house.wallet.calls)
        await house.command("walletbridge.cancel", [flow])
        assert "bet #1676358190 of test1234, 1000" in caplog.text
        assert "before a cancel of #1676358190" in caplog.text
        assert len(house.wallet.calls) == calls

        await house.command("walletbridge.cancel", [flow])
        call = house.wallet.calls[-1]
        assert (call.method.name, call.request.trans_id) == ("CancelTransaction", "1676358190")
        assert (list(call.request.checks), call.request.round_id) == ([42], "818395446")
        assert "cancel #1676358190 of test1234: 0 OK; the bet was cancelled" in caplog.text

        await house.command("walletbridge.known", [flow])
        assert "journal: 1: bet #1676358190 of test1234 1000: the bet was cancelled; " in caplog.text
        assert f"{user_name()} called it to be cancelled at the wallet" in caplog.text


async def test_a_wallet_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        house.wallet.script("CancelTransaction", reply(outcome=v1.OUTCOME_UNSPECIFIED))
        for _ in range(2):
            await house.command("walletbridge.cancel", [flow])
        assert (
            "cancel #1676358190 of test1234: unknown: the wallet answered with outcome OUTCOME_UNSPECIFIED"
            in caplog.text
        )

        await house.command("walletbridge.unresolved")
        assert "journal: 1: bet #1676358190 of test1234 1000: a cancel of the bet is owed" in caplog.text


async def test_flows_of_several_transactions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        one, other = await house.bet(), await house.bet(trans_id=2)
        balance = await house.send(make_flow(body(make_callback("balance"))))
        calls = len(house.wallet.calls)
        for flows, problem in (
            ([one, other], "expected flows of one transaction"),
            ([], "expected flows of one transaction"),
            ([balance], "balance has no transaction"),
            ([tflow.tflow()], "no callback: "),
            ([tflow.ttcpflow()], "not an HTTP flow"),
        ):
            with pytest.raises(exceptions.CommandError, match=problem):
                await house.command("walletbridge.cancel", flows)

        assert len(house.wallet.calls) == calls


async def test_everything_known_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        house.wallet.script("GetTransactionStatus", reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED))
        await house.bet()
        await house.send(make_flow(body(make_callback("status"))))
        for name, value in (("transaction", "1676358190"), ("account", "test1234")):
            caplog.clear()
            await house.command(f"walletbridge.known.{name}", value)
            assert "flow: bet test1234 1000 #1676358190 -> 0 balance 4000" in caplog.text
            assert "cache: #1676358190 of test1234: OK" in caplog.text
            assert "journal: 1: bet #1676358190 of test1234 1000: the bet was made" in caplog.text

        caplog.clear()
        await house.command("walletbridge.known.account", "nobody")
        assert "account nobody: nothing is known" in caplog.text


async def test_the_cache_can_be_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        house.wallet.script("GetTransactionStatus", reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED))
        await house.send(make_flow(body(make_callback("status"))))
        said = await house.command("walletbridge.cache.clear")
        assert said == "1 transactions forgotten"
        assert "1 transactions forgotten" in caplog.text

        await house.send(make_flow(body(make_callback("status"))))
        assert house.wallet.counts == {"GetTransactionStatus": 2}


async def test_a_curl_line_holds_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clipboard: list[str]
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        line = await house.command("walletbridge.curl", await house.bet())

        assert '-H "Callback-Token: $WALLETBRIDGE_CALLBACK_TOKEN"' in line
        assert TOKEN not in line
        assert clipboard == [line]


async def test_no_clipboard_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(_: str) -> None:
        raise pyperclip.PyperclipException("no clipboard here")

    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        monkeypatch.setattr(pyperclip, "copy", copy)
        assert (await house.command("walletbridge.curl", flow)).startswith("curl ")


async def test_a_test_vector_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        path = tmp_path / "vector.json"
        text = await house.command("walletbridge.vector", flow, str(path))

        assert path.read_text() == f"{text}\n"
        assert json.loads(text)["answer"] == {"result": 0, "status": "OK", "data": {"balance": 4000}}
        with pytest.raises(exceptions.CommandError, match="No such file"):
            await house.command("walletbridge.vector", flow, str(tmp_path / "no" / "folder"))
        with pytest.raises(exceptions.CommandError, match="not a callback"):
            await house.command("walletbridge.vector", tflow.tflow(), "")


async def replay(house: House, flow: object) -> int:
    """What mitmproxy does for a replay: the same flow, anew."""
    from mitmproxy.http import HTTPFlow  # noqa: PLC0415 - for the type alone

    assert isinstance(flow, HTTPFlow)
    flow.is_replay, flow.response, flow.live = "request", None, True
    await house.send(flow)
    assert flow.response
    return flow.response.status_code


async def test_a_replay_is_made_once_after_it_was_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        assert await replay(house, flow) == 403
        text = await house.command("walletbridge.replay.allow", flow)
        assert "bet of test1234, transaction #1676358190" in text
        assert "It can move money." in text
        calls = len(house.wallet.calls)

        assert await replay(house, flow) == 200
        assert len(house.wallet.calls) == calls + 1
        assert record_of(flow).is_replay
        assert await replay(house, flow) == 403


async def test_a_replay_of_something_else_than_was_shown_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        await house.command("walletbridge.replay.allow", flow)
        flow.request.content = body(make_callback("bet", amount=1_000_000))

        assert await replay(house, flow) == 403
        assert house.wallet.counts == {"PlaceBet": 1}


async def test_a_bet_made_by_a_replay_was_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is one to be cancelled again, like any bet that its sender takes for not made."""
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(body(make_callback("bet")), token=f"not-{TOKEN}")
        await house.send(flow)
        await house.command("walletbridge.replay.allow", flow)
        assert await replay(house, flow) == 200
        bridge = house.addon._bridge
        assert bridge

        rows = [row for _, row in await bridge.journal.to_look_at(after=0, limit=10)]
        assert [row.is_written_off for row in rows] == [True]


async def test_masked_flows_cannot_be_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch, ui={"mask_accounts": True}) as house:
        flow = await house.bet()
        for name in ("replay.allow", "cancel"):
            with pytest.raises(exceptions.CommandError, match="masked"):
                await house.command(f"walletbridge.{name}", flow if name == "replay.allow" else [flow])


async def test_without_settings_there_is_no_wallet() -> None:
    commands = Commands(Permits(lambda: 0.0), list)

    with pytest.raises(exceptions.CommandError, match="no settings"):
        commands.unresolved()
    commands.known_transaction("1")
    await asyncio.gather(*commands._tasks)


def test_what_moves_money_is_only_typed_in() -> None:
    commands = {key: line for key, line, _ in KEYS}

    assert len(commands) == len(KEYS)
    assert commands["f9"].startswith("console.command walletbridge.cancel")

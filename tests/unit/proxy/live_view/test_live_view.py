"""What the live view does to flows, and that it never touches an answer."""

import asyncio
import logging
from pathlib import Path

import pytest
from mitmproxy import contentviews
from mitmproxy.addons.view import View
from mitmproxy.connection import Server
from mitmproxy.net.http import url
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow
from tests.support.callbacks import body, make_callback
from tests.support.waiting import until
from tests.unit.proxy.live_view.houses import TOKEN, Listeners, make_flow, record_of, ui_house

from walletbridge.proxy.addon import WalletBridge
from walletbridge.proxy.live_view import record_of as record_of_module
from walletbridge.proxy.live_view.record import Stage

OK_BODY = b'{"result":0,"status":"OK","data":{"balance":4000}}'


async def test_an_answered_callback_has_a_marker_a_comment_and_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()

        assert flow.response
        assert flow.response.content == OK_BODY
        assert flow.marked == ":white_check_mark:"
        assert flow.comment.startswith("bet test1234 1000 #1676358190 -> 0 balance 4000 | PlaceBet ")
        record = record_of(flow)
        assert record.calls[0].method == "wallet.v1.WalletService/PlaceBet"
        assert record.journal
        assert record.journal.state == "the bet was made"
        assert record.times.journal > 0
        assert TOKEN not in str(flow.get_state())


async def test_what_is_shown_cannot_touch_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(record_of_module, "answered", broken)
    monkeypatch.setattr(url, "parse_authority", broken)
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()

        assert flow.response
        assert flow.response.content == OK_BODY
        assert house.wallet.counts == {"PlaceBet": 1}
    assert "the live view failed: RuntimeError: broken on purpose" in caplog.text


async def test_a_persons_comment_and_mark_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(body(make_callback("bet")))
        flow.comment, flow.marked = "look here", ":grapes:"
        await house.send(flow)

        assert (flow.comment, flow.marked) == ("look here", ":grapes:")
        assert record_of(flow).marker == ":white_check_mark:"


async def test_without_an_upstream_the_address_is_the_callbacks_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        assert flow.request.url == "http://gateway.example:8443/callback"
        assert flow.request.headers["Host"] == "gateway.example:8443"

        bare = make_flow(body(make_callback("bet")), host="")
        await house.send(bare)
        assert (bare.request.host, bare.request.port) == bare.client_conn.sockname[:2]


async def test_without_an_upstream_nothing_is_dialled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for has_upstream in (False, True):
        async with ui_house(tmp_path, monkeypatch, has_upstream=has_upstream) as house:
            server = Server(address=("gateway.example", 8443))
            house.live.server_connect(ServerConnectionHookData(server, tflow.tclient_conn()))
            assert (server.error is None) == has_upstream


async def test_a_held_callback_says_so_and_then_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(body(make_callback("bet")))
        flow.intercept()  # type: ignore[no-untyped-call]
        sending = asyncio.ensure_future(house.send(flow))
        await until(lambda: flow.comment == "held: bet test1234 1000 #1676358190")
        assert record_of(flow).stage is Stage.HELD
        assert house.wallet.calls == []
        flow.request.content = body(make_callback("bet", amount=5))
        flow.resume()  # type: ignore[no-untyped-call]
        await sending

        assert flow.comment.startswith("bet test1234 5 #1676358190 -> 0 ")
        assert flow.marked == ":white_check_mark:"
        assert record_of(flow).times.held > 0


async def test_a_killed_callback_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(b"no callback at all")
        flow.intercept()  # type: ignore[no-untyped-call]
        sending = asyncio.ensure_future(house.send(flow))
        await until(lambda: flow.comment != "")
        flow.kill()  # type: ignore[no-untyped-call]
        await sending

        assert flow.response is None
        assert flow.comment == "bad request | aborted by hand, no wallet call"


async def test_a_replay_is_refused_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(body(make_callback("bet")))
        flow.is_replay = "request"
        await house.send(flow)

        assert flow.response
        assert flow.response.status_code == 403
        assert flow.comment.startswith("bet test1234 1000 #1676358190 -> 403 replay refused")
        assert flow.marked == ":no_entry_sign:"
        assert house.wallet.calls == []


async def test_loaded_flows_keep_their_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        loaded = flow.copy()  # type: ignore[no-untyped-call]
        await house.send(loaded)

        assert record_of(loaded) == record_of(flow)
        assert house.wallet.counts == {"PlaceBet": 1}


async def test_flows_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch, ui={"keep_flows": 3}) as house:
        for number in range(10):
            await house.bet(trans_id=number)

        assert house.view.store_count() == 3  # type: ignore[no-untyped-call]


async def test_accounts_are_masked_once_the_answer_is_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wallet and the provider get the real one."""
    async with ui_house(tmp_path, monkeypatch, ui={"mask_accounts": True}) as house:
        flow = await house.send(make_flow(body(make_callback("authenticate"))))
        assert flow.response
        assert flow.response.content == b'{"result":0,"status":"OK","data":{"account":"test1234","balance":4000}}'
        assert house.wallet.calls[0].request.account == "test1234"
        await asyncio.gather(*house.live._masking._tasks)

        assert "test1234" not in str(flow.get_state())
        assert flow.comment.startswith("authenticate t***4 -> 0 ")
        assert b'"account":"t***4"' in (flow.response.content or b"")
    assert "test1234" not in capsys.readouterr().err


async def test_a_client_that_left_was_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = make_flow(body(make_callback("bet")))
        house.addon.requestheaders(flow)
        await house.live.request(flow)
        house.addon.error(flow)

        assert flow.comment.endswith(" | not delivered")
        assert not record_of(flow).is_delivered


async def test_the_view_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch) as house:
        flow = await house.bet()
        shown = contentviews.prettify_message(flow.request, flow)

        assert shown.view_name == "walletbridge"
        assert shown.text.startswith("The wallet took the stake.")


async def test_other_paths_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui_house(tmp_path, monkeypatch, has_upstream=True) as house:
        flow = make_flow(b"x")
        flow.request.path = "/other"
        await house.send(flow)

        assert (flow.comment, flow.marked, flow.metadata, flow.response) == ("", "", {}, None)


async def test_a_view_needs_no_settings(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody looks at saved flows; only a gateway that should answer needs its settings."""
    monkeypatch.delenv("WALLETBRIDGE_CALLBACK_TOKEN", raising=False)
    for server in (False, True):
        caplog.clear()
        addon = WalletBridge()
        with taddons.context(Listeners(), View(), addon) as context:  # type: ignore[no-untyped-call]
            context.options.update(server=server)
            addon.running()
            assert addon._live
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert bool(errors) == server


async def test_with_an_upstream_a_callback_is_not_shown_as_sent_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what its caller says of itself in `Host` is not where it could ever go."""
    async with ui_house(tmp_path, monkeypatch, has_upstream=True) as house:
        flow = await house.bet()

        assert (flow.request.host, flow.request.port) == flow.client_conn.sockname[:2]
        assert flow.request.headers["Host"] == "gateway.example:8443"

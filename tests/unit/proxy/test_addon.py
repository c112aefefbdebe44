"""The hooks: what is answered, what is left alone, and what no fault may let through to the upstream."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.flow import Error
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import RequestHeaders
from mitmproxy.test import taddons
from tests.support.addon_house import (
    OK_BODY,
    PROCESSED,
    TIMEOUT,
    TOKEN,
    UNKNOWN,
    VARIABLE,
    WRONG_TOKEN,
    Listeners,
    answer_of,
    lines,
    loaded,
    make_flow,
    quick,
    running,
)
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, Hang, running_wallet

from walletbridge.gateway import running_gateway as bridge_module
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.shared_memory import Share
from walletbridge.observe.metrics.part import Part
from walletbridge.proxy import addon as addon_module
from walletbridge.proxy.addon import WalletBridge
from walletbridge.proxy.flows import HIDDEN
from walletbridge.transactions.cancel_counter import Changes


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


# The start


async def test_what_takes_long_is_loaded_before_the_doors_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mitmproxy listens before it says that it is running: whoever connects then would wait, outside his budget."""
    late: list[object] = []
    monkeypatch.setattr(bridge_module, "load_mapping", late.append)
    async with running(tmp_path) as house:
        before = set(sys.modules)
        assert await house.answer(make_flow()) == (200, OK_BODY)

        assert late == []
        assert {name.partition(".")[0] for name in set(sys.modules) - before} <= {"importlib", "encodings"}


# Callbacks


async def test_a_callback_is_answered_from_the_wallet(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()

        assert await house.answer(flow) == (200, OK_BODY)
        assert flow.response
        assert flow.response.headers["content-type"] == "application/json"
        assert house.wallet.counts == {"PlaceBet": 1}


@pytest.mark.parametrize("path", ["/callback?x=1", "/callback?", "/callback?a=/other"])
async def test_the_query_does_not_matter(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as house:
        assert await house.answer(make_flow(path=path)) == (200, OK_BODY)


@pytest.mark.parametrize(
    "tokens", [(), ("wrong",), (TOKEN, TOKEN), (TOKEN, "wrong"), (TOKEN[:-1],), (f"{TOKEN}, {TOKEN}",), ("***",), ("",)]
)
async def test_without_its_token_once_a_callback_gets_100(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    async with running(tmp_path) as house:
        assert await house.answer(make_flow(tokens=tokens)) == WRONG_TOKEN
        assert house.wallet.calls == []


async def test_an_address_that_is_not_listed_gets_100(tmp_path: Path) -> None:
    async with running(tmp_path, callback={"allow_from": ["192.0.2.0/24"]}) as house:
        assert await house.answer(make_flow()) == WRONG_TOKEN

        listed = make_flow()
        listed.client_conn.peername = ("::ffff:192.0.2.7", 50000)
        assert await house.answer(listed) == (200, OK_BODY)


async def test_behind_a_trusted_proxy_the_client_s_address_counts(tmp_path: Path) -> None:
    callback = {"allow_from": ["192.0.2.0/24"], "trusted_proxies": ["10.0.0.0/8"]}

    async def answer(peer: str, *forwarded: bytes) -> tuple[int, bytes]:
        flow = make_flow(
            body(make_callback("balance")), headers=tuple((b"X-Forwarded-FOR", value) for value in forwarded)
        )
        flow.client_conn.peername = (peer, 50000)
        return await house.answer(flow)

    async with running(tmp_path, callback=callback) as house:
        assert await answer("10.0.0.1", b"192.0.2.1") == (200, OK_BODY)
        assert await answer("10.0.0.1", b"198.51.100.1", b"192.0.2.1") == (200, OK_BODY)
        assert await answer("10.0.0.1", b"192.0.2.1", b"198.51.100.1") == WRONG_TOKEN
        assert await answer("10.0.0.1", b"unknown") == WRONG_TOKEN
        assert await answer("10.0.0.1") == WRONG_TOKEN
        assert await answer("198.51.100.1", b"192.0.2.1") == WRONG_TOKEN


@pytest.mark.parametrize("name", [b"Callback-Token", b"callback-token", b"CALLBACK-TOKEN"])
async def test_the_token_is_gone_after_the_head(tmp_path: Path, name: bytes) -> None:
    """From the view, the log and the saved flows; the other headers stay as they are."""
    async with running(tmp_path) as house:
        flow = make_flow(tokens=(), headers=((b"X-One", b"1"), (name, TOKEN.encode()), (b"X-Two", b"2")))
        before = flow.request.headers.fields
        house.addon.requestheaders(flow)

        assert flow.request.headers.fields == tuple((n, HIDDEN if n == name else value) for n, value in before)
        assert TOKEN not in str(flow.get_state())
        await house.addon.request(flow)
        assert answer_of(flow) == (200, OK_BODY)


async def test_a_token_that_comes_twice_is_hidden_twice(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow(tokens=(TOKEN, TOKEN))
        house.addon.requestheaders(flow)

        assert flow.request.headers.get_all("callback-token") == ["***", "***"]
        assert TOKEN not in str(flow.get_state())


async def test_nobody_else_can_write_the_verdict(tmp_path: Path) -> None:
    """Neither a flow's metadata, which is saved and loaded with it, nor a header that comes later."""
    async with running(tmp_path) as house:
        flow = make_flow(tokens=("wrong",))
        flow.metadata.update(walletbridge={"has_token": True}, has_token=True)
        house.addon.requestheaders(flow)
        flow.request.headers["Callback-Token"] = TOKEN
        flow.metadata.update(walletbridge={"has_token": True}, has_token=True)
        await house.addon.request(flow)

        assert answer_of(flow) == WRONG_TOKEN
        assert house.wallet.calls == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_any_other_method_is_refused(tmp_path: Path, method: str) -> None:
    async with running(tmp_path) as house:
        flow = make_flow(method=method)
        status, content = await house.answer(flow)

        assert status == 405
        assert flow.response
        assert flow.response.headers["allow"] == "POST"
        assert (content == b"") is (method == "HEAD")
        assert house.wallet.calls == []


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("100", 200),
        ("101", 413),
        ("9" * 5000, 413),
        # What is no length decides nothing: the body that came does.
        ("", 200),
        ("-1", 200),
        ("1e9", 200),
        ("٩٩٩", 200),
        ("101, 101", 200),
    ],
)
async def test_a_length_that_is_announced_is_tested_at_the_head(tmp_path: Path, length: str, status: int) -> None:
    content = body(make_callback("status", timestamp="", check="21"))
    limit = {"body_bytes": 100}
    assert len(content) <= 100
    async with running(tmp_path, limits=limit) as house:
        flow = make_flow(content, headers=((b"Content-Length", length.encode()),))
        house.wallet.script("GetTransactionStatus", PROCESSED)

        assert (await house.answer(flow))[0] == status
        assert len(house.wallet.calls) == (status == 200)


@pytest.mark.parametrize(("size", "status"), [(100, 400), (101, 413)])
async def test_a_body_without_a_length_is_tested_once_it_is_read(tmp_path: Path, size: int, status: int) -> None:
    async with running(tmp_path, limits={"body_bytes": 100}) as house:
        flow = make_flow(b"x" * size)
        flow.request.headers.pop("content-length", None)

        assert (await house.answer(flow))[0] == status


async def test_no_script_can_have_a_callback_streamed(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        flow.request.stream = True
        house.addon.requestheaders(flow)

        assert flow.request.stream is False


# What is left alone


@pytest.mark.parametrize("path", ["/callback/", "/callbacks", "/", "/other?x=/callback", "/CALLBACK"])
async def test_any_other_path_is_streamed_to_the_upstream_untouched(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as house:
        flow = make_flow(path=path)
        before = flow.request.copy()
        house.addon.requestheaders(flow)
        await house.addon.request(flow)

        # The token too, which is not shown: the upstream may need it.
        sent = SendHttp(RequestHeaders(1, flow.request, end_stream=False), flow.server_conn).event
        assert isinstance(sent, RequestHeaders)
        assert sent.request.headers == before.headers
        assert flow.request.headers["Callback-Token"] == HIDDEN.decode()
        assert flow.request.stream is True
        assert flow.response is None
        assert house.wallet.calls == []

        flow.response = http.Response.make(200)
        flow.response.raw_content = None
        house.addon.responseheaders(flow)
        assert flow.response.stream is True


async def test_an_answer_of_another_script_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow(path="/other")
        flow.response = http.Response.make(418, b"teapot")
        house.addon.requestheaders(flow)
        await house.addon.request(flow)
        house.addon.responseheaders(flow)

        assert flow.request.stream is False
        assert flow.response.stream is False
        assert answer_of(flow) == (418, b"teapot")


async def test_our_own_answers_are_not_streamed(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        for flow in (make_flow(), make_flow(method="HEAD")):
            await house.answer(flow)
            assert flow.response
            house.addon.responseheaders(flow)
            assert flow.response.stream is False


async def test_where_there_is_no_upstream_any_other_path_is_404(tmp_path: Path) -> None:
    async with running(tmp_path, has_upstream=False) as house:
        assert (await house.answer(make_flow(path="/callback/")))[0] == 404
        assert await house.answer(make_flow()) == (200, OK_BODY)


# Money traps


async def test_a_token_on_a_path_that_is_nearly_right_is_hidden_and_the_slip_is_logged_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, has_upstream=False) as house:
        for path in ("/callback/", "//callback", "/%63allback", f"/callback/?token={TOKEN}"):
            flow = make_flow(path=path)
            flow.request.headers["Authorization"] = f"Bearer {TOKEN}"
            assert (await house.answer(flow))[0] == 404
            assert TOKEN not in str(flow.get_state())
    told = [line for line in lines(capsys) if line["event"] == "no callback: the path is not callback.path"]
    assert [(line["asked"], line["path"]) for line in told] == [("/callback/", "/callback")]


async def test_a_compressed_body_is_415_and_makes_no_wallet_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        flow.request.headers["Content-Encoding"] = "gzip"
        assert (await house.answer(flow))[0] == 415


async def test_a_saved_flow_makes_no_wallet_call(tmp_path: Path) -> None:
    """Reading a file of flows runs the hooks."""
    async with running(tmp_path) as house:
        flow = make_flow()
        flow.live = False
        house.addon.requestheaders(flow)
        await house.addon.request(flow)

        assert flow.response is None
        assert house.wallet.calls == []


async def test_a_flow_that_has_its_answer_makes_no_wallet_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        house.addon.requestheaders(flow)
        flow.response = http.Response.make(418)
        await house.addon.request(flow)

        assert answer_of(flow)[0] == 418
        assert house.wallet.calls == []


async def test_a_flow_that_has_failed_makes_no_wallet_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        house.addon.requestheaders(flow)
        flow.error = Error("client disconnected")
        await house.addon.request(flow)

        assert house.wallet.calls == []


@pytest.mark.parametrize("tokens", [(TOKEN,), ("***",), ()])
async def test_a_replay_is_refused_and_gets_an_answer(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    """Without one it would go upstream."""
    async with running(tmp_path) as house:
        flow = make_flow(tokens=tokens)
        flow.is_replay = "request"
        status, content = await house.answer(flow)

        assert status == 403
        assert b"replay" in content
        assert house.wallet.calls == []


async def test_a_request_whose_head_was_never_seen_is_unknown(tmp_path: Path) -> None:
    """So is one that a person has turned into a callback."""
    async with running(tmp_path) as house:
        unseen, edited = make_flow(), make_flow(path="/other")
        house.addon.requestheaders(edited)
        edited.request.path = "/callback"
        for flow in (unseen, edited):
            await house.addon.request(flow)
            assert answer_of(flow) == UNKNOWN

        assert house.wallet.calls == []


async def test_a_callback_stays_one_whatever_a_script_makes_of_its_path(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        house.addon.requestheaders(flow)
        flow.request.path = "/other"
        await house.addon.request(flow)

        assert answer_of(flow) == (200, OK_BODY)


async def test_a_hook_that_raises_leaves_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, mitmproxy logs the error and sends the callback upstream."""

    async def fail(*_: object) -> None:
        raise RuntimeError("bug")

    async with running(tmp_path) as house:
        monkeypatch.setattr(house.addon._bridge, "answer", fail)
        flow = make_flow()
        with pytest.raises(RuntimeError, match="bug"):
            await house.answer(flow)

        assert answer_of(flow) == UNKNOWN


async def test_a_head_that_raises_leaves_an_answer_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError("bug")

    async with running(tmp_path) as house:
        monkeypatch.setattr(house.addon._bridge, "admits", fail)
        flow = make_flow()
        with pytest.raises(RuntimeError, match="bug"):
            house.addon.requestheaders(flow)
        await house.addon.request(flow)

        assert answer_of(flow) == UNKNOWN
        assert TOKEN not in str(flow.get_state())
        assert house.wallet.calls == []


async def test_a_hook_that_is_cancelled_brings_the_true_answer(tmp_path: Path) -> None:
    """A client whose hook ends as cancelled hangs."""
    async with running(tmp_path) as house:
        hang = Hang()
        house.wallet.script("PlaceBet", hang)
        flow = make_flow()
        task = asyncio.ensure_future(house.answer(flow))
        await hang.arrived.wait()
        task.cancel()
        hang.release()

        assert await task == (200, OK_BODY)
        assert house.wallet.counts == {"PlaceBet": 1}


async def test_a_hook_that_is_cancelled_again_and_again_leaves_an_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        hang = Hang()
        house.wallet.script("PlaceBet", hang)
        flow = make_flow()
        task = asyncio.ensure_future(house.answer(flow))
        await hang.arrived.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)

        assert await task == UNKNOWN
        hang.release()


# Settings


@pytest.mark.parametrize("path", ["/callback", "/other"])
async def test_without_settings_everything_is_500(tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str) -> None:
    """The path of callbacks is not known, so any request may be one."""
    async with loaded(tmp_path) as house:
        house.addon.running()
        flow = make_flow(path=path)

        assert await house.answer(flow) == UNKNOWN
        assert TOKEN not in str(flow.get_state())
        assert flow.request.stream is False
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "walletbridge: no settings; say --set walletbridge_config=FILE"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("wallet: {target: '127.0.0.1:1'}\ncallback: {token: hunter2}", "callback.token"),
        ("wallet: {target: '127.0.0.1:1', tls: {ca_file: none.pem}}", "wallet.tls.ca_file: cannot read"),
        ("wallet: 5", "wallet"),
        ("{", "not YAML"),
        ("", "wallet.target: is missing"),
    ],
)
async def test_a_mistake_in_the_settings_is_an_error_and_fails_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    async with loaded(tmp_path) as house:
        house.configure(walletbridge_config=str(house.write(text)))
        house.addon.running()

        assert await house.answer(make_flow()) == UNKNOWN
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert problem in errors[0]
    output = caplog.text + capsys.readouterr().err
    assert "hunter2" not in output
    assert TOKEN not in output


@pytest.mark.parametrize("token", [None, "", " ", "two words", "ÄÖÜ"])
async def test_a_token_that_is_missing_or_odd_is_an_error_that_does_not_show_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token is None:
        monkeypatch.delenv(VARIABLE)
    else:
        monkeypatch.setenv(VARIABLE, token)
    async with loaded(tmp_path) as house:
        house.configure(walletbridge_config=str(house.write("wallet: {target: '127.0.0.1:1'}")))
        house.addon.running()

        assert await house.answer(make_flow(tokens=(token or "",))) == UNKNOWN
    [error] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert VARIABLE in error
    assert not (token and token.strip()) or token not in error


async def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with loaded(tmp_path) as house:
        house.configure(walletbridge_config=str(tmp_path / "none.yaml"))
        house.addon.running()

        assert await house.answer(make_flow()) == UNKNOWN
    assert "none.yaml: cannot be read" in caplog.text


async def test_settings_that_come_later_and_are_wrong_leave_nothing_of_the_right_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A start from a file that nobody asked for would be a surprise."""
    async with loaded(tmp_path) as house:
        house.configure(walletbridge_config=str(house.write("wallet: {target: '127.0.0.1:1'}")))
        house.configure(walletbridge_config=str(house.write("wallet: 5", "wrong.yaml")))
        house.addon.running()

        assert await house.answer(make_flow()) == UNKNOWN
        assert house.addon._bridge is None
    assert "wrong.yaml" in caplog.text


async def test_the_settings_cannot_be_changed_while_running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as house:
        other = house.write("wallet: {target: '127.0.0.1:1'}\ncallback: {path: /other}", "other.yaml")
        house.configure(walletbridge_config=str(other))
        house.addon.running()

        assert "the settings file cannot be changed while running" in caplog.text
        assert await house.answer(make_flow()) == (200, OK_BODY)


async def test_the_options_that_money_depends_on_stay_as_they_must(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        options = house.context.options
        assert (options.connection_strategy, options.stream_large_bodies) == ("lazy", None)
        assert options.keep_host_header is True

        house.configure(connection_strategy="eager")
        house.configure(stream_large_bodies="1")
        assert (options.connection_strategy, options.stream_large_bodies) == ("lazy", None)


async def test_the_log_says_where_it_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(tmp_path, callback={"path": "/money"}):
        pass

    [line] = [line for line in lines(capsys) if line["event"] == "listening"]
    assert (line["addresses"], line["path"]) == (["127.0.0.1:8080", "[::1]:8081"], "/money")


async def test_under_the_console_lines_go_to_its_event_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The console owns the terminal."""
    with caplog.at_level(logging.INFO):
        async with running_wallet() as (_, port), loaded(tmp_path) as house:
            house.context.options.add_option("console_mouse", bool, True, "the console's own")  # noqa: FBT003 - not ours
            house.configure(walletbridge_config=str(house.write(f"wallet: {{target: '{HOST}:{port}'}}")))
            house.addon.running()

    assert any("listening" in message for message in caplog.messages)
    assert capsys.readouterr().err == ""


async def test_grpc_has_no_line_for_each_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path) as house:
        await house.answer(make_flow())

    assert [record for record in caplog.records if record.name.startswith("grpc")] == []


async def test_a_relative_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with loaded(tmp_path) as house:
        house.write("wallet: {target: '127.0.0.1:1'}")
        house.configure(walletbridge_config="~/walletbridge.yaml")
        house.addon.running()

        assert house.addon._bridge


# The end


async def test_the_end_answers_what_is_in_flight_and_asks_for_another_door(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as house:
        hang = Hang()
        house.wallet.script("PlaceBet", hang)
        flow = make_flow()
        answer = asyncio.ensure_future(house.answer(flow))
        await hang.arrived.wait()
        ending = asyncio.ensure_future(house.addon.done())
        await asyncio.sleep(0.02)
        assert house.context.options.server is False
        assert not ending.done()
        hang.release()

        assert await answer == (200, OK_BODY)
        assert flow.response
        assert flow.response.headers["connection"] == "close"
        await asyncio.wait_for(ending, TIMEOUT)
        assert await house.answer(make_flow()) == UNKNOWN
        assert house.wallet.counts == {"PlaceBet": 1}

    assert [line["event"] for line in lines(capsys)][-2:] == ["callback", "stopped"]


async def test_a_later_sigint_ends_the_waiting_and_one_that_comes_twice_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addon_module, "SECOND_SIGNAL_SECONDS", 0.1)
    async with running(tmp_path) as house:
        hang = Hang()
        house.wallet.script("PlaceBet", hang)
        answer = asyncio.ensure_future(house.answer(make_flow()))
        await hang.arrived.wait()
        ending = asyncio.ensure_future(house.addon.done())
        await asyncio.sleep(0.01)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0.15)
        assert not ending.done()

        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(ending, 1.5)
        assert await answer == UNKNOWN


async def test_an_addon_that_mitmproxy_never_configured_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Without a word, callbacks would go upstream."""
    with taddons.context(WalletBridge()):  # type: ignore[no-untyped-call]
        await asyncio.sleep(0)

    assert "walletbridge: not loaded" in caplog.text


async def test_an_end_without_a_beginning_is_nothing(tmp_path: Path) -> None:
    async with loaded(tmp_path) as house:
        await house.addon.done()

        assert house.context.options.server is True


class FakeDoors:
    """Doors that note what is asked of them."""

    def __init__(self) -> None:
        self.share = Share(Part(), Changes())
        self.said: list[str] = []
        self.is_open = asyncio.Event()

    async def open(self, bridge: Bridge) -> None:
        assert bridge.counts.part is self.share.part
        self.said.append("open")
        self.is_open.set()
        await asyncio.Event().wait()

    async def close(self, at_once: asyncio.Event) -> None:
        assert not at_once.is_set()
        self.said.append("close")


async def test_doors_are_opened_once_there_is_somebody_to_answer_and_closed_before_it_ends(tmp_path: Path) -> None:
    doors = FakeDoors()
    addon = WalletBridge(doors=doors)
    async with running_wallet() as (_, port):
        config = tmp_path / "walletbridge.yaml"
        config.write_text(json.dumps({"wallet": {"target": f"{HOST}:{port}"}}))
        with taddons.context(Listeners(), addon) as context:  # type: ignore[no-untyped-call]
            context.options.update(walletbridge_config=str(config))
            assert doors.said == []
            addon.running()
            await asyncio.wait_for(doors.is_open.wait(), TIMEOUT)
            # Doors that are still waiting to be opened do not keep the end waiting.
            await asyncio.wait_for(addon.done(), TIMEOUT)

    assert doors.said == ["open", "close"]


async def test_a_token_in_a_body_is_hidden_and_the_wallet_gets_it(tmp_path: Path) -> None:
    callback = body(make_callback("bet", account=f"Game-{TOKEN}"))
    async with running(tmp_path) as house:
        flow = make_flow(callback)
        assert (await house.answer(flow))[0] == 200

        assert TOKEN not in str(flow.get_state())
        assert b"Game-***" in (flow.request.raw_content or b"")
        assert TOKEN in str(house.wallet.calls)


@pytest.mark.parametrize("flag", [True, False])
async def test_the_body_of_another_path_is_hidden_where_mitmproxy_keeps_it(tmp_path: Path, *, flag: bool) -> None:
    async with running(tmp_path, has_upstream=flag) as house:
        flow = make_flow(b'{"token": "%b"}' % TOKEN.encode(), path="/legacy")
        house.addon.requestheaders(flow)
        await house.addon.request(flow)

        assert TOKEN not in str(flow.get_state())

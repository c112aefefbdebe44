"""Spans of callbacks and wallet calls, with a real wallet that sees what it is told of them."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, OK, Call, Hang, ScriptedWallet, Step, abort, reply, running_wallet

from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.tokens import Tokens
from walletbridge.observe import spans as spans_module
from walletbridge.observe.log import open_log
from walletbridge.observe.spans import Spans, spans_to
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.settings import Breaker, Deadlines, Journal, Settings, Tracing, Upstream, Wallet
from walletbridge.transactions import journalled
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
TIMEOUT = 10.0
PLACE_BET = "wallet.v1.WalletService/PlaceBet"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else is no subject here."""
    monkeypatch.setattr(journalled, "END_SECONDS", 30)


@pytest.fixture(autouse=True)
def _nothing_goes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An export that nobody waits for draws numbers at random, which Hypothesis forbids the tests that come later."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    yield
    for thread in threading.enumerate():
        if thread.name == "tracing":
            thread.join()


class House:
    """A bridge whose spans stay in memory."""

    def __init__(self, wallet: ScriptedWallet, port: int, folder: Path) -> None:
        self.wallet = wallet
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        settings = Settings(
            wallet=Wallet(target=f"{HOST}:{port}", connect_wait=TIMEOUT),
            journal=Journal(path=folder / "journal.db", settle_wins=False, settle_bets=False),
            deadlines=Deadlines(win=0.5, margin=0.1),
            breaker=Breaker(failures=0),
        )
        log = open_log(lines_max=1000, stream=None)
        self.bridge = Bridge(settings, Tokens([TOKEN.encode()]), log, spans=Spans(provider))

    async def answer(self, command: str, *, age: float = 0, token: bool = True, **overrides: Any) -> Answer:
        """Answers a callback that came so many seconds ago."""
        content = body(make_callback(command, **overrides))
        received_at = self.bridge.clock() - age
        request = Request(method="POST", has_token=token, body=content, received_at=received_at)
        return await self.bridge.answer(request, Trace())

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """What has ended, in this order."""
        return self._exporter.get_finished_spans()

    @property
    def pair(self) -> tuple[ReadableSpan, ReadableSpan]:
        """The span of the one callback, and that of its wallet call."""
        call, callback = self.spans
        return callback, call


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[House]:
    async with running_wallet() as (wallet, port):
        house = House(wallet, port, folder)
        try:
            yield house
        finally:
            await house.bridge.stop()


def traceparent(span: ReadableSpan) -> str:
    """What W3C's Trace Context makes of a span."""
    assert span.context
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"


class Told:
    """A step that notes which trace the wallet is told of; a call's metadata is gone when the call is."""

    def __init__(self, then: Step = OK) -> None:
        self._then = then
        self.traceparent = ""

    async def __call__(self, call: Call) -> bytes:
        self.traceparent = dict(call.context.invocation_metadata())["traceparent"]
        return await self._then(call)


async def test_a_callback_and_its_wallet_call_are_one_trace_of_which_the_wallet_is_told(tmp_path: Path) -> None:
    told = Told()
    async with running(tmp_path) as house:
        house.wallet.script("PlaceBet", told)
        await house.answer("bet")
        callback, call = house.pair

    assert (callback.name, callback.kind, callback.parent) == ("callback bet", SpanKind.SERVER, None)
    assert callback.attributes == {
        "http.response.status_code": 200,
        "walletbridge.command": "bet",
        "walletbridge.result": 0,
        "walletbridge.trans_id": "1676358190",
    }
    assert (call.name, call.kind) == (PLACE_BET, SpanKind.CLIENT)
    assert call.parent == callback.context
    assert call.attributes == {
        "rpc.system": "grpc",
        "rpc.service": "wallet.v1.WalletService",
        "rpc.method": "PlaceBet",
        "rpc.grpc.status_code": 0,
    }
    assert told.traceparent == traceparent(call)
    assert {span.status.status_code for span in (callback, call)} == {StatusCode.UNSET}


async def test_a_span_begins_when_the_request_came(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        before = time.time_ns()
        await house.answer("balance", age=0.75)
        callback, call = house.pair

    assert callback.start_time is not None
    assert call.start_time is not None
    assert before - 0.8e9 < callback.start_time < before - 0.7e9
    assert call.start_time >= before


@pytest.mark.parametrize(
    ("command", "attributes"),
    [
        ("status", {"walletbridge.cache": "miss"}),
        ("balance", {"walletbridge.command": "balance"}),
        ("cancel", {"walletbridge.command": "cancel"}),
    ],
)
async def test_a_span_says_what_came_of_a_callback_and_not_who_the_player_is(
    tmp_path: Path, command: str, attributes: dict[str, object]
) -> None:
    async with running(tmp_path) as house:
        house.wallet.script("GetTransactionStatus", reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED))
        await house.answer(command)
        callback, _ = house.pair

    assert callback.attributes
    assert attributes.items() <= dict(callback.attributes).items()
    assert "test1234" not in "".join(span.to_json() for span in house.spans)


async def test_a_wallet_that_fails_marks_both_spans_without_its_words(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.wallet.script("PlaceBet", abort(grpc.StatusCode.INTERNAL))
        await house.answer("bet")
        callback, call = house.pair

    assert (call.status.status_code, call.status.description) == (StatusCode.ERROR, "INTERNAL")
    assert call.attributes
    assert call.attributes["rpc.grpc.status_code"] == 13
    assert (callback.status.status_code, callback.status.description) == (
        StatusCode.ERROR,
        "the wallet answered INTERNAL",
    )
    assert "said so in the test" not in call.to_json()


async def test_a_wallet_that_does_not_answer_marks_both_spans(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        house.wallet.script("SettleWin", Hang())
        await house.answer("win")
        callback, call = house.pair

    assert (call.status.description, callback.status.status_code) == ("DEADLINE_EXCEEDED", StatusCode.ERROR)


async def test_a_call_that_is_cut_off_ends_its_span(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        hang = Hang()
        house.wallet.script("PlaceBet", hang)
        answering = asyncio.ensure_future(house.answer("bet"))
        await hang.arrived.wait()
        await house.bridge.stop(at_once=_set())
        await answering
        _, call = house.pair

    assert call.status.description == "CANCELLED"


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_each_try_of_a_read_is_a_span_of_its_own(tmp_path: Path) -> None:
    once, again = Told(abort(grpc.StatusCode.UNAVAILABLE)), Told()
    async with running(tmp_path) as house:
        house.wallet.script("GetBalance", once, again)
        await house.answer("balance")
        first, second, callback = house.spans

    assert first.parent == second.parent == callback.context
    assert [once.traceparent, again.traceparent] == [traceparent(first), traceparent(second)]


async def test_a_callback_that_reaches_no_wallet_has_a_span_too(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        await house.answer("bet", token=False)
        await house.answer("bet", amount=-1)
        refused, bad = house.spans

    assert (refused.name, bad.name) == ("callback", "callback")
    assert refused.attributes == {"http.response.status_code": 200, "walletbridge.result": 100}
    assert bad.attributes
    assert bad.attributes["http.response.status_code"] == 400
    assert str(bad.attributes["walletbridge.reason"]).startswith("$.data.amount: ")


async def test_a_span_that_cannot_be_described_costs_nobody_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(spans_module, "_describe", fault)
    monkeypatch.setattr(spans_module, "_describe_failure", fault)
    async with running(tmp_path) as house:
        house.wallet.script("PlaceBet", abort(grpc.StatusCode.INTERNAL), reply(outcome=v1.OUTCOME_OK))

        assert (await house.answer("bet", trans_id=1)).http_status == 500
        assert (await house.answer("bet", trans_id=2)).http_status == 200
        assert len(house.spans) == 4


async def test_callbacks_at_the_same_time_are_traces_of_their_own(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        await asyncio.gather(*(house.answer("bet", trans_id=number) for number in range(20)))
        calls = {span.parent.trace_id for span in house.spans if span.parent}
        callbacks = {span.context.trace_id for span in house.spans if span.context and not span.parent}

    assert calls == callbacks
    assert len(calls) == 20


async def test_metadata_of_others_goes_with_it() -> None:
    seen: list[Any] = []

    async def call(request: object, **arguments: Any) -> bytes:
        seen.append((request, arguments))
        return b"response"

    spans = Spans(TracerProvider(shutdown_on_exit=False))
    assert await spans.of_wallet_calls("/a.B/C", call)("it", timeout=1.5, metadata=(("k", "v"),)) == b"response"

    [(request, arguments)] = seen
    assert (request, arguments["timeout"]) == ("it", 1.5)
    assert [key for key, _ in arguments["metadata"]] == ["k", "traceparent"]


# Where spans go


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "walletbridge"),
        ({"OTEL_SERVICE_NAME": "ours"}, "ours"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs"}, "theirs"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test"}, "walletbridge"),
    ],
)
async def test_the_service_has_a_name(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], name: str) -> None:
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    spans = spans_to(Tracing(endpoint=Upstream("http://127.0.0.1:9")), environ)

    assert spans._provider.resource.attributes["service.name"] == name
    await spans.close()


@pytest.mark.parametrize(("percent", "is_traced"), [(100, 1), (0, 0), (None, 1)])
async def test_the_settings_say_how_many_callbacks_are_traced(percent: int | None, is_traced: int) -> None:
    """The wallet is told of the others as well, and that they are not."""
    told: list[str] = []

    async def call(request: object, **arguments: Any) -> bytes:
        del request
        told.extend(value for _, value in arguments["metadata"])
        return b""

    spans = spans_to(Tracing(endpoint=Upstream("http://127.0.0.1:9"), sample_percent=percent), {})
    await spans.of_wallet_calls("/a.B/C", call)("it", timeout=1)

    assert [int(value[-2:], 16) & 1 for value in told] == [is_traced]
    await spans.close()


async def test_a_collector_gets_the_spans_and_one_that_is_away_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received = asyncio.Event()
    texts: list[bytes] = []

    async def export(request: bytes, _: Any) -> bytes:
        texts.append(request)
        received.set()
        return b""

    server = grpc.aio.server()
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()

    async def call(_: object, **__: Any) -> bytes:
        return b""

    monkeypatch.setattr(spans_module, "CLOSE_SECONDS", TIMEOUT)
    spans = spans_to(Tracing(endpoint=Upstream(f"http://{HOST}:{port}")), {})
    await spans.of_wallet_calls("/a.B/Spanned", call)("it", timeout=1)
    await spans.close()
    assert received.is_set()
    assert b"Spanned" in texts[0]
    assert json.dumps("walletbridge").encode()[1:-1] in texts[0]
    await server.stop(None)

    # Two pauses of together 2.4 seconds or more.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "4")
    monkeypatch.setattr(spans_module, "CLOSE_SECONDS", 0.2)
    spans = spans_to(Tracing(endpoint=Upstream(f"http://{HOST}:{port}")), {})
    await spans.of_wallet_calls("/a.B/Lost", call)("it", timeout=1)
    started = time.monotonic()
    await spans.close()
    assert time.monotonic() - started < 2.0

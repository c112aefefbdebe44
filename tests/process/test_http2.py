"""HTTP/2 of `serve`: off unless it is set; then callbacks with the lane's limits, and floods ended."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from h2.errors import ErrorCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from tests.process.growth import growth
from tests.process.http2_raw import RawHttp2, raw_http2
from tests.process.raw_upstream import RawUpstream, running_raw_upstream
from tests.support.callbacks import body, make_callback
from tests.support.processes import RunningWallet, Way, address_of, arguments, running, running_wallet, write_settings
from tests.support.tls import Authority
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAYER, SLOW = "test1234", "slow"
LIMITS = {"header_seconds": 2, "body_seconds": 2, "idle_seconds": 4, "wrong_tokens_per_second": 5}
HTTP2 = {"streams": 10, "resets_per_second": 20, "idle_frames_per_second": 100}
BALANCE = body(make_callback("balance"))
ANSWER = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
WRONG = (200, b'{"result":100,"status":"ERROR"}')
MIB = 1 << 20
GROWTH_MAX = 30 * MIB
ENHANCE_YOUR_CALM = int(ErrorCodes.ENHANCE_YOUR_CALM)


@dataclass(frozen=True, slots=True)
class Stage:
    """The gateway with HTTP/2, before an upstream that keeps what it is sent."""

    gateway: GatewayProcess
    upstream: RawUpstream
    wallet: RunningWallet
    ca_file: Path

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.gateway.process.pid)

    def client(self, **arguments: object) -> object:
        return raw_http2(self.gateway, self.ca_file, **arguments)  # type: ignore[arg-type]


def tls_of(folder: Path) -> tuple[Authority, dict[str, dict[str, str]]]:
    authority = Authority(folder)
    pair = authority.sign("gateway")
    return authority, {"tls": {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("http2")
    authority, tls = tls_of(folder)
    async with running_wallet(folder, PLAYER, SLOW) as wallet, running_raw_upstream() as upstream:
        wallet.script.seconds = {SLOW: 0.5}
        config = write_settings(
            folder, wallet_port=wallet.port, upstream=upstream.url, limits=LIMITS, http2=HTTP2, **tls
        )
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            yield Stage(gateway, upstream, wallet, authority.ca_file)


@pytest_asyncio.fixture(loop_scope="module")
async def client(stage: Stage) -> AsyncIterator[RawHttp2]:
    async with raw_http2(stage.gateway, stage.ca_file) as made:
        yield made


async def test_http2_is_not_offered_unless_it_is_set(tmp_path: Path) -> None:
    authority, tls = tls_of(tmp_path)
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port, **tls)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            trust = ssl.create_default_context(cafile=str(authority.ca_file))
            trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
            trust.set_alpn_protocols(["h2", "http/1.1"])
            _, writer = await asyncio.open_connection(*address_of(gateway), ssl=trust)
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            writer.transport.abort()
            # Who speaks it all the same is refused.
            async with raw_http2(gateway, authority.ca_file, alpn="http/1.1") as made:
                assert b"HTTP/1.1 505 " in await asyncio.wait_for(made.reader.read(), 20)


async def test_callbacks_and_other_paths_at_once(stage: Stage, client: RawHttp2) -> None:
    callbacks = [client.request(body=BALANCE) for _ in range(3)]
    other = client.request("/legacy?x", method="GET", token=None)
    slow = client.request(body=body(make_callback("balance", account=SLOW)))
    put = client.request("/legacy", b"abc", method="PUT")

    assert [await client.answer(stream) for stream in callbacks] == [ANSWER] * 3
    assert await client.answer(slow) == ANSWER
    assert await client.answer(other) == await client.answer(put) == (200, b"fine")
    last = client.request(body=BALANCE, fields=[("expect", "100-continue")])
    assert await client.answer(last) == ANSWER
    assert b"GET /legacy?x HTTP/1.1\r\nHost: gateway\r\n\r\n" in stage.upstream.requests


async def test_trailers_break_nothing(stage: Stage, client: RawHttp2) -> None:
    """Before, mitmproxy crashed at those for the upstream, and kept those of callbacks."""
    trailers = [("x-trailer", "y")]
    assert await client.answer(client.request("/legacy", b"abc", trailers=trailers)) == (200, b"fine")
    assert await client.answer(client.request(body=BALANCE, trailers=trailers)) == ANSWER
    assert b"x-trailer" not in stage.upstream.requests[-1]


async def test_a_body_without_a_length_is_no_second_request(stage: Stage, client: RawHttp2) -> None:
    """Before, the upstream read it as one."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n"
    assert await client.answer(client.request("/legacy", smuggled)) == (200, b"fine")
    assert stage.upstream.requests[-1].endswith(b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled))
    assert not any(request.startswith(b"GET /smuggled") for request in stage.upstream.requests)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        *((path, []) for path in ("/a b", "/a\rb", "/a#b", "legacy", "*", "/legacy HTTP/1.1\r\nX: y", "/a\0")),
        *(("/legacy", [("x", value)]) for value in ("a\rb", "a\x1bb", "a\x7fb")),
        ("/legacy", [(":authority", "gateway"), ("host", "other")]),
        ("/legacy", [(":authority", "user@gateway")]),
        ("/legacy", [("content-length", "+0")]),
    ],
)
async def test_nothing_that_may_be_read_differently_reaches_the_upstream(
    stage: Stage, client: RawHttp2, path: str, fields: list[tuple[str, str]]
) -> None:
    """400, or the end of the connection where the h2 library finds it first."""
    seen = len(stage.upstream.requests)
    stream = client.request(path, method="GET", token=None, fields=fields)
    try:
        assert (await client.answer(stream))[0] == 400
    except ConnectionError:
        assert client.goodbye
    assert seen == len(stage.upstream.requests)


async def test_wrong_tokens_are_answered_at_the_head_and_too_many_are_refused(stage: Stage) -> None:
    """From an address of their own: who shares one with the provider must not be counted with it here."""
    async with raw_http2(stage.gateway, stage.ca_file, local="127.0.0.9") as made:
        streams = [made.request(token="wrong", ends=False) for _ in range(10)]  # noqa: S106 - not a secret
        assert await made.answer(streams[0]) == WRONG
        assert await made.end() == ENHANCE_YOUR_CALM
        statuses = [made.streams[stream].status for stream in streams]
        assert statuses.count(200) >= 5
        assert statuses.count(429) == 1


async def test_bodies_are_bounded_while_they_come(stage: Stage) -> None:
    async def endless(token: str, status: int) -> None:
        async with raw_http2(stage.gateway, stage.ca_file, local="127.0.0.8") as made:
            stream = made.request(token=token, ends=False)
            frame = DataFrame(stream, bytes(16384))
            try:
                for _ in range(100 * MIB // 16384):
                    made.send(frame)
                    await asyncio.wait_for(made.writer.drain(), 10)
            except (OSError, TimeoutError):
                pass
            try:
                assert status == (await made.answer(stream))[0]
            except ConnectionError:
                # Whoever sends on for longer than the end is lingered for is reset, and may not have read why.
                assert made.goodbye in {None, ENHANCE_YOUR_CALM}

    assert await growth(stage.process, endless("wrong", 200)) < GROWTH_MAX
    assert await growth(stage.process, endless("a-token-that-nobody-may-see", 413)) < GROWTH_MAX


async def test_who_is_too_slow_is_told_and_who_says_nothing_is_left(stage: Stage) -> None:
    async with raw_http2(stage.gateway, stage.ca_file, greets=False) as silent:
        assert await silent.reader.read(9)
        assert await silent.end() is None
    async with raw_http2(stage.gateway, stage.ca_file) as idle:
        assert await idle.end() == 0
    async with raw_http2(stage.gateway, stage.ca_file) as made:
        streams = [made.request(ends=False), made.request("/legacy", ends=False)]
        assert [(await made.answer(stream))[0] for stream in streams] == [408, 408]
        assert await made.answer(made.request(body=BALANCE)) == ANSWER


async def test_a_head_that_does_not_end_is_not_waited_for(stage: Stage, client: RawHttp2) -> None:
    await client.read()
    block = HeadersFrame(1, b"\x82")
    client.send(block)
    # On a busy machine its time without a request may be up first.
    assert await client.end() in {0, ENHANCE_YOUR_CALM}
    assert stage.gateway.process.returncode is None


def _frames(kind: str) -> Callable[[int], Frame]:
    return {
        "settings": lambda _: SettingsFrame(0),
        "ping": lambda _: PingFrame(0, b"12345678"),
        "priority": lambda number: PriorityFrame(2 * number + 1, depends_on=0, stream_weight=1),
        "window": lambda _: WindowUpdateFrame(0, window_increment=1),
        "empty data": lambda _: DataFrame(1),
        "continuation": lambda number: ContinuationFrame(1) if number else HeadersFrame(1, b"\x82"),
    }[kind]


@pytest.mark.parametrize("kind", ["settings", "ping", "priority", "window", "empty data", "continuation"])
async def test_frames_that_bring_nothing_are_not_read_without_end(stage: Stage, client: RawHttp2, kind: str) -> None:
    if kind == "empty data":
        client.request("/legacy", ends=False)
    make = _frames(kind)
    for number in range(2000):
        client.send(make(number))
    # Ended, though on a busy machine the reset may come before the reason is read.
    assert await client.end() != 0
    assert stage.gateway.process.returncode is None


async def test_who_gives_up_many_requests_is_left(stage: Stage, client: RawHttp2) -> None:
    """Rapid reset: HEADERS and RST_STREAM, thousands of times. Others are answered meanwhile."""
    async with raw_http2(stage.gateway, stage.ca_file) as provider:

        async def attack() -> None:
            for _ in range(1000):
                stream = client.request(body=BALANCE)
                client.send(RstStreamFrame(stream, error_code=8))
                client.connection.streams[stream].reset_stream(8)
                if client.writer.is_closing():
                    break
                await asyncio.sleep(0)

        calls = stage.wallet.calls
        attacking = asyncio.ensure_future(attack())
        assert await provider.answer(provider.request(body=BALANCE)) == ANSWER
        assert await client.end() in {None, ENHANCE_YOUR_CALM}
        attacking.cancel()
        assert stage.wallet.calls - calls <= HTTP2["resets_per_second"] * 3
        assert await provider.answer(provider.request(body=BALANCE)) == ANSWER


async def test_more_streams_than_allowed_end_the_connection(client: RawHttp2) -> None:
    for _ in range(HTTP2["streams"] + 1):
        client.request("/legacy", ends=False)
    assert await client.end() is not None


async def test_a_head_that_is_too_large_is_refused(client: RawHttp2) -> None:
    await client.read()
    client.request(fields=[(f"x-{number}", "y" * 100) for number in range(200)])
    assert await client.end() is not None


async def test_too_many_fields_are_refused(client: RawHttp2) -> None:
    await client.read()
    assert (await client.answer(client.request(fields=[(f"x-{number}", "") for number in range(101)])))[0] == 431


async def test_an_answer_that_its_client_does_not_take_is_not_kept(tmp_path: Path) -> None:
    """By a window of nothing the client stops one stream, and takes others."""
    sent = 0

    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (200 * MIB))
        for _ in range(200):
            writer.write(bytes(MIB))
            await writer.drain()
            sent += MIB

    authority, tls = tls_of(tmp_path)
    async with running_wallet(tmp_path, PLAYER) as wallet, running_raw_upstream(large) as upstream:
        config = write_settings(
            tmp_path, wallet_port=wallet.port, upstream=upstream.url, limits=LIMITS, http2=HTTP2, **tls
        )
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            process = psutil.Process(gateway.process.pid)

            async def ask() -> None:
                async with raw_http2(gateway, authority.ca_file) as made:
                    made.connection.update_settings({4: 0})
                    made.flush()
                    stream = made.request("/large", method="GET", token=None)
                    while not made.streams[stream].status:
                        assert await made.read()
                    await until(lambda: sent >= MIB)
                    made.connection.increment_flow_control_window(1000, made.request(body=BALANCE))
                    made.flush()
                    await made.end()

            assert await growth(process, ask()) < GROWTH_MAX
    assert sent < 50 * MIB

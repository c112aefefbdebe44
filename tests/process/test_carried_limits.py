"""What `serve` promises of connections that mitmproxy carries: the same limits, and nothing that is ambiguous."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from tests.process.growth import growth
from tests.process.raw_upstream import FINE, RawUpstream, running_raw_upstream
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    TOKEN,
    Way,
    address_of,
    arguments,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.tls import Authority
from tests.support.waiting import until
from tests.unit.serve.lane.smuggling import CASES
from tests.unit.serve.lane.smuggling import TOKEN as CASES_TOKEN

from walletbridge.demo.gateway_process import GatewayProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAYER = "test1234"
LIMITS = {"header_seconds": 2, "body_seconds": 2, "idle_seconds": 4}
BALANCE = raw_post(body(make_callback("balance")))
ANSWER = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
WRONG = (200, b'{"result":100,"status":"ERROR"}')
OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n"
CHUNKED = b"POST /callback HTTP/1.1\r\nHost: gateway\r\nCallback-Token: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
MIB = 1 << 20
ENDLESS = b"10000\r\n" + bytes(0x10000) + b"\r\n"
GROWTH_MAX = 30 * MIB

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Stage:
    """The gateway, in plain text or behind TLS, before an upstream that keeps what it is sent."""

    gateway: GatewayProcess
    upstream: RawUpstream
    trust: ssl.SSLContext | None

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.gateway.process.pid)

    @property
    def connections(self) -> int:
        """How many clients there are."""
        port = address_of(self.gateway)[1]
        return sum(bool(c.laddr.port == port and c.raddr) for c in self.process.net_connections("tcp"))

    @asynccontextmanager
    async def connected(self, before: bytes = OTHER) -> AsyncIterator[Streams]:
        """A connection that has brought a request for another path."""
        reader, writer = await asyncio.open_connection(*address_of(self.gateway), ssl=self.trust)
        try:
            writer.write(before)
            if before:
                assert await read_answer(reader) == (200, b"fine")
            yield reader, writer
        finally:
            writer.transport.abort()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["plain", "tls"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp(request.param)
    authority, tls, trust = Authority(folder), {}, None
    if request.param == "tls":
        pair = authority.sign("gateway")
        tls = {"tls": {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}}
        trust = ssl.create_default_context(cafile=str(authority.ca_file))
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    async with running_wallet(folder, PLAYER) as wallet, running_raw_upstream() as upstream:
        config = write_settings(folder, wallet_port=wallet.port, upstream=upstream.url, limits=LIMITS, **tls)
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            yield Stage(gateway, upstream, trust)


async def test_a_callback_behind_another_request_is_the_lanes(stage: Stage) -> None:
    """Between others, pipelined, and in the form in which a proxy gets it."""
    absolute = BALANCE.replace(b"/callback", b"http://gateway/callback")
    async with stage.connected() as (reader, writer):
        writer.write(BALANCE + OTHER + absolute + OTHER + BALANCE)
        assert [await read_answer(reader) for _ in range(5)] == [
            ANSWER,
            (200, b"fine"),
            ANSWER,
            (200, b"fine"),
            ANSWER,
        ]


async def test_a_wrong_token_behind_another_request_is_answered_at_its_head_and_nothing_more_is_kept(
    stage: Stage,
) -> None:
    async def endless() -> None:
        async with stage.connected() as (reader, writer):
            writer.write(CHUNKED % b"wrong")
            assert await read_answer(reader) == WRONG
            await send_endlessly(writer, 100 * MIB)

    assert await growth(stage.process, endless()) < GROWTH_MAX


async def test_a_body_behind_another_request_is_bounded_while_it_comes(stage: Stage) -> None:
    async def endless() -> None:
        async with stage.connected() as (reader, writer):
            writer.write(CHUNKED % TOKEN.encode() + ENDLESS * 2)
            assert (await read_answer(reader))[0] == 413
            await send_endlessly(writer, 100 * MIB)

    assert await growth(stage.process, endless()) < GROWTH_MAX


async def send_endlessly(writer: asyncio.StreamWriter, size: int) -> None:
    """Until the other side closes, or so many bytes were sent."""
    try:
        for _ in range(size // len(ENDLESS)):
            writer.write(ENDLESS)
            await asyncio.wait_for(writer.drain(), 10)
    except (OSError, TimeoutError):
        pass


async def test_trailers_break_nothing(stage: Stage) -> None:
    """Of a callback behind another request, and of a request for another path."""
    callback = body(make_callback("balance"))
    chunks = b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(callback), callback)
    async with stage.connected() as (reader, writer):
        writer.write(CHUNKED % TOKEN.encode() + chunks)
        assert await read_answer(reader) == ANSWER
        writer.write(CHUNKED.replace(b"/callback", b"/legacy") % b"x" + chunks)
        assert await read_answer(reader) == (200, b"fine")
    assert stage.upstream.requests[-1].endswith(callback + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("before", [b"", OTHER], ids=["at once", "behind another request"])
async def test_what_may_be_read_differently_reaches_nobody(stage: Stage, before: bytes) -> None:
    """The whole corpus, as callbacks and as requests for another path."""
    for path in (b"/callback", b"/legacy"):
        for name, case in CASES.items():
            data = case.data.replace(CASES_TOKEN, TOKEN.encode()).replace(b"/callback", path, 1)
            seen = len(stage.upstream.requests) + bool(before)
            async with stage.connected(before) as (reader, writer):
                writer.write(data + b"\r\n" * 3)
                assert case.status == (await asyncio.wait_for(read_answer(reader), 10))[0], name
                assert await asyncio.wait_for(reader.read(), 10) == b"", name
            # Of a body whose head was fine the head is there, and the rest never comes.
            assert len(stage.upstream.requests) == seen, name


@pytest.mark.parametrize(
    "line",
    [
        *(b"X: a\rb", b"X: a\0b", b"X: a\x1bb", b"X: a\r\n b", b"Host: other", b"X : y", b"X", b": y"),
        *(b"Content-Length: 0\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked"),
    ],
)
async def test_no_field_that_may_be_read_differently_reaches_the_upstream(stage: Stage, line: bytes) -> None:
    async with stage.connected() as (reader, writer):
        seen = len(stage.upstream.requests)
        writer.write(OTHER[:-2] + line + b"\r\n\r\n")
        assert (await read_answer(reader))[0] == 400
        assert len(stage.upstream.requests) == seen


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://other/legacy", 400),
        (b"GET /legacy#x", 400),
        (b"GET legacy", 400),
        (b"GET *", 400),
        (b"GET /legacy /x", 400),
        (b"CONNECT other:443", 400),
        (b"CONNECT /legacy", 405),
        (b"G(T /legacy", 400),
    ],
)
async def test_no_first_line_that_may_be_read_differently_reaches_the_upstream(
    stage: Stage, line: bytes, status: int
) -> None:
    async with stage.connected() as (reader, writer):
        seen = len(stage.upstream.requests)
        writer.write(OTHER.replace(b"GET /legacy", line, 1))
        assert status == (await read_answer(reader))[0]
        assert len(stage.upstream.requests) == seen


async def test_the_upstream_gets_a_request_as_the_lane_has_read_it(stage: Stage) -> None:
    async with stage.connected() as (reader, writer):
        put = OTHER.replace(b"GET /legacy", b"PUT http://gateway/legacy?x")
        writer.write(put[:-2] + b"Transfer-Encoding: chunked\r\n\r\n003;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n")
        assert await read_answer(reader) == (200, b"fine")
    assert stage.upstream.requests[-1] == (
        b"PUT /legacy?x HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"PUT /legacy HTTP/1.1\r\n",
        b"PUT /legacy HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\n\r\nabc",
        b"PUT /legacy HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        CHUNKED % TOKEN.encode() + b"3\r\nab",
        BALANCE[:-1],
        b"POST /callback HTTP/1.1\r\n",
    ],
)
async def test_who_is_too_slow_behind_another_request_is_told_and_left(stage: Stage, data: bytes) -> None:
    async with stage.connected() as (reader, writer):
        writer.write(data)
        assert (await asyncio.wait_for(read_answer(reader), 20))[0] == 408
        assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_who_says_nothing_behind_another_request_is_left(stage: Stage) -> None:
    async with stage.connected() as (reader, _):
        assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_a_body_for_the_upstream_that_goes_on_may_take_longer_than_any_limit(stage: Stage) -> None:
    async with stage.connected() as (reader, writer):
        writer.write(b"PUT /legacy HTTP/1.1\r\nHost: gateway\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(LIMITS["body_seconds"] / 3)
            writer.write(b"x")
        assert await read_answer(reader) == (200, b"fine")


# The upstream itself


@pytest.mark.parametrize("kind", ["head", "chunk", "trailers"])
async def test_what_an_upstream_sends_without_end_is_bounded(tmp_path: Path, kind: str) -> None:
    begin = {
        "head": b"HTTP/1.1 200 OK\r\nX: ",
        "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;",
        "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    }[kind]
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        while sent < 200 * MIB:
            writer.write(b"x" * MIB)
            await writer.drain()
            sent += MIB

    async with serving(tmp_path, endless) as stage:

        async def ask() -> None:
            async with stage.connected(b"") as (reader, writer):
                writer.write(OTHER)
                await asyncio.wait_for(reader.read(), 20)

        assert await growth(stage.process, ask()) < GROWTH_MAX
    assert sent < 20 * MIB


async def test_memory_is_flat_while_nobody_takes_a_body(tmp_path: Path) -> None:
    """An upstream that does not read, then a client that does not."""
    may_end = asyncio.Event()

    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readuntil(b"\r\n\r\n")).startswith(b"PUT"):
            await may_end.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (300 * MIB))
        for _ in range(300):
            writer.write(bytes(MIB))
            await writer.drain()

    async with serving(tmp_path, stalls, idle_seconds=3) as stage:

        async def upload() -> None:
            async with stage.connected(b"") as (reader, writer):
                writer.write(b"PUT /legacy HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n")
                await send_endlessly(writer, 100 * MIB)
                with suppress(OSError):
                    # What stood in the way of an answer was thrown away with the connection.
                    await asyncio.wait_for(reader.read(), 20)

        async def download() -> None:
            async with stage.connected(b"") as (_, writer):
                writer.write(OTHER)
                # It is cut off after `idle_seconds`.
                await until(lambda: stage.connections)
                await until(lambda: not stage.connections)

        assert await growth(stage.process, upload()) < GROWTH_MAX
        assert await growth(stage.process, download()) < GROWTH_MAX
        may_end.set()


async def test_trailers_of_the_upstream_break_nothing(tmp_path: Path) -> None:
    async def trailing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n")

    async with serving(tmp_path, trailing) as stage, stage.connected(b"") as (reader, writer):
        for _ in range(2):
            writer.write(OTHER)
            assert (await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 10)).endswith(b"3\r\nabc\r\n0\r\n\r\n")
        writer.write(BALANCE)
        assert await read_answer(reader) == ANSWER


async def test_requests_for_other_paths_have_places_of_their_own(tmp_path: Path) -> None:
    may_end, entered = asyncio.Event(), 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal entered
        await reader.readuntil(b"\r\n\r\n")
        entered += 1
        await may_end.wait()
        writer.write(FINE)
        await writer.drain()

    async with (
        serving(tmp_path, slow, upstream_requests=2) as stage,
        stage.connected(b"") as first,
        stage.connected(b"") as second,
        stage.connected(b"") as (reader, writer),
    ):
        for _, other in (first, second):
            other.write(OTHER)
        await until(lambda: entered == 2)
        writer.write(BALANCE + OTHER)
        assert await read_answer(reader) == ANSWER
        assert (await read_answer(reader))[0] == 503
        may_end.set()
        for waiting, _ in (first, second):
            assert await read_answer(waiting) == (200, b"fine")


async def test_without_an_upstream_no_body_is_kept(tmp_path: Path) -> None:
    """Not even up to a limit: the answer is known."""
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port, limits=LIMITS)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            stage = Stage(gateway, RawUpstream(), None)

            async def endless() -> None:
                async with stage.connected(b"") as (reader, writer):
                    writer.write(CHUNKED.replace(b"/callback", b"/legacy") % b"x")
                    assert await read_answer(reader) == (404, b"")
                    await send_endlessly(writer, 50 * MIB)
                    assert await asyncio.wait_for(reader.read(), 20) == b""

            assert await growth(stage.process, endless()) < GROWTH_MAX
            async with stage.connected(b"") as (reader, writer):
                writer.write(raw_post(b"x" * 1000, path="/legacy") + BALANCE)
                assert await read_answer(reader) == (404, b"")
                assert await read_answer(reader) == ANSWER


@pytest.mark.parametrize("has_upstream", [True, False])
async def test_who_may_not_call_stays_out_or_has_few_places(tmp_path: Path, *, has_upstream: bool) -> None:
    callback = {"allow_from": ["127.0.0.1/32"]}
    async with running_wallet(tmp_path, PLAYER) as wallet, running_raw_upstream() as upstream:
        more = {"upstream": upstream.url} if has_upstream else {}
        limits = LIMITS | {"outside_connections": 1}
        config = write_settings(tmp_path, wallet_port=wallet.port, callback=callback, limits=limits, **more)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:

            async def outside() -> Streams:
                return await asyncio.open_connection(*address_of(gateway), local_addr=("127.0.0.2", 0))

            reader, writer = await outside()
            if has_upstream:
                writer.write(OTHER + BALANCE)
                assert await read_answer(reader) == (200, b"fine")
                assert await read_answer(reader) == WRONG
                other, second = await outside()
                assert (await read_answer(other))[0] == 503
                second.transport.abort()
            else:
                assert (await read_answer(reader))[0] == 403
                assert await reader.read() == b""
            async with Stage(gateway, upstream, None).connected(b"") as (inside, asking):
                asking.write(BALANCE)
                assert await read_answer(inside) == ANSWER
            writer.transport.abort()


@asynccontextmanager
async def serving(folder: Path, handle: object, **limits: float) -> AsyncIterator[Stage]:
    """The gateway before an upstream that does as `handle` says."""
    async with running_wallet(folder, PLAYER) as wallet, running_raw_upstream(handle) as upstream:  # type: ignore[arg-type]
        config = write_settings(folder, wallet_port=wallet.port, upstream=upstream.url, limits=LIMITS | limits)
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            yield Stage(gateway, upstream, None)

"""What is no callback goes to the upstream and back untouched, as a stream."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from tests.process.growth import growth
from tests.process.house import PLAYER, House
from tests.process.upstream import PIECE
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    TOKEN,
    Way,
    arguments,
    connected,
    headers,
    post,
    raw_post,
    read_answer,
    running,
    write_settings,
)

pytestmark = pytest.mark.asyncio(loop_scope="package")

PIECES = 200 * 1024 * 1024 // len(PIECE)
"""Of a body of 200 MiB."""
MESSAGES = 500
"""On a WebSocket, of 100 kB each way: 100 MB."""
GROWTH_BYTES_MAX = 40 * 1024 * 1024
BALANCE = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')


@pytest.fixture(autouse=True)
def _a_player(house: House) -> None:
    house.players(**{PLAYER: 1000})


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "POST"])
async def test_any_method_goes_to_the_upstream(house: House, way: Way, method: str) -> None:
    sent = b"" if method in {"GET", "HEAD"} else b"some bytes \x00\xff"

    async with house.client.request(method, house.url(way, "/legacy?a=1&b=%20"), data=sent or None) as response:
        came = await response.read()

    assert (200, method) == (response.status, response.headers["X-Method"])
    assert sent == came
    assert (method, "/legacy?a=1&b=%20", sent) == house.upstream.requests[-1]


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/callback/", "/callbackx", "/%63allback", "/callback%3F", "/Callback", "//callback", "/x/callback"),
        *("/callback/?callback", "/callback;x", "/other?/callback", "/%2Fcallback"),
    ],
)
async def test_a_path_beside_the_callback_path_goes_to_the_upstream(house: House, way: Way, path: str) -> None:
    calls = house.wallet.calls
    callback = body(make_callback("balance"))

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(raw_post(callback, path=path))
        answer = await read_answer(reader)

    assert (200, callback) == answer
    assert ("POST", path, callback) == house.upstream.requests[-1]
    assert calls == house.wallet.calls


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("path", ["/callback", "/callback?", "/callback?x=1", "/callback?/legacy"])
async def test_the_query_of_the_callback_path_does_not_count(house: House, way: Way, path: str) -> None:
    requests = len(house.upstream.requests)

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(raw_post(body(make_callback("balance")), path=path))
        answer = await read_answer(reader)

    assert answer == BALANCE
    assert requests == len(house.upstream.requests)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    "line",
    [b"X: a\rb", b"X: a\0b", b"X: a\x1bb", b"X: a\r\n b", b"Host: other", b"Content-Length: 0\r\nContent-Length: 0"],
)
async def test_what_two_parsers_may_read_differently_does_not_go_to_the_upstream(
    house: House, way: Way, line: bytes
) -> None:
    requests = len(house.upstream.requests)

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n" + line + b"\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")

    assert requests == len(house.upstream.requests)


@pytest.mark.parametrize("way", Way)
async def test_trailers_break_nothing(house: House, way: Way) -> None:
    callback = body(make_callback("balance"))
    head = b"\r\nHost: gateway\r\nCallback-Token: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % TOKEN.encode()
    chunks = b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(callback), callback)

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(b"POST /legacy HTTP/1.1" + head + chunks)
        assert await asyncio.wait_for(read_answer(reader), 10) == (200, callback)
        writer.write(b"POST /callback HTTP/1.1" + head + chunks)
        assert await asyncio.wait_for(read_answer(reader), 10) == BALANCE


@pytest.mark.parametrize("way", Way)
async def test_the_token_header_of_another_path_is_the_upstreams(house: House, way: Way) -> None:
    async with house.client.get(house.url(way, "/headers"), headers=headers()) as response:
        came = await response.json()

    assert came["Callback-Token"] == TOKEN


@pytest.mark.parametrize("way", Way)
async def test_a_websocket_works(house: House, way: Way) -> None:
    async with house.client.ws_connect(house.url(way, "/socket"), max_msg_size=0) as socket:
        for number in range(20):
            await socket.send_str(f"text {number}")
            await socket.send_bytes(bytes([number]) * 100_000)
            assert f"text {number}" == await socket.receive_str(timeout=5)
            assert bytes([number]) * 100_000 == await socket.receive_bytes(timeout=5)


@pytest.mark.parametrize("way", Way)
async def test_chunked_bodies_stay_chunked(house: House, way: Way) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield f"piece {number};".encode()
            await asyncio.sleep(0.01)

    async with house.client.post(house.url(way, "/echo"), data=pieces()) as response:
        assert response.headers["X-Chunked"] == "True"
        assert await response.read() == b"piece 0;piece 1;piece 2;piece 3;piece 4;"
    async with house.client.get(house.url(way, "/chunks")) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert await response.read() == b"chunk 0;chunk 1;chunk 2;"


@pytest.mark.parametrize("way", Way)
async def test_the_upstreams_answer_comes_while_it_is_being_made(house: House, way: Way) -> None:
    """Each part of a body arrives when it is sent, in both directions: nobody waits for the end."""
    parts: asyncio.Queue[bytes] = asyncio.Queue()

    async def slowly() -> AsyncIterator[bytes]:
        while part := await parts.get():
            yield part

    await parts.put(b"first")
    async with house.client.post(house.url(way, "/live"), data=slowly()) as response:
        for part in (b"second", b"third"):
            assert await asyncio.wait_for(response.content.readany(), 5)
            await parts.put(part)
        await parts.put(b"")
        assert (await response.read())[-5:] == b"third"


@pytest.mark.parametrize("way", Way)
async def test_large_bodies_pass_at_flat_memory(house: House, way: Way) -> None:
    process = psutil.Process(house.gateways[way].process.pid)

    async def upload() -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                yield PIECE

        async with house.client.put(house.url(way, "/sink"), data=pieces()) as response:
            assert PIECES * len(PIECE) == int(await response.text())

    async def talk() -> None:
        message = bytes(100_000)
        async with house.client.ws_connect(house.url(way, "/socket"), max_msg_size=0) as socket:
            for _ in range(MESSAGES):
                await socket.send_bytes(message)
                assert message == await socket.receive_bytes(timeout=5)

    async def download() -> None:
        async with house.client.get(house.url(way, f"/source?pieces={PIECES}")) as response:
            assert PIECES * len(PIECE) == sum([len(data) async for data in response.content.iter_any()])

    await upload_once(house, way)
    assert await growth(process, upload()) < GROWTH_BYTES_MAX
    assert await growth(process, download()) < GROWTH_BYTES_MAX
    assert await growth(process, talk()) < GROWTH_BYTES_MAX
    assert await post(house.client, house.url(way), make_callback("balance")) == BALANCE


async def upload_once(house: House, way: Way) -> None:
    """A little of everything first: what is loaded on first use is no growth."""
    async with house.client.put(house.url(way, "/sink"), data=PIECE) as response:
        assert str(len(PIECE)) == await response.text()


async def test_without_an_upstream_other_paths_are_not_found(house: House, tmp_path: Path) -> None:
    """Whatever the user's own configuration of mitmproxy says: by this one it would be a proxy for everybody."""
    own = tmp_path / ".mitmproxy" / "config.yaml"
    own.parent.mkdir()
    own.write_text("mode: [regular]\nlisten_port: 1\nwalletbridge_config: /nowhere/walletbridge.yaml\n")
    requests = len(house.upstream.requests)
    config = write_settings(tmp_path, wallet_port=house.wallet.port)
    async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
        for target in ("/legacy", "http://gateway/legacy"):
            for method in ("GET", "HEAD", "POST"):
                async with connected(gateway) as (reader, writer):
                    writer.write(raw_post(b"", path=target).replace(b"POST", method.encode(), 1))
                    assert await read_answer(reader) == (404, b"")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await house.client.ws_connect(f"http://{gateway.address}/socket")
        assert await post(house.client, gateway.url, make_callback("balance")) == BALANCE
        # Nobody wants the body, so it is not waited for.
        async with connected(gateway) as (reader, writer):
            writer.write(b"POST /legacy HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10000000\r\n\r\n")
            assert await read_answer(reader) == (404, b"")
    assert requests == len(house.upstream.requests)

"""The HTTP client: what it sends, and what it makes of every kind of answer and of none."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest
from aiohttp import web
from tests.support.tls import Authority
from tests.unit.simulator.wrong_handlers import TOKEN, Serve, serving

from walletbridge.simulator.plan import Plan
from walletbridge.simulator.wire.client import Answer, Client, Exchange, Failure, Token
from walletbridge.simulator.wire.readings import BODY_BYTES_MAX


async def post(
    serve: Serve, *, limit: float = 5.0, token: Token = Token.RIGHT, hang_up: bool = False, path: str = ""
) -> Exchange:
    async with serving(serve) as url, Client(Plan(url=url + path, token=TOKEN), time.monotonic) as client:
        return await client.post(b"{}", limit, token=token, hang_up=hang_up)


@pytest.mark.parametrize(
    ("token", "sent"),
    [(Token.RIGHT, TOKEN), (Token.CUT, TOKEN[:-1]), (Token.WRONG, "wrong-" + "0" * 26), (Token.MISSING, None)],
)
async def test_it_sends_the_documented_headers(token: Token, sent: str | None) -> None:
    requests: list[web.Request] = []

    async def serve(request: web.Request) -> web.Response:
        requests.append(request)
        return web.Response(body=await request.read())

    exchange = await post(serve, token=token)

    assert exchange.answer == Answer(200, b"{}")
    assert exchange.why == ""
    headers = requests[0].headers
    assert (headers["Accept"], headers["Content-Type"]) == ("application/json", "application/json")
    assert headers.get("Callback-Token") == sent


async def test_it_follows_no_redirect() -> None:
    """The token is for one URL only."""
    visits = []

    async def serve(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    exchange = await post(serve)

    assert exchange.answer == Answer(307, b"")
    assert visits == ["/callback"]


async def test_it_keeps_no_more_of_a_body_than_the_limit() -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (BODY_BYTES_MAX * 20))

    exchange = await post(serve)

    assert exchange.answer == Answer(200, b"x" * (BODY_BYTES_MAX + 1))


async def test_a_late_answer_is_none() -> None:
    async def serve(_: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response()

    exchange = await post(serve, limit=0.05)

    assert (exchange.answer, exchange.failure) == (None, Failure.LATE)
    assert exchange.why == "no answer within the limit: waited 0.05 s"
    assert exchange.seconds >= 0.05


async def test_a_body_that_stops_midway_is_none() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    exchange = await post(serve)

    assert (exchange.answer, exchange.failure) == (None, Failure.BROKEN)
    assert exchange.why.startswith("the connection broke: ")


async def test_nobody_is_there() -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(serve) as url:
        pass
    async with Client(Plan(url=url, token=TOKEN), time.monotonic) as client:
        exchange = await client.post(b"{}", 1.0)

    assert (exchange.answer, exchange.failure) == (None, Failure.UNREACHABLE)


@pytest.mark.parametrize("insecure", [False, True])
async def test_a_certificate_must_be_good_unless_told_otherwise(tmp_path: Path, insecure: bool) -> None:  # noqa: FBT001 - a table
    pair = Authority(tmp_path).sign("server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)

    async def serve(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(serve, tls) as url:
        plan = Plan(url=url, token=TOKEN, verify_tls=not insecure)
        async with Client(plan, time.monotonic) as client:
            exchange = await client.post(b"{}", 5.0)

    assert exchange.failure is (None if insecure else Failure.UNREACHABLE)
    assert ("certificate verify failed" in exchange.why.lower()) is not insecure


async def test_it_hangs_up_on_purpose() -> None:
    """Also if the answer was quicker: the next call has to show what came of this one."""
    requests = []

    async def serve(request: web.Request) -> web.Response:
        requests.append(request.path)
        return web.Response()

    exchange = await post(serve, hang_up=True)

    assert (exchange.answer, exchange.failure) == (None, Failure.HUNG_UP)
    assert exchange.seconds < 1


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        TOKEN[:-1],
        f'{{"token":"{TOKEN}"}}',
        "a-token\\/that-nobody<may>see-1".replace("\\/", "/"),
        "a-token%2Fthat-nobody%3Cmay%3Esee-1",
        "a-token/that-nobody&lt;may&gt;see-1",
    ],
)
async def test_the_token_is_taken_out_in_every_spelling(text: str) -> None:
    async with Client(Plan(url="http://127.0.0.1/callback", token=TOKEN), time.monotonic) as client:
        shown = client.redact(f"before {text} after")

    assert "***" in shown
    assert "nobody" not in shown


async def test_a_short_token_is_no_part_of_other_words() -> None:
    async with Client(Plan(url="http://127.0.0.1/callback", token="tok"), time.monotonic) as client:  # noqa: S106
        assert client.redact('missing token, got "tok"') == 'missing token, got "***"'


async def test_the_url_is_shown_without_secrets() -> None:
    url = f"http://user:password@127.0.0.1/callback?token={TOKEN}"
    async with Client(Plan(url=url, token=TOKEN), time.monotonic) as client:
        assert client.url == "http://127.0.0.1/callback?token=***"

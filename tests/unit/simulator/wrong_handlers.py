"""
A small correct callback server in memory, and variations of it that each break one rule of the protocol.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from walletbridge.protocol.callbacks import (
    Authenticate,
    BadCallback,
    Balance,
    Bet,
    Callback,
    Cancel,
    Status,
    Win,
    decode,
)
from walletbridge.protocol.money import format_minor

TOKEN = "a-token/that-nobody<may>see-1"  # noqa: S105 - of a server that lives for one test

type Document = dict[str, Any]


class _Number(str):
    """The text of a JSON number."""

    __slots__ = ()


@dataclass
class Moved:
    """A transaction as the server remembers it."""

    account: str
    delta: int
    canceled: bool = False


@dataclass
class Handler:
    """The correct server: checks, movement and record are one step, as nothing in it awaits."""

    balances: dict[str, int] = field(default_factory=lambda: {"test1234": 500000})
    """In hundredths."""
    inactive: set[str] = field(default_factory=set)
    moved: dict[str, Moved] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    """Transactions whose cancel came first."""
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append(body)
        if not self.is_right_token(request.headers.getall("Callback-Token", [])):
            return self.respond({"result": 100, "status": "ERROR"})
        try:
            callback = decode(body, currency_decimals=2)
        except BadCallback as error:
            return web.json_response({"result": 99, "status": "ERROR", "message": str(error)}, status=400)
        await self.before(callback)
        return self.respond(self.answer(callback))

    def count_of(self, command: str) -> int:
        """How many calls of `command` came."""
        return sum(f'"command":"{command}"'.encode() in body for body in self.requests)

    def is_right_token(self, tokens: list[str]) -> bool:
        return tokens == [TOKEN]

    async def before(self, callback: Callback) -> None:
        """Nothing; variations wait."""

    def respond(self, document: Document) -> web.Response:
        text = json.dumps(_marked(document)).replace('"<', "").replace('>"', "")
        return web.Response(text=text, content_type="application/json")

    def answer(self, callback: Callback) -> Document:
        if callback.account not in self.balances:
            return self.error(21, callback)
        if callback.account in self.inactive and 22 in callback.checks:
            return self.error(22, callback)
        return self.command(callback)

    def command(self, callback: Callback) -> Document:
        match callback:
            case Bet():
                return self.bet(callback)
            case Win():
                return self.win(callback)
            case Cancel():
                return self.cancel(callback)
            case Status():
                return self.status(callback)
            case Authenticate():
                return self.ok(callback, account=callback.account)
            case Balance():
                return self.ok(callback)

    def ok(self, callback: Callback, **data: Any) -> Document:
        return {"result": 0, "status": "OK", "data": data | {"balance": self.balance_of(callback)}}

    def error(self, result: int, callback: Callback) -> Document:
        document: Document = {"result": result, "status": "ERROR"}
        return document if result in {21, 22} else document | {"data": {"balance": self.balance_of(callback)}}

    def balance_of(self, callback: Callback) -> Any:
        return self.number(self.balances[callback.account])

    def number(self, minor: int) -> Any:
        return _Number(format_minor(minor, 2))

    def bet(self, callback: Bet) -> Document:
        if callback.trans_key in self.moved:
            return self.repeated(callback)
        if callback.amount > self.balances[callback.account]:
            return self.error(31, callback)
        if callback.trans_key in self.barred:
            return self.error(99, callback)
        return self.move(callback, -callback.amount)

    def win(self, callback: Win) -> Document:
        if callback.trans_key in self.moved:
            return self.repeated(callback)
        return self.move(callback, callback.amount)

    def repeated(self, callback: Bet | Win) -> Document:
        return self.error(41, callback)

    def move(self, callback: Bet | Win, delta: int) -> Document:
        self.moved[callback.trans_key] = Moved(callback.account, delta)
        self.balances[callback.account] += delta
        return self.ok(callback)

    def cancel(self, callback: Cancel) -> Document:
        moved = self.moved.get(callback.trans_key)
        if moved is None:
            self.barred.add(callback.trans_key)
            return self.error(42, callback)
        if not moved.canceled:
            moved.canceled = True
            self.take_back(moved)
        return self.ok(callback)

    def take_back(self, moved: Moved) -> None:
        self.balances[moved.account] -= moved.delta

    def status(self, callback: Status) -> Document:
        moved = self.moved.get(callback.trans_key)
        if moved is None:
            return self.error(42, callback)
        state = "CANCELED" if moved.canceled else "OK"
        return {"result": 0, "status": "OK", "data": {"trans_id": callback.trans_id, "trans_status": state}}


def _marked(value: Any) -> Any:
    """`value` with its numbers marked, so that they can stand in the JSON text as they are."""
    if isinstance(value, _Number):
        return f"<{value}>"
    return {key: _marked(child) for key, child in value.items()} if isinstance(value, dict) else value


class RefundsTwice(Handler):
    """A cancel that is repeated gives the stake back again."""

    def cancel(self, callback: Cancel) -> Document:
        moved = self.moved.get(callback.trans_key)
        if moved is not None and moved.canceled:
            self.take_back(moved)
        return super().cancel(callback)


class CoversFirst(Handler):
    """31 before 41."""

    def bet(self, callback: Bet) -> Document:
        if callback.amount > self.balances[callback.account]:
            return self.error(31, callback)
        return super().bet(callback)


class WritesText(Handler):
    """The balance is a string."""

    def number(self, minor: int) -> Any:
        return format_minor(minor, 2)


class WritesNull(Handler):
    """Errors without a balance have `"data": null`."""

    def error(self, result: int, callback: Callback) -> Document:
        return {"data": None} | super().error(result, callback)


class TwoLs(Handler):
    """CANCELLED."""

    def status(self, callback: Status) -> Document:
        document = super().status(callback)
        if document["data"].get("trans_status") == "CANCELED":
            document["data"]["trans_status"] = "CANCELLED"
        return document


class FailedThoughMade(Handler):
    """Every third bet is answered 99, and made all the same."""

    def bet(self, callback: Bet) -> Document:
        document = super().bet(callback)
        if document["result"] == 0 and len(self.moved) % 3 == 0:
            return {"result": 99, "status": "ERROR", "data": {"balance": self.number(self.balances[callback.account])}}
        return document


class FailedThoughMadeLater(FailedThoughMade):
    """The same, and the answer has the balance of before."""

    def bet(self, callback: Bet) -> Document:
        before = self.number(self.balances[callback.account])
        document = super().bet(callback)
        if document["result"] == 99:
            document["data"]["balance"] = before
        return document


class AnyToken(Handler):
    """The token is not checked."""

    def is_right_token(self, tokens: list[str]) -> bool:  # noqa: ARG002 - that is the mistake
        return True


class TokenByPrefix(Handler):
    """A token that is cut is taken for the right one."""

    def is_right_token(self, tokens: list[str]) -> bool:
        return len(tokens) == 1 and TOKEN.startswith(tokens[0])


class PaysCanceledWin(Handler):
    """A cancel of a win pays it again."""

    def take_back(self, moved: Moved) -> None:
        self.balances[moved.account] += abs(moved.delta)


class Late(Handler):
    """Bets take as long as the handler is told."""

    seconds = 0.0

    async def before(self, callback: Callback) -> None:
        if isinstance(callback, Bet):
            await asyncio.sleep(self.seconds)


class DebitsTwice(Handler):
    """A repeated bet is answered 41, and debited."""

    def repeated(self, callback: Bet | Win) -> Document:
        if isinstance(callback, Bet):
            self.balances[callback.account] -= min(callback.amount, self.balances[callback.account])
        return super().repeated(callback)


class EchoesText(Handler):
    """The trans_id is echoed as a string."""

    def status(self, callback: Status) -> Document:
        document = super().status(callback)
        if "trans_id" in document["data"]:
            document["data"]["trans_id"] = str(callback.trans_id)
        return document


class RefusesLosses(Handler):
    """A win of 0 is answered 99."""

    def win(self, callback: Win) -> Document:
        return super().win(callback) if callback.amount else self.error(99, callback)


class FloatNoise(Handler):
    """Balances are computed in binary fractions."""

    def number(self, minor: int) -> Any:
        return _Number(repr(minor / 100 + 1e-10))


class PaysTwice(Handler):
    """A repeated win is answered 0, and paid."""

    def repeated(self, callback: Bet | Win) -> Document:
        return self.move(callback, callback.amount) if isinstance(callback, Win) else super().repeated(callback)


class Html(Handler):
    """HTTP 200, and a page."""

    def respond(self, document: Document) -> web.Response:
        return web.Response(text=f"<html>{document['result']} for {TOKEN}</html>", content_type="text/html")


class HtmlForWins(Html):
    """The same, for wins alone: they are made."""

    def answer(self, callback: Callback) -> Document:
        return super().answer(callback) | {"page": isinstance(callback, Win)}

    def respond(self, document: Document) -> web.Response:
        return super().respond(document) if document.pop("page", False) else Handler.respond(self, document)


class Racing(Handler):
    """Bets are looked up, and made a moment later: the same bet several times at once is made several times."""

    async def serve(self, request: web.Request) -> web.Response:
        callback = _decoded(await request.read())
        if isinstance(callback, Bet) and callback.trans_key not in self.moved and self._covers(callback):
            await asyncio.sleep(0.05)
            self.moved.pop(callback.trans_key, None)
        return await super().serve(request)

    def _covers(self, callback: Bet) -> bool:
        return self.balances.get(callback.account, 0) >= callback.amount


class ForgetsCancels(Handler):
    """A bet that comes after its cancel is made."""

    def cancel(self, callback: Cancel) -> Document:
        document = super().cancel(callback)
        self.barred.clear()
        return document


class WithoutTransactions(Handler):
    """An unknown transaction is cancelled with success."""

    def cancel(self, callback: Cancel) -> Document:
        return self.ok(callback) if callback.trans_key not in self.moved else super().cancel(callback)


class DefiniteIs400(Handler):
    """Refusals are HTTP 400."""

    def respond(self, document: Document) -> web.Response:
        response = super().respond(document)
        if document["result"]:
            response.set_status(400)
        return response


class BalanceBefore(Handler):
    """A bet is answered with the balance of before; the money is right."""

    def bet(self, callback: Bet) -> Document:
        before = self.number(self.balances[callback.account])
        document = super().bet(callback)
        document["data"]["balance"] = before
        return document


class TakesNegativeAmounts(Handler):
    """A bet of a negative amount pays it out."""

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        if b'"amount":-' in body and TOKEN in request.headers.getall("Callback-Token", []):
            callback = decode(body.replace(b'"amount":-', b'"amount":'), currency_decimals=2)
            assert isinstance(callback, Bet | Win)
            return self.respond(self.move(callback, callback.amount if isinstance(callback, Bet) else -callback.amount))
        return await super().serve(request)


class Flaky(Handler):
    """Correct, but every fifth movement, cancel or status is answered 500 or cut off, be it made or not."""

    count = 0

    async def serve(self, request: web.Request) -> web.Response:
        callback = _decoded(await request.read())
        if callback is None or isinstance(callback, Authenticate | Balance):
            return await super().serve(request)
        self.count += 1
        if self.count % 5:
            return await super().serve(request)
        if self.count % 2:
            await super().serve(request)
        if not self.count % 3 and request.transport is not None:
            request.transport.close()
        return web.Response(status=500)


class Scripted(Handler):
    """Correct, but for calls that are answered with an HTTP status that was written down, and not made."""

    def __init__(self, **statuses: list[int]) -> None:
        super().__init__()
        self._statuses = statuses
        self.asked: list[str] = []

    def script(self, command: str, *statuses: int) -> None:
        """The HTTP statuses of the next calls."""
        self._statuses[command] = list(statuses)

    def land(self, key: str, delta: int) -> None:
        """A movement is made after all."""
        self.moved[key] = Moved("test1234", delta)
        self.balances["test1234"] += delta

    async def serve(self, request: web.Request) -> web.Response:
        callback = _decoded(await request.read())
        if callback is None:
            return await super().serve(request)
        self.asked.append(callback.command)
        statuses = self._statuses.get(callback.command, [])
        return web.Response(status=statuses.pop(0)) if statuses else await super().serve(request)


def _decoded(body: bytes) -> Callback | None:
    try:
        return decode(body, currency_decimals=2)
    except BadCallback:
        return None


type Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler | Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serves `handler` at the URL that it gives."""
    application = web.Application()
    application.router.add_post("/callback", handler.serve if isinstance(handler, Handler) else handler)
    runner = web.AppRunner(application, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}/callback"
    finally:
        await runner.cleanup()


@contextmanager
def serving_in_thread(handler: Handler | Serve) -> Iterator[str]:
    """The same in a loop of its own, for tests of what runs a loop itself."""
    urls: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with serving(handler) as url:
            urls.append(url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()

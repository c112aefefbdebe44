"""
A wallet as a program whose faults are chosen from outside. `python -m` starts it with an Order as JSON.

Each line on stdin is the Mood from now on, as a JSON object; the end of stdin is the end of the program. On stdout it
says, in lines of JSON, what it was asked, what it made and what went wrong.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Protocol, cast

import grpc
import msgspec
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.examples.server import Declined, WalletServer
from tests.money.faults.mood import Mood
from tests.money.faults.plan import LATE_SECONDS_MAX, WalletFault, draw
from tests.money.faults.replica import Replica

from walletbridge.demo.ledger import Ledger
from walletbridge.demo.wallet import Abort, DemoWallet
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

EXIT_CODE = 17
"""Of a planned death."""
_BIND_TRIES = 50
_NO_CHECK = 9999
"""A check that no wallet knows: the ledger refuses with 99 and moves nothing."""
_UNLISTED_OUTCOME = 77
_MOVEMENTS = {"bet": "PlaceBet", "win": "SettleWin"}
_ABORTS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve, and where."""

    port: int
    db: str
    seed: int
    start: int
    """How often it was started before: other faults meet the same calls then."""
    wallet: str = ""
    """The example to play; the demo wallet where there is none."""
    remembers_cancels: bool
    """Of the demo wallet."""
    scale: float
    """By what all times are divided."""
    refuses_late_seconds: int | None = None
    """Of the demo wallet: after so long it refuses what was requested."""
    mood: Mood
    """How it is to begin with."""


class Words(Protocol):
    """What a fault must know of the words in which a wallet speaks."""

    reads: ClassVar[frozenset[str]]
    """The methods that never move money."""

    def asked(self, request: Any) -> tuple[str, str]:
        """The account of a request and its transaction, empty where it has none."""

    def plays(self, method: str, request: Any) -> str:
        """`bet` or `win`, or something else for a call that is neither."""

    def outcome(self, request: Any, response: Any) -> int:
        """What a bet or win came to, in the numbers of wallet.v1."""

    def unlisted(self, method: str, response: Any) -> Message:
        """The response, saying something that the contract does not know; may raise Abort or the like."""


class DemoWords:
    """Those of wallet.v1."""

    reads: ClassVar[frozenset[str]] = frozenset({"Authenticate", "GetBalance", "GetTransactionStatus"})

    def asked(self, request: Any) -> tuple[str, str]:
        return request.account, str(getattr(request, "trans_id", ""))

    def plays(self, method: str, request: Any) -> str:
        del request
        return {"PlaceBet": "bet", "SettleWin": "win"}.get(method, "")

    def outcome(self, request: Any, response: Any) -> int:
        del request
        return int(response.outcome)

    def unlisted(self, method: str, response: Any) -> Message:
        del method
        response.outcome = _UNLISTED_OUTCOME
        return cast("Message", response)


class Faults:
    """See `walletbridge.demo.wallet.Fault`."""

    def __init__(self, order: Order, words: Words) -> None:
        self._words = words
        self.mood = order.mood
        self._replica = Replica(Path(order.db))
        self._scale = order.scale
        self._seed = f"wallet:{order.seed}:{order.start}"
        self._calls: dict[tuple[str, str], int] = {}
        self._start = order.start
        self._chosen: dict[int, tuple[str, WalletFault | None, Random]] = {}
        """By the request's identity: it is the same object before and after."""

    async def before(self, method: str, request: Any) -> None:
        """What happens ahead of the ledger."""
        call, fault, random = self._choose(method, request)
        self._tell("asked", method, request, call=call, fault=fault)
        kind = self._kind(method, request)
        if kind and kind == self.mood.hangs:
            await asyncio.Event().wait()
        if self.mood.seconds:
            await asyncio.sleep(self.mood.seconds / self._scale)
        match fault:
            case WalletFault.SLOW:
                await asyncio.sleep(random.uniform(0.1, 2.5) / self._scale)
            case WalletFault.LATE:
                await asyncio.sleep(random.uniform(2, LATE_SECONDS_MAX) / self._scale)
            case WalletFault.HANG_BEFORE:
                await asyncio.Event().wait()
            case WalletFault.ABORT_BEFORE:
                raise Abort(random.choice(_ABORTS))
            case WalletFault.EXIT_BEFORE:
                os._exit(EXIT_CODE)
            case WalletFault.REFUSE if kind:
                if not isinstance(self._words, DemoWords):
                    self._tell("made", method, request, call=call, fault=fault, outcome=v1.OUTCOME_FAILED)
                    raise Declined
                request.checks.insert(0, _NO_CHECK)
            case _:
                pass

    async def after(self, method: str, request: Any, response: Any) -> Message:
        """What happens behind the ledger's commit."""
        call, fault, random = self._chosen.pop(id(request))
        outcome = self._words.outcome(request, response)
        self._tell("made", method, request, call=call, fault=fault, outcome=outcome)
        if method == "GetTransactionStatus" and self.mood.lag:
            self._replica.answer(request.trans_id, response, seconds=self.mood.lag / self._scale)
        match fault:
            case WalletFault.HANG_AFTER:
                await asyncio.Event().wait()
            case WalletFault.ABORT_AFTER:
                raise Abort(random.choice(_ABORTS))
            case WalletFault.EXIT_AFTER:
                os._exit(EXIT_CODE)
            case WalletFault.GARBAGE:
                return cast("Message", b"\xff\xff\xff")
            case WalletFault.UNLISTED:
                return self._words.unlisted(method, response)
            case _:
                pass
        return cast("Message", response)

    def _choose(self, method: str, request: Any) -> tuple[str, WalletFault | None, Random]:
        """The call's name in its transaction. The same one of the same run meets the same fault, whatever the order."""
        account, trans_id = self._words.asked(request)
        key = (method, trans_id or account)
        number = self._calls[key] = self._calls.get(key, 0) + 1
        random = Random(f"{self._seed}:{key}:{number}")  # noqa: S311 - to be repeated, not to be secret
        fault = draw(self.mood.faults, random)
        if self.mood.refuses and self._kind(method, request):
            fault = WalletFault.REFUSE
        chosen = self._chosen[id(request)] = (f"{self._start}.{number}", fault, random)
        return chosen

    def _kind(self, method: str, request: Any) -> str:
        """`bet`, `win` or `cancel`; empty for what moves no money."""
        if method in self._words.reads:
            return ""
        kind = self._words.plays(method, request)
        return kind if kind in _MOVEMENTS else "cancel"

    def _tell(self, event: str, method: str, request: Any, **fields: object) -> None:
        """Bets and wins go by wallet.v1's methods, whatever the wallet."""
        account, trans_id = self._words.asked(request)
        name = _MOVEMENTS.get(self._words.plays(method, request), method)
        say(event, method=name, account=account, trans_id=trans_id, **fields)


class FaultyWallet(DemoWallet):
    """A wallet that can answer with bytes that are no message."""

    def _handler(self, method: MethodDescriptor) -> Any:
        handler = super()._handler(method)
        serialize = handler.response_serializer
        return handler._replace(response_serializer=lambda said: said if isinstance(said, bytes) else serialize(said))


async def serve(order: Order) -> None:
    """Serves until stdin ends."""
    wallet, faults = _wallet(order)
    await _start(wallet, order.port)
    say("ready", port=order.port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        faults.mood = msgspec.json.decode(line, type=Mood)
        say("faults", shares=faults.mood.shares)
    os._exit(0)


def _wallet(order: Order) -> tuple[DemoWallet | WalletServer, Faults]:
    if order.wallet:
        example = WALLETS[order.wallet](Books(order.db))
        faults = Faults(order, example)
        return WalletServer(example, fault=faults), faults
    faults = Faults(order, DemoWords())
    ledger = Ledger(
        Path(order.db), remembers_cancels=order.remembers_cancels, late_after_seconds=order.refuses_late_seconds
    )
    return FaultyWallet(ledger, fault=faults), faults


async def _start(wallet: DemoWallet | WalletServer, port: int) -> None:
    for left in reversed(range(_BIND_TRIES)):
        try:
            await wallet.start(f"127.0.0.1:{port}")
        except OSError:
            if not left:
                raise
            await asyncio.sleep(0.1)
        else:
            return


def say(event: str, **fields: object) -> None:
    """Writes a line that survives whatever comes next."""
    os.write(1, json.dumps({"timestamp": time.time(), "event": event, **fields}).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=Order)))

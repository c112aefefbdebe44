"""One callback of each kind, for a gateway whose wallet a test decides about."""

import asyncio
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from tests.support.callbacks import body, make_callback
from tests.support.processes import TOKEN, RunningWallet, Script, headers, running_wallet
from tests.system.helpers import until

PLAYER = "test1234"
BET = make_callback("bet", amount=10)
LATE = make_callback("bet", trans_id=8, account="slow")
SENT: Sequence[tuple[dict[str, Any], str]] = (
    (make_callback("authenticate"), TOKEN),
    (make_callback("balance"), TOKEN),
    (BET, TOKEN),
    (BET, TOKEN),
    (make_callback("win", trans_id=6, amount=25), TOKEN),
    (make_callback("bet", trans_id=2, amount=10**6), TOKEN),
    (make_callback("bet", trans_id=3, account="nobody"), TOKEN),
    (make_callback("bet", trans_id=4, account="asleep"), TOKEN),
    (make_callback("cancel", trans_id=5), TOKEN),
    (make_callback("status"), TOKEN),
    (make_callback("status"), TOKEN),
    (BET, f"not-{TOKEN}"),
    (make_callback("bet", trans_id=7, amount=-1), TOKEN),
    (LATE, TOKEN),
)
# The console has less room than a browser and leaves out the method and the budget first.
SHOWN = (
    r"authenticate test1234 -> 0 balance 1000 \| (Authenticate )?\d+ ms( of 3750)?",
    r"balance test1234 -> 0 balance 1000 \| (GetBalance )?\d+ ms( of 1750)?",
    r"bet test1234 10 #1676358190 -> 0 balance 990 \| (PlaceBet )?\d+ ms( of 1750)?",
    r"bet test1234 10 #1676358190 -> 41 duplicate, balance 990 \| (PlaceBet )?\d+ ms( of 1750)?",
    r"win test1234 25 #6 -> 0 balance 1015 \| (SettleWin )?\d+ ms( of 3750)?",
    r"bet test1234 1000000 #2 -> 31 no funds, balance 1015 \| (PlaceBet )?\d+ ms( of 1750)?",
    r"bet nobody 1000 #3 -> 21 no such player \| (PlaceBet )?\d+ ms( of 1750)?",
    r"bet asleep 1000 #4 -> 22 player inactive \| (PlaceBet )?\d+ ms( of 1750)?",
    r"cancel test1234 #5 -> 42 not found, balance 1015 \| (CancelTransaction )?\d+ ms",
    r"status test1234 #1676358190 -> 0 OK \| (GetTransactionStatus )?\d+ ms",
    r"status test1234 #1676358190 -> 0 OK \| (cache hit )?\d+ ms( of 3750)?",
    r"wrong token -> 100",
    r"bad request -> 400 \$.data.amount: must not be negative",
    r"bet slow 1000 #8 -> 500 DEADLINE_EXCEEDED \| (PlaceBet )?\d{4} ms( of 1750)?",
)


class Listening(Script):
    """Keeps what the wallet was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    async def before(self, method: str, request: Message) -> None:
        self.requests.append(request)
        await super().before(method, request)


@contextmanager
def threaded_wallet(folder: Path) -> Iterator[tuple[int, Listening]]:
    """A wallet beside a test that does not wait for it; its port, and what it hears."""
    started, ended = threading.Event(), threading.Event()
    script, ports = Listening(), []

    async def serve() -> None:
        async with running_wallet(folder, PLAYER, script=script) as wallet:
            _prepare(wallet)
            ports.append(wallet.port)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(30)
        yield ports[0], script
    finally:
        ended.set()
        thread.join()


def send(url: str, callback: dict[str, Any], token: str = TOKEN) -> tuple[int, bytes]:
    """Sends one callback; 0 where the connection ended."""
    request = urllib.request.Request(url, body(callback), headers(token))  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def send_all(url: str) -> None:
    """One of each. Until the gateway has found its wallet, its first may be unknown."""
    until(lambda: send(url, make_callback("balance"))[0] == 200)
    for callback, token in SENT:
        send(url, callback, token)


class Sending:
    """A callback that somebody holds: it is answered when they let go."""

    def __init__(self, url: str, callback: dict[str, Any]) -> None:
        self.answer: tuple[int, bytes] | None = None
        self._thread = threading.Thread(target=self._send, args=(url, callback))
        self._thread.start()

    def wait(self) -> tuple[int, bytes]:
        """The answer."""
        self._thread.join(60)
        assert self.answer is not None
        return self.answer

    def _send(self, url: str, callback: dict[str, Any]) -> None:
        self.answer = send(url, callback)


def until_shown(text: Callable[[], str]) -> None:
    """Waits until all of SHOWN is in the text. Raises TimeoutError with what is not."""

    def missing() -> list[str]:
        shown = text()
        return [pattern for pattern in SHOWN if not re.search(pattern, shown)]

    try:
        until(lambda: not missing())
    except TimeoutError:
        raise TimeoutError(f"{missing()} in {text()}") from None


def write_config(folder: Path, *, listen: str, wallet_port: int, ui: str = "127.0.0.1:0") -> Path:
    """Settings for a gateway."""
    config = folder / "walletbridge.yaml"
    settings = {"listen": listen, "wallet": {"target": f"127.0.0.1:{wallet_port}"}, "ui": {"listen": ui}}
    config.write_text(json.dumps(settings))
    return config


def _prepare(wallet: RunningWallet) -> None:
    wallet.ledger.add_player("asleep", 1000, active=False)
    wallet.ledger.add_player("slow", 100_000)
    wallet.script.seconds["slow"] = 3

"""
A wallet of any kind with `walletbridge serve` in front of it, on real sockets, and all that a test may look at.
"""

import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
from click.testing import CliRunner
from google.protobuf.message import Message
from tests.examples import audit
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.examples.protos import EXAMPLES
from tests.examples.server import WalletServer
from tests.money.faults import books
from tests.money.faults.books import Entry
from tests.money.faults.wallet_process import DemoWords, FaultyWallet, Words
from tests.support.processes import TOKEN, Way, arguments, end_of, post, running, write_settings

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.demo.ledger import Ledger
from walletbridge.demo.once import forget
from walletbridge.demo.wallet import DemoWallet
from walletbridge.journal.command import journal

WALLET_V1 = "wallet.v1"
ALL = (WALLET_V1, *WALLETS)
"""wallet.v1 and the examples."""
JOURNAL = "walletbridge.db"

type Say = Callable[[str, Any], Message]
"""What a method answers instead of its response; may raise Abort or Refused."""


@dataclass(slots=True)
class Script:
    """What the wallet says instead of what it would say. See `walletbridge.demo.wallet.Fault`."""

    say: Say | None = None
    """What has been done by then stays done."""
    silent_on: frozenset[str] = frozenset()
    """Methods to which it does not apply."""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    """What the wallet was asked."""

    async def before(self, method: str, request: Message) -> None:
        """Runs before the ledger is asked."""
        self.calls.append((method, request))

    async def after(self, method: str, request: Message, response: Message) -> Message:
        """Runs after the ledger's commit."""
        del request
        return self.say(method, response) if self.say and method not in self.silent_on else response

    def be_honest(self) -> None:
        """From now on the wallet says what it would say."""
        self.say, self.silent_on = None, frozenset()
        self.calls.clear()


@dataclass(frozen=True, slots=True)
class WalletAtWork:
    """A wallet that listens."""

    name: str
    port: int
    ledger: Ledger | Books
    words: Words
    script: Script

    @property
    def settings(self) -> dict[str, Any]:
        """The section `wallet` of the gateway's settings."""
        target = {"target": f"127.0.0.1:{self.port}"}
        if self.name == WALLET_V1:
            return target
        return {**target, "mapping": str(EXAMPLES / self.name / "mapping.yaml")}

    def add_past(self, trans_id: str, account: str, kind: str, amount: int, *, canceled: bool) -> None:
        """A transaction of the past, of a wallet that keeps them."""
        if isinstance(self.ledger, Ledger):
            self.ledger.add_transaction(trans_id, account, kind, amount, canceled=canceled)
        else:
            delta = -amount if kind == "bet" else amount
            self.ledger.add_past(account, trans_id, kind, delta, is_undone=canceled)

    def balance(self, account: str) -> int:
        """In minor units."""
        if isinstance(self.ledger, Books):
            return self.ledger.balances()[account][0]
        return int(next(row["balance_minor"] for row in self.ledger.dump()["players"] if row["account"] == account))

    def entries(self) -> tuple[Mapping[str, Entry], list[tuple[str, str]]]:
        """Its transactions, and what is wrong with them whatever anybody else says."""
        if isinstance(self.ledger, Ledger):
            dump = self.ledger.dump()
            return books.entries_of(dump), list(books.sums(dump))
        booked, wallet = self.ledger.entries(), WALLETS[self.name](self.ledger)
        entries, wrong = audit.entries_of((wallet.movement(entry), entry) for entry in booked)
        return entries, [*wrong, *audit.sums(self.ledger.balances(), booked)]


@dataclass(frozen=True, slots=True)
class House:
    """A wallet, a gateway process in front of it, and a client."""

    wallet: WalletAtWork
    gateway: GatewayProcess
    config: Path
    client: aiohttp.ClientSession

    async def post(self, callback: dict[str, Any] | bytes, *, token: str = TOKEN) -> tuple[int, bytes]:
        """Sends a callback; returns the status and the body of the answer."""
        return await post(self.client, self.gateway.url, callback, token=token)

    def forget_all(self) -> None:
        """Another past: nobody has played yet, and the wallet is honest."""
        self.wallet.script.be_honest()
        self.wallet.ledger.clear()
        forget(self.config.parent / JOURNAL)

    def unsettled(self) -> dict[str, Any]:
        """What `walletbridge journal list` lists, by transaction."""
        listed = CliRunner().invoke(journal, ["list", "--config", str(self.config), "--json"])
        assert listed.exit_code == 0, listed.output
        return {row["trans_id"]: row for row in json.loads(listed.output)}

    def resolve(self, trans_id: str, decision: str) -> None:
        """`walletbridge journal resolve`."""
        number = self.unsettled()[trans_id]["id"]
        command = ["resolve", str(number), "--as", decision, "--yes", "--config", str(self.config)]
        settled = CliRunner().invoke(journal, command)
        assert settled.exit_code == 0, settled.output

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Runs `walletbridge` to its end; its exit code and all that it printed."""
        return await end_of([sys.executable, "-m", "walletbridge", *arguments], self.config.parent)


@asynccontextmanager
async def running_wallet(name: str, db: Path) -> AsyncIterator[WalletAtWork]:
    """The wallet of that name: WALLET_V1 or an example."""
    script = Script()
    ledger: Ledger | Books = Ledger(db) if name == WALLET_V1 else Books(db)
    with closing(ledger):
        server, words = _server(name, ledger, script)
        port = await server.start("127.0.0.1:0")
        try:
            yield WalletAtWork(name, port, ledger, words, script)
        finally:
            await server.stop()


@asynccontextmanager
async def running_house(name: str, folder: Path, **sections: Any) -> AsyncIterator[House]:
    """The wallet of that name behind a gateway whose settings have these sections."""
    async with running_wallet(name, folder / "wallet.db") as wallet:
        settings = {**sections, "wallet": {**wallet.settings, **sections.get("wallet", {})}}
        config = write_settings(folder, wallet_port=wallet.port, **settings)
        async with running(arguments(Way.SERVE, config), folder) as gateway, aiohttp.ClientSession() as client:
            yield House(wallet, gateway, config, client)


def _server(name: str, ledger: Ledger | Books, script: Script) -> tuple[DemoWallet | WalletServer, Words]:
    if isinstance(ledger, Ledger):
        return FaultyWallet(ledger, fault=script), DemoWords()
    wallet = WALLETS[name](ledger)
    return WalletServer(wallet, fault=script), cast("Words", wallet)

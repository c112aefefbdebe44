"""
`walletbridge demo --once`: sends every documented callback over real HTTP and gRPC, and prints a table of results.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from walletbridge.demo.cases import Case, documented_cases
from walletbridge.demo.gateway_process import running_gateway
from walletbridge.demo.ledger import Ledger
from walletbridge.demo.wallet import DemoWallet
from walletbridge.journal.clock import journal_clock
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name

TOKEN_VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"  # noqa: S105 - the name of a variable
MINOR_UNITS = 100
"""The demo's currency has two decimals."""
WIDTH = 150
"""Columns of the table if the output is not a terminal."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A case and its actual answer."""

    case: Case
    wallet_call: str
    http_status: int
    body: bytes

    @property
    def is_right(self) -> bool:
        """Whether the answer equals the documented one, byte for byte."""
        return (self.http_status, self.body) == (self.case.http_status, self.case.answer_bytes)


class _Recorder:
    """Records the wallet's calls as text."""

    def __init__(self) -> None:
        self.text = ""

    async def before(self, method: str, request: Message) -> None:
        self.text = f"{method} {_words(request)}"

    async def after(self, method: str, request: Message, response: Message) -> Message:
        del method, request
        self.text += f"\n→ {_words(response)}"
        return response


async def run_once() -> int:
    """Runs all cases and prints the table. Returns the exit code: 0 if all answers are the documented ones, else 1."""
    with TemporaryDirectory(prefix="walletbridge-") as folder:
        ran = await _run(Path(folder))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(_table(ran))
    right = sum(one.is_right for one in ran)
    console.print(f"{right} of {len(ran)} answers are the documented ones.")
    return 0 if right == len(ran) else 1


async def _run(folder: Path) -> list[Ran]:
    recorder = _Recorder()
    ledger = Ledger(folder / "wallet.db")
    wallet = DemoWallet(ledger, fault=recorder)
    port = await wallet.start("127.0.0.1:0")
    config = folder / "walletbridge.yaml"
    # Each case gives the wallet another past, so the gateway must not remember the previous case.
    cache = "status_cache: {size: 0}"
    config.write_text(f"listen: 127.0.0.1:0\nwallet: {{target: '127.0.0.1:{port}'}}\n{cache}\n")
    token = secrets.token_urlsafe()

    async def run(case: Case, client: aiohttp.ClientSession, url: str) -> Ran:
        set_up(ledger, case)
        forget(folder / "walletbridge.db")
        recorder.text = ""
        headers = {"Callback-Token": token if case.has_token else "wrong"}
        async with client.post(url, json=case.request, headers=headers) as response:
            return Ran(case, recorder.text, response.status, await response.read())

    try:
        async with running_gateway(config, {TOKEN_VARIABLE: token}) as gateway, aiohttp.ClientSession() as client:
            return [await run(case, client, gateway.url) for case in documented_cases()]
    finally:
        await wallet.stop(0)
        ledger.close()


def forget(journal: Path) -> None:
    """Clears the journal: the gateway forgets the previous case."""
    store = Store(journal, worker_name(), journal_clock())
    with store.transaction():
        store.clear()
    store.close()


def set_up(ledger: Ledger, case: Case) -> None:
    """Gives the wallet the state that the case starts from."""
    ledger.clear()
    for player in case.players:
        ledger.add_player(player["account"], player["balance"] * MINOR_UNITS, active=player["active"])
    for transaction in case.transactions:
        ledger.add_transaction(
            trans_id=str(transaction["trans_id"]),
            account=transaction["account"],
            kind=transaction["kind"],
            amount_minor=transaction["amount"] * MINOR_UNITS,
            canceled=transaction["canceled"],
        )


def _table(ran: Sequence[Ran]) -> Table:
    table = Table("", "case", "request", "wallet call", Column("answer", overflow="fold"), show_lines=True)
    for one in ran:
        request = f"{one.case.request['command']} {_shown(one.case.request['data'])} check {one.case.request['check']}"
        answer = f"{one.http_status} {one.body.decode(errors='replace')}"
        if not one.is_right:
            answer += f"\nexpected {one.case.http_status} {one.case.answer_bytes.decode()}"
        mark = "[green]✓[/]" if one.is_right else "[red]✗[/]"
        table.add_row(mark, one.case.name, escape(request), escape(one.wallet_call or "none"), escape(answer))
    return table


def _words(message: Message) -> str:
    """Returns the fields that decide about money, by their names in wallet.v1."""
    return _shown(MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True))


def _shown(fields: Mapping[str, object]) -> str:
    return " ".join(f"{name}={fields[name]}" for name in _SHOWN if name in fields)


_SHOWN = ("account", "trans_id", "amount", "outcome", "balance", "state")

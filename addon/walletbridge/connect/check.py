"""
`walletbridge check`: tests whether all that the gateway needs is there and fits together.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from walletbridge.connect.consequences import consequences
from walletbridge.connect.surroundings import listeners, unreachable
from walletbridge.gateway.needs import problems
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Authenticate, Balance, Callback, Command, Status
from walletbridge.protocol.checks import DOCUMENTED, Check
from walletbridge.protocol.errors import OutcomeUnknown, SettingsError
from walletbridge.protocol.outcomes import Result
from walletbridge.settings import ListenerTls, Settings, load, read_tokens
from walletbridge.settings.tls_files import doubts, expires_soon, invalid_now, names_in, read_listener
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet
from walletbridge.wallet.mapping.bound_wallet import BoundWallet
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.proto.reflection import NoReflection, ask_for_protos
from walletbridge.wallet.proto.schema import BadSchema, Schema

CONNECT_SECONDS = 3.0
ASK_SECONDS = 2.0
NOBODY = "walletbridge-check"
"""An account that no player has. Asking for its balance changes nothing."""
NOTHING = "walletbridge-check-0"
"""A transaction that never existed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    is_right: bool
    text: str
    is_note: bool = False
    """Allowed, but the operator should know of it."""

    @property
    def kind(self) -> str:
        """right, note or wrong."""
        return "note" if self.is_note else "right" if self.is_right else "wrong"


def as_json(config: Path, findings: Sequence[Finding]) -> str:
    """One JSON document for scripts. Its names are stable; `schema` goes up where one is removed or changes meaning."""
    document = {
        "schema": 1,
        "config": str(config),
        "works": all(finding.is_right for finding in findings),
        "findings": [{"kind": finding.kind, "text": finding.text} for finding in findings],
    }
    return json.dumps(document)


def check(config: Path, *, live: bool = False) -> Iterator[Finding]:
    """
    Yields a finding for each thing checked; stops where nothing more can be checked.

    `live`: whether to ask the wallet for more than a balance. No question moves money.
    """
    try:
        settings = load(config)
    except SettingsError as error:
        yield from _wrong(error)
        return
    yield Finding(is_right=True, text=f"settings: {config} reads well")
    yield Finding(is_right=True, text=f"journal: {settings.journal.path}, by SQLite {apsw.sqlite_lib_version()}")
    try:
        tokens = read_tokens(settings.callback, os.environ)
        yield Finding(is_right=True, text=f"token: {len(tokens)} accepted")
    except SettingsError:
        # `problems` reports it below.
        pass
    found = list(problems(settings))
    yield from (Finding(is_right=False, text=problem) for problem in found)
    yield from _listener_tls(settings.tls)
    yield from _surroundings(settings)
    try:
        bound = load_mapping(settings.wallet)
    except SettingsError as error:
        yield from _wrong(error)
        return
    yield Finding(is_right=True, text=f"mapping: {bound.source} fits the wallet's proto")
    for caution in bound.cautions:
        yield Finding(is_right=True, text=f"{bound.source}:{caution}", is_note=True)
    for consequence in consequences(bound.promises):
        yield Finding(is_right=True, text=consequence, is_note=True)
    if any(problem.startswith("wallet.") for problem in found):
        # It allows no connection.
        return
    yield from asyncio.run(_ask_wallet(settings, bound, live=live))
    if live:
        yield _ask_for_methods(settings, bound)


def _surroundings(settings: Settings) -> Iterator[Finding]:
    for is_wrong, text in listeners(settings):
        yield Finding(is_right=not is_wrong, text=text, is_note=not is_wrong)
    for text in unreachable(settings):
        yield Finding(is_right=True, text=text, is_note=True)


def _listener_tls(tls: ListenerTls | None) -> Iterator[Finding]:
    if tls is None:
        return
    now = datetime.now(UTC)
    try:
        pair = read_listener(tls)
    except SettingsError:
        # `problems` has reported it.
        return
    if problem := invalid_now(pair, now):
        yield Finding(is_right=False, text=f"tls.cert_file: {problem}")
        return
    names = ", ".join(names_in(pair.chain[0])) or "no name"
    yield Finding(is_right=True, text=f"tls: {tls.cert_file} for {names} is valid until {pair.expires_at:%Y-%m-%d}")
    if soon := expires_soon(pair, now, tls.warn_days):
        yield Finding(is_right=True, text=f"tls: {soon}", is_note=True)
    for doubt in doubts(pair):
        yield Finding(is_right=True, text=f"tls: {doubt}", is_note=True)


def _wrong(error: SettingsError) -> Iterator[Finding]:
    return (Finding(is_right=False, text=line) for line in str(error).splitlines())


async def _ask_wallet(settings: Settings, bound: BoundWallet, *, live: bool) -> list[Finding]:
    target = settings.wallet.target
    try:
        channel = Channel(settings.wallet, on_change=lambda _: None)
    except SettingsError as error:
        return [Finding(is_right=False, text=str(error))]
    try:
        if not await channel.wait_until_ready(CONNECT_SECONDS):
            problem = f"wallet: no connection to {target} within {CONNECT_SECONDS:.0f} s"
            return [Finding(is_right=False, text=f"{problem}; is it running, and is wallet.tls right?")]
        wallet = GrpcWallet(channel, bound, calls_max=1, connect_wait=ASK_SECONDS, clock=time.monotonic)
        return [await _ask(wallet, bound, each, target, live=live) for each in _questions(bound, live=live)]
    finally:
        await channel.close()


def _questions(bound: BoundWallet, *, live: bool) -> Iterator[Callback]:
    """Questions that change nothing."""
    yield Balance(account=NOBODY, checks=(Check.PLAYER_EXISTS,), requested_at=None)
    if live:
        yield Authenticate(account=NOBODY, checks=(Check.PLAYER_EXISTS,), requested_at=None)
    if live and Command.STATUS in bound.bindings:
        yield Status(account=NOBODY, checks=DOCUMENTED[Command.STATUS], requested_at=None, trans_id=NOTHING)


async def _ask(wallet: GrpcWallet, bound: BoundWallet, question: Callback, target: str, *, live: bool) -> Finding:
    method = bound.bindings[question.command].method.name.partition("/")[2]
    try:
        outcome = await wallet.call(question, deadline=time.monotonic() + ASK_SECONDS, trace=Trace())
    except OutcomeUnknown as unknown:
        return Finding(is_right=False, text=f"wallet: {target} is there, but {method} failed: {unknown.reason}")
    if live and outcome.result is Result.OK:
        problem = f"{method} says OK to {question.command} for {NOBODY}, whom no wallet should know: is check 21 made?"
        return Finding(is_right=True, text=f"wallet: {problem}", is_note=True)
    return Finding(is_right=True, text=f"wallet: {target} answers {method} ({outcome.result.name})")


def _ask_for_methods(settings: Settings, bound: BoundWallet) -> Finding:
    """Asks the wallet's reflection whether it serves all bound methods: no method that moves money is called."""
    methods = [binding.method for binding in bound.bindings.values()]
    methods += [lookup.method for lookup in bound.lookups.values()]
    names = sorted({method.name for method in methods})
    try:
        served = Schema(ask_for_protos(settings.wallet, sorted({name.partition("/")[0] for name in names}))).methods
    except NoReflection:
        problem = "which methods it serves cannot be asked: it has no server reflection"
        return Finding(is_right=True, text=f"wallet: {problem}", is_note=True)
    except (BadSchema, SettingsError) as error:
        return Finding(is_right=True, text=f"wallet: which methods it serves cannot be asked: {error}", is_note=True)
    missing = [name for name in names if name not in served]
    if missing:
        return Finding(is_right=False, text=f"wallet: it does not serve {', '.join(missing)}")
    return Finding(is_right=True, text=f"wallet: it serves {', '.join(name.partition('/')[2] for name in names)}")

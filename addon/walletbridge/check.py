"""
`walletbridge check`: is everything there that the gateway will need?
"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from walletbridge.callbacks import Balance
from walletbridge.errors import OutcomeUnknown, SettingsError
from walletbridge.settings import Settings, load, read_tokens
from walletbridge.trace import Trace
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet
from walletbridge.wallet.mapping.loading import load as load_mapping

CONNECT_SECONDS = 3.0
ASK_SECONDS = 2.0
NOBODY = "walletbridge-check"
"""An account that no player has. Asking for its balance changes nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    is_right: bool
    text: str


def check(config: Path) -> Iterator[Finding]:
    """Yields a finding for each thing looked at; stops where nothing more can be looked at."""
    try:
        settings = load(config)
    except SettingsError as error:
        yield from (Finding(is_right=False, text=line) for line in str(error).splitlines())
        return
    yield Finding(is_right=True, text=f"settings: {config} reads well")
    try:
        tokens = read_tokens(settings.callback, os.environ)
        yield Finding(is_right=True, text=f"token: {len(tokens)} accepted")
    except SettingsError as error:
        yield Finding(is_right=False, text=str(error))
    yield asyncio.run(_ask_wallet(settings))


async def _ask_wallet(settings: Settings) -> Finding:
    target = settings.wallet.target
    try:
        channel = Channel(settings.wallet, on_change=lambda _: None)
    except SettingsError as error:
        return Finding(is_right=False, text=str(error))
    try:
        if not await channel.wait_until_ready(CONNECT_SECONDS):
            problem = f"wallet: no connection to {target} within {CONNECT_SECONDS:.0f} s"
            return Finding(is_right=False, text=f"{problem}; is it running, and is wallet.tls right?")
        wallet = GrpcWallet(
            channel, load_mapping(settings.wallet), calls_max=1, connect_wait=ASK_SECONDS, clock=time.monotonic
        )
        question = Balance(account=NOBODY, checks=(21,), requested_at=None)
        outcome = await wallet.call(question, deadline=time.monotonic() + ASK_SECONDS, trace=Trace())
    except OutcomeUnknown as unknown:
        return Finding(is_right=False, text=f"wallet: {target} is there, but GetBalance failed: {unknown.reason}")
    finally:
        await channel.close()
    return Finding(is_right=True, text=f"wallet: {target} answers GetBalance ({outcome.result.name})")

"""
The rules between several settings.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import asdict

from walletbridge.settings.sections import Callback, Deadlines, Journal, Settings, Tls


class Breach(NamedTuple):
    """A broken rule."""

    keys: tuple[str, ...]
    """The keys of the rule; the mistake is reported at the first."""
    problem: str


def breaches(settings: Settings) -> Iterator[Breach]:
    """The rules that `settings` break."""
    yield from _one_source_of_tokens(settings.callback)
    if settings.wallet.tls:
        yield from _certificate_with_key(settings.wallet.tls)
    if settings.http2 and not settings.tls:
        yield Breach(("http2", "tls"), "expected tls as well: clients choose HTTP/2 while they set up TLS")
    if settings.tls and settings.tls.client_names and not settings.tls.client_ca_file:
        keys = ("tls.client_names", "tls.client_ca_file")
        yield Breach(keys, "expected tls.client_ca_file as well: it says who may vouch for these names")
    if settings.callback.proxy_protocol and not settings.callback.trusted_proxies:
        keys = ("callback.proxy_protocol", "callback.trusted_proxies")
        yield Breach(keys, "expected callback.trusted_proxies as well: only they may say whose connection it is")
    yield from _budget_left(settings.deadlines)
    yield from _settled_before_abandoned(settings.journal, settings.deadlines)


def _one_source_of_tokens(callback: Callback) -> Iterator[Breach]:
    if callback.token_env is not None and callback.token_file is not None:
        yield Breach(("callback.token_file", "callback.token_env"), "expected either token_env or token_file, got both")


def _certificate_with_key(tls: Tls) -> Iterator[Breach]:
    keys = ("wallet.tls.cert_file", "wallet.tls.key_file")
    if tls.cert_file and not tls.key_file:
        yield Breach(keys, "expected wallet.tls.key_file as well: the two go together")
    if tls.key_file and not tls.cert_file:
        yield Breach(keys[::-1], "expected wallet.tls.cert_file as well: the two go together")


def _budget_left(deadlines: Deadlines) -> Iterator[Breach]:
    for command, seconds in _by_command(deadlines).items():
        if seconds <= deadlines.margin:
            yield Breach(
                (f"deadlines.{command}", "deadlines.margin"),
                f"expected more than deadlines.margin, which is {deadlines.margin:g}, got {seconds:g}",
            )


def _settled_before_abandoned(journal: Journal, deadlines: Deadlines) -> Iterator[Breach]:
    """A call may end as late as its deadline, and may land until `settle_after` seconds later (RULES 12)."""
    by_command = _by_command(deadlines)
    least = journal.settle_after + max(by_command.values())
    if journal.abandon_after <= least:
        keys = ("journal.abandon_after", "journal.settle_after", *(f"deadlines.{command}" for command in by_command))
        yield Breach(
            keys,
            "expected more than journal.settle_after and the longest deadline together, "
            f"which are {least:g}, got {journal.abandon_after:g}",
        )


def _by_command(deadlines: Deadlines) -> dict[str, float]:
    return {name: seconds for name, seconds in asdict(deadlines).items() if name != "margin"}

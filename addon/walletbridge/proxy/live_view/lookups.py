"""
Everything known of a transaction or an account, as lines of text: flows, cache and journal.
"""

from collections.abc import Callable, Iterable, Sequence

import apsw
from mitmproxy.flow import Flow

from walletbridge.journal import reading
from walletbridge.journal.columns import Numbered
from walletbridge.protocol.money import format_minor
from walletbridge.proxy.live_view.mask import mask
from walletbridge.proxy.live_view.related import FOUND_MAX, line_of, words_of
from walletbridge.rules.by_hand import state
from walletbridge.settings import Settings
from walletbridge.transactions.status_cache import StatusCache


def of_flows(name: str, value: str, flows: Iterable[Flow]) -> list[str]:
    """Returns the last callbacks of an `account` or a `trans_id`. `flows` and the result: newest first."""
    wanted = f"{name}={value} "
    found = [flow for flow in flows if wanted in words_of(flow)]
    more = [f"and {len(found) - FOUND_MAX} more"] if len(found) > FOUND_MAX else []
    return [f"flow: {line_of(flow)}" for flow in found[:FOUND_MAX]] + more


def of_cache(cache: StatusCache, settings: Settings, *, account: str = "", trans_id: str = "") -> list[str]:
    """Returns the entries of the status cache."""
    found = cache.known(account=account, trans_key=trans_id)
    return [f"cache: #{key} of {shown(who, settings)}: {what}" for who, key, what in found[:FOUND_MAX]]


def of_journal(settings: Settings, *, account: str = "", trans_id: str = "") -> list[str]:
    """Returns the journal's rows, or the reason why it cannot be read. Reads a file: not for the event loop."""
    path = settings.journal.path
    return _rows(
        settings, lambda: reading.of_account(path, account) if account else reading.of_transaction(path, trans_id)
    )


def unresolved(settings: Settings) -> list[str]:
    """Returns the unsettled rows, or why the journal cannot be read. Reads a file: not for the event loop."""
    return _rows(settings, lambda: reading.unsettled(settings.journal.path))


def shown(account: str, settings: Settings) -> str:
    """Returns the account, masked if the settings require it."""
    return mask(account) if settings.ui.mask_accounts else account


def _rows(settings: Settings, read: Callable[[], Sequence[Numbered]]) -> list[str]:
    try:
        return [_line(one, settings) for one in read()]
    except (apsw.Error, OSError) as error:
        return [f"journal: {settings.journal.path} cannot be read: {error}"]


def _line(one: Numbered, settings: Settings) -> str:
    row = one.row
    amount = "" if row.amount is None else f" {format_minor(row.amount, settings.wallet.currency_decimals)}"
    kind = row.kind or "transaction"
    return f"journal: {one.number}: {kind} #{row.trans_id} of {shown(row.account, settings)}{amount}: {state(row)}"

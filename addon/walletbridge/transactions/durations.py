"""
Converts the times of the settings into budgets, ages and paces, in seconds.
"""

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import SettingsError
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.repeats import keep_days
from walletbridge.settings import Deadlines, Journal, Settings
from walletbridge.transactions.resolver import Pace

RECHECKS = (1, 10, 60)
"""A cancel whose 42 was believed on time alone is sent again after these multiples of `recheck_after`."""
RESOLVER_TICK_SECONDS = 0.25
PRUNE_SECONDS = 3600.0


def days_to_keep(journal: Journal, promises: Promises) -> int:
    """Days to keep rows at rest. Raises SettingsError if `keep_days` is too short for the wallet's promises."""
    try:
        return keep_days(journal.keep_days, promises)
    except ValueError as error:
        raise SettingsError(f"journal.keep_days: {error}") from None


def times(journal: Journal) -> Times:
    """The times after which the rules believe, give up or retry an unknown outcome."""
    return Times(
        settle_after=journal.settle_after,
        abandon_after=journal.abandon_after,
        redeliver_for=journal.redeliver_for,
        recheck_after=tuple(factor * journal.recheck_after for factor in RECHECKS),
        give_up_after=journal.give_up_after,
        refused_pause_max=journal.refused_retry_seconds,
    )


def pace(settings: Settings) -> Pace:
    """The resolver's deadlines, concurrency and pauses."""
    by_command = budgets(settings.deadlines)
    kinds = (Command.WIN, Command.CANCEL, Command.STATUS)
    own = {command: settings.journal.call_seconds or by_command[command] for command in kinds}
    return Pace(
        call_seconds=max(own.values()),
        budgets=own,
        calls_max=min(settings.limits.resolver_calls, settings.limits.wallet_calls),
        tick_seconds=RESOLVER_TICK_SECONDS,
        pause_seconds=min(RESOLVER_TICK_SECONDS, settings.journal.retry_seconds),
        pause_seconds_max=settings.journal.retry_seconds,
        prune_every=PRUNE_SECONDS,
    )


def budgets(deadlines: Deadlines) -> dict[Command, float]:
    """Seconds from a request's arrival to the end of its wallet call: the provider's limit minus the way back."""
    return {
        Command.AUTHENTICATE: deadlines.authenticate - deadlines.margin,
        Command.BALANCE: deadlines.balance - deadlines.margin,
        Command.BET: deadlines.bet - deadlines.margin,
        Command.WIN: deadlines.win - deadlines.margin,
        Command.CANCEL: deadlines.cancel - deadlines.margin,
        Command.STATUS: deadlines.status - deadlines.margin,
    }

"""
The consequences of a wallet's promises, in plain words, for the operator.
"""

from collections.abc import Iterator

from walletbridge.protocol.checks import OF_PLAYER, Check
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.repeats import RECORD_DAYS_MIN, is_the_record


def consequences(promises: Promises) -> Iterator[str]:
    """A sentence for each missing promise: what the wallet does not do, and how the gateway acts."""
    yield from _of_repeats(promises)
    yield from _of_cancels(promises)
    if not promises.has_status:
        yield "This wallet has no status, so the gateway answers status from its journal."
    yield from _of_checks(promises)
    if is_the_record(promises):
        yield (
            "The journal is the only record of some transactions, so it is kept for at least "
            f"{RECORD_DAYS_MIN} days (journal.keep_days)."
        )


def _of_repeats(promises: Promises) -> Iterator[str]:
    if promises.repeats is Repeats.REPLAYED:
        yield "This wallet does not say that a bet or win is a repeat, so the gateway tells it (41) from its journal."
    if promises.repeats is Repeats.UNPROTECTED:
        settled = "asks for its status" if promises.has_status else "leaves it to a person (walletbridge journal list)"
        yield (
            "This wallet would move money twice, so the gateway sends each bet, win and cancel once: where the answer "
            f"is lost, it {settled} and never sends it again."
        )


def _of_cancels(promises: Promises) -> Iterator[str]:
    if not promises.has_cancel:
        in_doubt = "it asks for its status first" if promises.has_status else "it leaves the cancel to a person"
        yield (
            "This wallet has no cancel, so the gateway makes the opposite movement, of what has certainly been made; "
            f"where that is in doubt, {in_doubt}."
        )
    elif not promises.late_bets_refused:
        yield (
            "This wallet forgets the cancel of a transaction that it does not know, so the gateway believes it only "
            "after journal.settle_after and asks again later."
        )
    if promises.has_cancel and not promises.cancels_repeat_safely and promises.repeats is not Repeats.UNPROTECTED:
        settled = "asks for the status" if promises.has_status else "leaves it to a person"
        yield f"This wallet gets a cancel once: where its answer is lost, the gateway {settled}."


def _of_checks(promises: Promises) -> Iterator[str]:
    missing = OF_PLAYER - promises.checks
    if missing:
        names = " and ".join(str(check) for check in sorted(missing))
        yield f"This wallet does not make check {names}, so the gateway asks for the player before each call."
    if Check.BALANCE_SUFFICIENT not in promises.checks:
        yield (
            "This wallet cannot protect against a bet that its balance does not cover, so the gateway asks for the "
            "balance before each bet; two bets at once may both be covered by it."
        )
    if promises.checks_balance_first:
        known = "its journal, or else the wallet's status, knows" if promises.has_status else "its journal knows"
        yield f"This wallet looks at the balance before it looks for a repeat; the gateway answers 41 if {known} one."
    if Check.NOT_PROCESSED not in promises.checks and promises.repeats is Repeats.REPORTED:
        yield "This wallet does not make check 41, so the gateway makes it from its journal."
    if Check.TRANSACTION_EXISTS not in promises.checks and promises.has_cancel:
        yield "This wallet does not make check 42, so the gateway makes it from its journal."

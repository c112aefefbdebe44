"""
For which reasons a transaction may be left to a person, where the wallet serves its player, can be asked whatever
happens, and comes back. Pure.
"""

from tests.money.faults.beliefs import Transaction
from tests.money.faults.heard import Times

_NEVER = ("refused", "nobody can tell", "too old")
_OF_LOST_NOTES = ("it was made, and it is not known whether the provider was told so",)
"""Of a bet whose gateway could not write down that its answer went out."""
_OF_ROUNDS = (
    "a bet of its round was cancelled: the win may no longer be owed",
    "it was made and never heard of, and a bet of its round was cancelled",
)
_OF_PEOPLE = ("a person called it made", "a person called it cancelled")


def is_needless(  # noqa: PLR0913 - all that it depends on
    reason: str, bet: Transaction | None, times: Times, *, is_win: bool, was_restored: bool, was_decided: bool
) -> bool:
    """Whether nothing that happened explains the reason; `bet` is the one of the transaction's round."""
    if not reason:
        return False
    if was_restored:
        return reason.startswith(_NEVER)
    if reason.startswith(_OF_LOST_NOTES):
        return not (times.kills or times.no_disk or times.slow)
    if reason.startswith(_OF_ROUNDS):
        return not (is_win and bet is not None and bet.cancel_sent_at is not None)
    return not (was_decided and reason.startswith(_OF_PEOPLE))

"""
Which differences between the provider's book and the wallet's do not count, and why: those that the gateway could not
know of. Pure. Each stands in config/guides/reliability.md under "Not promised", in the same words.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tests.money.faults.beliefs import Belief, Transaction
from tests.money.faults.files import Losses
from tests.money.faults.heard import Heard, Times, only_in_log

from walletbridge.rules.row import CancelState, Row, Told

_LOST_ON_THE_WAY = {
    (Belief.VOID, Told.YES): "its answer was lost on the way",
    (Belief.GIVEN_UP, Told.REFUSED): "its refusal was lost on the way",
}
"""Of a win: the gateway handed the answer over, and cannot know that the provider never got it."""
_OWING = frozenset({Belief.GIVEN_UP, Belief.VOID, Belief.CANCEL_GIVEN_UP, Belief.CANCEL_REFUSED})
"""What the gateway still has to do something about after its last answer, or a person has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of a transaction on which the provider and the wallet differ."""

    transaction: Transaction
    row: Row | None
    heard: Heard
    answered: AbstractSet[str]
    """The commands that were answered, and so must have been journalled."""
    times: Times
    losses: Losses
    is_listed: bool
    """Whether a person has it, or the bet with which it stands or falls."""
    is_decided: bool
    """Whether it was listed, and a person resolved it."""
    made_after_refusal: bool
    """See `Refusals`."""
    remembers_cancels: bool


def excuse(known: Known) -> str:
    """Why the difference does not count; empty if it does."""
    if known.is_decided:
        return "a person decided"
    if _was_owed(known):
        return "owed, and lost with the file"
    return "left to a person" if known.is_listed else _of_what_was_heard(known)


def _of_what_was_heard(known: Known) -> str:
    row, transaction = known.row, known.transaction
    match transaction.belief:
        case Belief.REFUSED if transaction.kind == "win" and known.heard.straggled and known.made_after_refusal:
            # Nobody can tell a straggler from one that is sent again because it was refused.
            return "came again after its refusal"
        case Belief.GIVEN_UP if row is None or row.kind is None:
            return _unheard(known, "win")
        case Belief.CANCEL_GIVEN_UP if row is None or row.cancel is CancelState.NONE:
            return _unheard(known, "cancel")
        case belief if row is not None and (lost := _LOST_ON_THE_WAY.get((belief, row.told))):
            return _on_the_way(known, lost)
    return ""


def _unheard(known: Known, command: str) -> str:
    if command in known.answered:
        return ""
    return "only in the log" if only_in_log(known.heard, command, known.times) else "never heard of"


def _on_the_way(known: Known, lost: str) -> str:
    """A repeat that was answered 500 once the definite answer had gone out shows that this was lost."""
    heard = known.heard
    made_at = heard.definite_at.get("win", float("inf"))
    if any(one.command == "win" and one.sent_at > made_at for one in known.transaction.heard):
        return "only in the log" if only_in_log(heard, "win", known.times, since=made_at) else ""
    return lost if "win" in heard.arrived - heard.undelivered else ""


def _was_owed(known: Known) -> bool:
    """Whether something was still to be done about it in the file that is lost, and nothing in the one that is not."""
    key, losses, belief = known.transaction.key, known.losses, known.transaction.belief
    before, kept = losses.before.get(key), losses.kept.get(key)
    if before is None or not before.is_listed or (kept is not None and kept.is_listed):
        return False
    # A wallet that forgets cancels may make late what was cancelled, which is asked again as long as it can be.
    return belief in _OWING or (belief is Belief.CANCELLED and not known.remembers_cancels)

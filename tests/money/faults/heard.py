"""
What is known of a transaction's callbacks besides what the provider was told: what the gateways' logs say, and to which
gateway the network handed each. And which of them must have left a row in the journal. Pure.

An answer goes out without a row only where the journal took nothing: then the log has a line of it. That line may be
lost with a gateway that is killed a moment later, and is not written by one that ends and has closed its log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.money.faults.beliefs import Hearing, Transaction

_KILL_SECONDS = 0.5
"""How long before a kill a line of the log may have been made that never came out."""
_SLOW_SECONDS = 2.0
"""So near to a line that says so, the disk took too long."""
_ROUNDED_SECONDS = 0.5
"""By how much the bench may hear of an answer before it hears of its line in the log."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something of a callback, at a gateway and at a time, in Unix seconds."""

    command: str
    at: float
    gateway: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Some time, in Unix seconds, of a gateway or of all."""

    since: float
    until: float
    gateway: int | None = None
    """None: all."""

    def covers(self, at: float, gateway: int | None) -> bool:
        return self.since <= at <= self.until and (self.gateway is None or self.gateway == gateway)


@dataclass(slots=True)
class Heard:
    """What the gateways' logs say of a transaction, and the network."""

    answered: list[Said] = field(default_factory=list)
    """The answers that are in a log."""
    lost: list[Said] = field(default_factory=list)
    """What could not be journalled, and was not sent to the wallet."""
    asked: list[Said] = field(default_factory=list)
    """What the network handed to a gateway."""
    arrived: set[str] = field(default_factory=set)
    """Commands of which a definite answer has reached the network, whole."""
    undelivered: set[str] = field(default_factory=set)
    """Commands whose last definite answer could not be delivered, for all that the gateway knows."""
    definite_at: dict[str, float] = field(default_factory=dict)
    """When the last definite answer to a command was made, in Unix seconds."""
    straggled: bool = False
    """Whether the network let its win come twice, or late."""
    doubled: bool = False
    """Whether the network let its bet come twice: the first answer to it may be the second that was made."""


@dataclass(slots=True)
class Times:
    """When a gateway could answer and leave no row, or no line in its log."""

    no_disk: list[Span] = field(default_factory=list)
    """A disk was full, or whoever held the journal's lock stood still, or the journal was closed."""
    slow: list[Said] = field(default_factory=list)
    """Lines that say that the disk took too long."""
    kills: list[Said] = field(default_factory=list)
    """When a gateway was killed."""
    closed: list[Span] = field(default_factory=list)
    """From when a gateway had closed its journal and its log until it had ended."""
    no_file: list[Span] = field(default_factory=list)
    """What was journalled then is lost: the file was gone."""

    def took_nothing(self, said: Said) -> bool:
        """Whether the gateway may have been unable to write its journal then."""
        return any(span.covers(said.at, said.gateway) for span in (*self.no_disk, *self.closed, *self.no_file))

    def has_no_line(self, at: float, gateway: int) -> bool:
        """Whether what the gateway answered then may be neither in the journal nor in the log."""
        if any(span.covers(at, gateway) for span in self.closed):
            return True
        slow = (Span(one.at - _SLOW_SECONDS, one.at + _SLOW_SECONDS, one.gateway) for one in self.slow)
        is_killed = any(
            kill.gateway == gateway and kill.at - _KILL_SECONDS <= at <= kill.at + _KILL_SECONDS for kill in self.kills
        )
        return is_killed and any(span.covers(at, gateway) for span in (*self.no_disk, *slow))


def only_in_log(heard: Heard, command: str, times: Times, *, since: float = 0.0) -> bool:
    """Whether some of these callbacks could not be journalled, at a time at which that may be."""
    return any(one.command == command and one.at > since and times.took_nothing(one) for one in heard.lost)


def journalled(transaction: Transaction, heard: Heard, times: Times) -> set[str]:
    """The bets, wins and cancels that were answered, and so must have left a row."""
    kept = [*_logged(heard, times), *_unlogged(transaction, heard, times)]
    return {one.command for one in kept if not any(span.covers(one.at, None) for span in times.no_file)} - {"status"}


def _logged(heard: Heard, times: Times) -> Sequence[Said]:
    """The answers in the logs, without those of which the log says that they could not be journalled."""
    left = list(heard.answered)
    for lost in heard.lost:
        same = (one for one in left if (one.command, one.gateway) == (lost.command, lost.gateway) and one.at >= lost.at)
        if times.took_nothing(lost) and (answer := next(same, None)):
            left.remove(answer)
    return left


def _unlogged(transaction: Transaction, heard: Heard, times: Times) -> Iterator[Said]:
    """The answers that the provider got and that are in no log, though they should be."""
    for hearing in transaction.heard:
        if any(_is_of(line, hearing) for line in heard.answered):
            continue
        asked = [one for one in heard.asked if one.command == hearing.command and one.at <= hearing.at]
        if not (asked and times.has_no_line(hearing.at, asked[-1].gateway)):
            yield Said(hearing.command, hearing.at)


def _is_of(line: Said, hearing: Hearing) -> bool:
    is_then = hearing.sent_at - _ROUNDED_SECONDS <= line.at <= hearing.at + _ROUNDED_SECONDS
    return line.command == hearing.command and is_then

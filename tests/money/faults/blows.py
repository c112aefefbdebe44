"""
What happens to whole processes, to files, clocks and people in one run. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum


class Blow(StrEnum):
    """What happens."""

    GATEWAY_KILLED = "gateway killed"
    """SIGKILL, and a new start."""
    GATEWAY_STOPPED = "gateway stopped"
    """SIGTERM, and a new start when it has answered what it has and ended."""
    DISK_FULL = "disk full"
    """The gateway can write no file for some time."""
    WALLET_AWAY = "wallet away"
    """Killed; started again after some time."""
    WALLET_STOPPED = "wallet stopped"
    """SIGSTOP and SIGCONT: it stands still, and then does all that it was asked."""

    JOURNAL_REMOVED = "journal removed"
    """`rm` under the running gateways; after some time they are started anew on a backup."""
    JOURNAL_REPLACED = "journal replaced"
    """A backup is moved over the file under the running gateways; after some time they are started anew on it."""
    WAL_REMOVED = "wal removed"
    """SQLite's log is deleted under the running gateways; after some time they are started anew."""
    DISK_FULL_AT_START = "disk full at start"
    """The disk fills, and the gateway is killed and started while it is full."""
    JOURNAL_RESTORED = "journal restored"
    """The gateways are ended and started on a backup that was made while they ran."""
    CLOCK_JUMPS = "clock jumps"
    """The wall clock of the gateways moves by years, and back."""
    WALLET_WARMS_UP = "wallet warms up"
    """Away; upon its return it answers 99 to all that moves money for some time."""
    WALLET_RETURNS_SLOW = "wallet returns slow"
    """Away; from its return on each answer takes 1.2 s."""
    METHOD_HANGS = "method hangs"
    """Bets, wins or cancels are never answered for some time; the others are."""
    GATEWAY_FROZEN = "gateway frozen"
    """SIGSTOP and SIGCONT at any moment."""
    LOCK_FROZEN = "gateway frozen with the lock"
    """SIGSTOP while it holds the journal's lock, and SIGCONT."""
    WORKER_FROZEN = "worker frozen with the lock"
    """SIGSTOP of one of a gateway's workers while it holds the journal's lock; its supervisor must end it."""
    PEOPLE = "people"
    """Somebody looks into the journal and resolves rows, with right and with wrong numbers."""


@dataclass(frozen=True, slots=True)
class Event:
    """A blow, and when."""

    blow: Blow
    at_call: int
    """After so many callbacks."""
    seconds: float
    """How long it lasts; a killed gateway is away for as long as it takes to start."""
    gateway: int = 0
    """The gateway that it hits, where it hits one."""
    bytes_left: int = 0
    """Of DISK_FULL: how much can still be written."""
    variant: int = 0
    """Where a blow has several forms: which one, modulo their number."""

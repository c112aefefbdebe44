"""
What goes wrong in one run, drawn from its seed. Pure.

All times are those of the protocol, and are divided by a scale, so that a run takes seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from tests.wallets.service import ExampleWallet

SCALE = 10.0
"""By what the protocol's times and the journal's are divided, where nothing else is said."""
LATE_SECONDS_MAX = 12.0
"""How long after it was called a wallet may still make a movement: longer than the journal's `settle_after`."""


class WalletFault(StrEnum):
    """What a wallet does to a call. What is `after` has been made by then."""

    SLOW = "slow"
    """Answers late, but perhaps in time."""
    LATE = "late"
    """Makes it when its caller has long given up."""
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    ABORT_BEFORE = "abort_before"
    """Answers with a gRPC status."""
    ABORT_AFTER = "abort_after"
    REFUSE = "refuse"
    """Answers 99, for no reason."""
    GARBAGE = "garbage"
    """Makes it and answers with bytes that are no message."""
    UNLISTED = "unlisted"
    """Makes it and answers with an outcome that the contract does not know."""
    EXIT_BEFORE = "exit_before"
    EXIT_AFTER = "exit_after"


class NetFault(StrEnum):
    """What becomes of a request between the provider and the gateway."""

    CUT_BEFORE = "cut_before"
    """The connection ends, and the gateway never hears of it."""
    CUT_REQUEST = "cut_request"
    """Half of the request arrives."""
    CUT_AFTER = "cut_after"
    """The connection ends as soon as the request has arrived."""
    CUT_ANSWER = "cut_answer"
    """Half of the answer comes back."""
    LOSE_ANSWER = "lose_answer"
    """The gateway has answered for all it knows; the provider hears nothing."""
    STALL_REQUEST = "stall_request"
    """The request arrives late, perhaps after its sender has given up, perhaps after its cancel."""
    STALL_ANSWER = "stall_answer"
    DUPLICATE = "duplicate"
    """The request arrives twice at once."""


class Blow(StrEnum):
    """What happens to a whole process."""

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


@dataclass(frozen=True, slots=True)
class Event:
    """A blow, and when."""

    blow: Blow
    at_call: int
    """After so many callbacks."""
    seconds: float
    """How long it lasts; a killed gateway is away for as long as it takes to start."""
    gateway: int = 0
    """Whom it hits, where it hits a gateway."""
    bytes_left: int = 0
    """Of DISK_FULL: how much can still be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    seed: int
    callbacks: int = 300
    gateways: int = 1
    scale: float = SCALE
    """By what all times are divided."""
    example: str = ""
    """The example wallet to play with; the demo wallet where there is none."""
    remembers_cancels: bool = True
    """Whether the wallet remembers the cancel of a transaction that it does not know."""
    wallet: Mapping[WalletFault, float] = field(default_factory=dict)
    """How likely each is, for each call."""
    net: Mapping[NetFault, float] = field(default_factory=dict)
    events: tuple[Event, ...] = ()

    def __str__(self) -> str:
        parts = [self.example] if self.example else []
        parts += [f"gateways {self.gateways}", "remembers" if self.remembers_cancels else "forgets"]
        parts += [f"{fault} {share:.0%}" for fault, share in (*self.wallet.items(), *self.net.items())]
        blows = [event.blow for event in self.events]
        parts += [f"{blow} x{blows.count(blow)}" for blow in Blow if blow in blows]
        return ", ".join(parts)


_EXITS = frozenset({WalletFault.EXIT_BEFORE, WalletFault.EXIT_AFTER})


def gateways_for(seed: int) -> int:
    """How many gateway processes a run has where nothing else is said: one and two in turn."""
    return 1 + seed % 2


def plan_for(
    seed: int, *, callbacks: int, gateways: int, scale: float = SCALE, example: type[ExampleWallet] | None = None
) -> Plan:
    """Draws the faults of one run: some kinds, and each rather often, so that they meet."""
    random = Random(f"plan:{seed}")  # noqa: S311 - to be repeated, not to be secret
    wallet = {
        fault: random.uniform(0.002, 0.01) if fault in _EXITS else random.uniform(0.01, 0.08)
        for fault in WalletFault
        if random.random() < 0.5
    }
    net = {fault: random.uniform(0.01, 0.05) for fault in NetFault if random.random() < 0.5}
    remembers_cancels = random.random() < 0.5
    return Plan(
        seed=seed,
        callbacks=callbacks,
        gateways=gateways,
        scale=scale,
        example=example.name if example else "",
        remembers_cancels=example.remembers_cancels if example else remembers_cancels,
        wallet=wallet,
        net=net,
        events=_events(random, callbacks, gateways),
    )


def _events(random: Random, callbacks: int, gateways: int) -> tuple[Event, ...]:
    blows = [Blow.GATEWAY_KILLED] * random.choice([0, 1, 1, 2])
    blows += [blow for blow in Blow if blow is not Blow.GATEWAY_KILLED and random.random() < 0.3]
    events = [
        Event(
            blow,
            at_call=random.randrange(callbacks // 10, max(callbacks // 10 + 1, callbacks)),
            seconds=random.uniform(2, 20),
            gateway=random.randrange(gateways),
            bytes_left=random.choice([0, random.randrange(200_000)]),
        )
        for blow in blows
    ]
    return tuple(sorted(events, key=lambda event: event.at_call))


def draw[F: StrEnum](shares: Mapping[F, float], random: Random) -> F | None:
    """One of the faults, or none, each as likely as its share."""
    point = random.random()
    for fault, share in shares.items():
        if point < share:
            return fault
        point -= share
    return None

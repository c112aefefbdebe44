"""
What goes wrong in one run, drawn from its seed. Pure.

All times are those of the protocol, and are divided by a scale, so that a run takes seconds.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from tests.examples.service import ExampleWallet
from tests.money.faults.blows import Blow, Event
from tests.money.faults.worlds import World, draw_worlds, events_of

SCALE = 10.0
"""By what the protocol's times and the journal's are divided, where nothing else is said."""
_LAG_SECONDS = 5.0
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
    worlds: frozenset[World] = frozenset()
    is_bare: bool = False
    """Whether it has no faults but those of its worlds."""
    refuses_late_seconds: int | None = None
    """After how many (unscaled) seconds the demo wallet refuses what was requested."""

    @property
    def lag(self) -> float:
        """By how much the copy is behind from which the wallet answers status, in seconds."""
        return _LAG_SECONDS if World.REPLICA in self.worlds else 0.0

    @property
    def begins_in_1970(self) -> bool:
        """Whether the gateways' clocks are set only during the run."""
        return World.CLOCKS in self.worlds and self.seed % 2 == 0

    @property
    def has_rollback_rounds(self) -> bool:
        """Whether the gateways are told that this provider voids rounds by cancelling their bets."""
        return World.LATE_ROLLBACK in self.worlds and self.seed % 2 == 0

    @property
    def workers(self) -> int:
        """How many workers each gateway has; 0: it is one process."""
        return 2 if any(event.blow is Blow.WORKER_FROZEN for event in self.events) else 0

    @property
    def has_users(self) -> bool:
        """Whether the gateways run as another user than those who look into the journal, which takes root."""
        return World.PEOPLE in self.worlds and os.geteuid() == 0

    def __str__(self) -> str:
        parts = [self.example] if self.example else []
        parts += [f"gateways {self.gateways}", "remembers" if self.remembers_cancels else "forgets"]
        parts += [f"{fault} {share:.0%}" for fault, share in (*self.wallet.items(), *self.net.items())]
        parts += [f"world {world}" for world in World if world in self.worlds]
        blows = [event.blow for event in self.events]
        parts += [f"{blow} x{blows.count(blow)}" for blow in Blow if blow in blows]
        return ", ".join(parts)


_ANYWHERE = (Blow.GATEWAY_STOPPED, Blow.DISK_FULL, Blow.WALLET_AWAY, Blow.WALLET_STOPPED)
"""The blows that need no world."""
_EXITS = frozenset({WalletFault.EXIT_BEFORE, WalletFault.EXIT_AFTER})


def gateways_for(seed: int) -> int:
    """How many gateway processes a run has where nothing else is said: one and two in turn."""
    return 1 + seed % 2


def plan_for(  # noqa: PLR0913 - all by which runs differ
    seed: int,
    *,
    callbacks: int,
    gateways: int,
    scale: float = SCALE,
    example: type[ExampleWallet] | None = None,
    worlds: frozenset[World] | None = None,
) -> Plan:
    """
    Draws the faults of one run: some kinds, and each rather often, so that they meet.

    `worlds` replaces the worlds that the seed would draw.
    """
    random = Random(f"plan:{seed}")  # noqa: S311 - to be repeated, not to be secret
    wallet = {
        fault: random.uniform(0.002, 0.01) if fault in _EXITS else random.uniform(0.01, 0.08)
        for fault in WalletFault
        if random.random() < 0.5
    }
    net = {fault: random.uniform(0.01, 0.05) for fault in NetFault if random.random() < 0.5}
    remembers_cancels = random.random() < 0.5
    events = _events(random, callbacks, gateways)
    if worlds is None:
        worlds = draw_worlds(seed, has_example=example is not None)
    if World.PEOPLE in worlds:
        # Their gateways are another user's, whose limits the bench may not be able to change.
        events = tuple(event for event in events if event.blow is not Blow.DISK_FULL)
    return Plan(
        seed=seed,
        callbacks=callbacks,
        gateways=gateways,
        scale=scale,
        example=example.name if example else "",
        remembers_cancels=example.remembers_cancels if example else remembers_cancels,
        wallet=wallet,
        net=net,
        events=tuple(sorted((*events, *events_of(worlds, seed, callbacks, gateways)), key=lambda event: event.at_call)),
        worlds=worlds,
    )


def bared(plan: Plan) -> Plan:
    """The same run without what needs no world."""
    events = tuple(event for event in plan.events if event.blow not in {*_ANYWHERE, Blow.GATEWAY_KILLED})
    return replace(plan, wallet={}, net={}, events=events, is_bare=True)


def _events(random: Random, callbacks: int, gateways: int) -> tuple[Event, ...]:
    blows = [Blow.GATEWAY_KILLED] * random.choice([0, 1, 1, 2])
    blows += [blow for blow in _ANYWHERE if random.random() < 0.3]
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

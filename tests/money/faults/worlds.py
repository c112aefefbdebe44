"""
The worlds in which operators live: what a run can have besides single faults, by name. Pure.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum
from random import Random

from tests.money.faults.blows import Blow, Event


class World(StrEnum):
    """One kind of trouble. A run can have several."""

    FILES = "files"
    """The journal's file, or SQLite's log beside it, is removed or replaced under the running gateways."""
    CLOCKS = "clocks"
    """The wall clock jumps by years; or the gateways start in 1970 and learn the time later."""
    BACKUPS = "backups"
    """A backup that was made while calls were in flight is restored."""
    WARMING = "warming"
    """A wallet that returns refuses everything for 10 s."""
    SLOW_RETURN = "slow-return"
    """A wallet that returns takes 1.2 s for each answer, from then on."""
    ONE_METHOD = "one-method"
    """Bets, wins or cancels hang, and the other methods are healthy."""
    REPLICA = "replica"
    """The wallet answers status from a copy that is seconds behind."""
    LATE_ROLLBACK = "late-rollback"
    """The provider cancels the bet of a round long after the round's win."""
    PEOPLE = "people"
    """Somebody uses `walletbridge journal` under traffic, and makes mistakes."""
    FREEZE = "freeze"
    """A gateway or a worker stands still, perhaps while it holds the journal's lock."""


_BLOWS = {
    World.FILES: (Blow.JOURNAL_REMOVED, Blow.JOURNAL_REPLACED, Blow.WAL_REMOVED, Blow.DISK_FULL_AT_START),
    World.CLOCKS: (Blow.CLOCK_JUMPS,),
    World.BACKUPS: (Blow.JOURNAL_RESTORED,),
    World.WARMING: (Blow.WALLET_WARMS_UP,),
    World.SLOW_RETURN: (Blow.WALLET_RETURNS_SLOW,),
    World.ONE_METHOD: (Blow.METHOD_HANGS,),
    World.LATE_ROLLBACK: (Blow.METHOD_HANGS,),
    World.PEOPLE: (Blow.PEOPLE,),
    World.FREEZE: (Blow.GATEWAY_FROZEN, Blow.LOCK_FROZEN, Blow.WORKER_FROZEN),
}
"""One of them happens in a run of that world. A world without any is in the wallet or the provider all the time."""
_GIVEN_UP_SECONDS = 25.0
"""Where wins hang so much longer, the provider gives some of them up."""
_WINS = 1
"""The variant of METHOD_HANGS in which wins hang."""
_OF_WALLET_V1 = frozenset({World.REPLICA})
"""Only the demo wallet can do this."""
DRAWN = (
    World.FILES,
    World.CLOCKS,
    World.BACKUPS,
    World.WARMING,
    World.SLOW_RETURN,
    World.ONE_METHOD,
    World.REPLICA,
    World.LATE_ROLLBACK,
    World.PEOPLE,
    World.FREEZE,
)
"""The worlds that seeds draw: those in which the gateway keeps what it promises. The others are asked for by name."""


def draw_worlds(seed: int, *, has_example: bool) -> frozenset[World]:
    """Nothing but single faults in every fourth run, two worlds at once in another fourth."""
    random = Random(f"worlds:{seed}")  # noqa: S311 - to be repeated, not to be secret
    known = [world for world in DRAWN if not (has_example and world in _OF_WALLET_V1)]
    return frozenset(random.sample(known, min(len(known), random.choice([0, 1, 1, 2]))))


def events_of(worlds: Collection[World], seed: int, callbacks: int, gateways: int) -> Iterator[Event]:
    """What happens in a run of these worlds, in the first two thirds of it."""
    for world in World:
        if world in worlds and world in _BLOWS:
            random = Random(f"{world}:{seed}")  # noqa: S311 - to be repeated, not to be secret
            yield Event(
                random.choice(_BLOWS[world]),
                at_call=random.randrange(callbacks // 10, max(callbacks // 10 + 1, 2 * callbacks // 3)),
                seconds=random.uniform(3, 12) + (_GIVEN_UP_SECONDS if world is World.LATE_ROLLBACK else 0),
                gateway=random.randrange(gateways),
                variant=_WINS if world is World.LATE_ROLLBACK else random.randrange(1000),
            )

"""
The provider's knowledge of one account: the balances and transactions that the answers allow.

While every answer is definite, one world is possible. An unanswered movement makes two: one in which it was made, one
in which it was not. Each later answer removes the worlds that contradict it. An answer that contradicts all is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.expectations import Expected, State, expectations
from walletbridge.simulator.wire.calls import MOVEMENTS, Call
from walletbridge.simulator.wire.readings import Reading

_CHANGED_BY = {
    Command.BET: frozenset({State.ABSENT}),
    Command.WIN: frozenset({State.ABSENT}),
    Command.CANCEL: frozenset({State.ABSENT, State.APPLIED}),
}
"""The states that a call may change."""
_WORLDS_BETWEEN_MAX = 64


@dataclass(frozen=True, slots=True)
class World:
    """One possible state of the account."""

    balance: int
    """In units of 10**-8."""
    open: tuple[tuple[str, State], ...] = ()
    """The transactions whose state differs between worlds, sorted."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call and the reading of its answer."""

    call: Call
    reading: Reading


type _Step = tuple[World, frozenset[int], frozenset[int]]
"""The world, the calls that the wallet has not made yet, and the calls that it has made but not answered."""


class Ledger:
    """The possible worlds of one account. Pure: takes calls with their answers and checks that they fit."""

    def __init__(self, balance: int) -> None:
        self._worlds = frozenset({World(balance)})
        self._settled: dict[str, State] = {}
        self._deltas: dict[str, int] = {}
        self._lost: dict[tuple[str, Command], Call] = {}
        """Unanswered calls: the wallet may make them at any time."""

    @property
    def balances(self) -> tuple[int, int]:
        """The lowest and the highest possible balance if no further call is made."""
        found = [world.balance for world in self._worlds]
        return min(found), max(found)

    @property
    def unsettled(self) -> frozenset[str]:
        """The transactions that an unanswered call may still change."""
        return frozenset(key for key, _ in self._lost)

    def open(self, key: str, delta: int) -> None:
        """Registers a transaction that changes the balance by `delta` when it is made."""
        self._deltas[key] = delta

    def expected(self, call: Call, result: int | None = None) -> str:
        """
        Returns the right answers to `call` in words: those with `result`, or the regular ones if none has `result`.
        """
        worlds = sorted(self._landed(self._worlds, list(self._lost.values())), key=lambda world: world.balance)
        allowed = [self._expectations(world, call) for world in worlds]
        same = [one for answers in allowed for one in answers if one.result == result]
        # A dict keeps the order and drops duplicates.
        return " or ".join(dict.fromkeys(map(str, same or [answers[0] for answers in allowed])))

    def observe(self, heard: Sequence[Heard]) -> bool:
        """
        Takes in the answers to one call, or to calls made at once. Returns False, and takes in nothing, if no order of
        the calls explains the answers.
        """
        lost = self._lost | _losses(heard)
        if len(heard) == 1 and heard[0].call.command in MOVEMENTS and heard[0].reading.result == Result.FAILED:
            # 99 means that the movement was not made, including its earlier tries.
            lost = {of: call for of, call in lost.items() if of[0] != heard[0].call.key}
        known = [one for one in heard if one.reading.known]
        worlds = self._ends(known, list(lost.values())) if known else self._worlds
        if not worlds:
            return False
        self._take(worlds, lost)
        return True

    def follow(self, heard: Sequence[Heard]) -> bool:
        """
        Accepts the results of answers that do not fit, so that a mistake is reported once. Ask for the balance next.

        Returns True if the results fit and only their balances do not.
        """
        if self.observe([Heard(one.call, replace(one.reading, balance=None)) for one in heard]):
            return True
        worlds = self._worlds
        for one in heard:
            state = _IMPLIED.get((one.call.command, one.reading.result))
            if state is not None and one.call.key in self._deltas:
                worlds = frozenset(_with(world, world.balance, one.call.key, state) for world in worlds)
        self._take(worlds, self._lost | _losses(heard))
        return False

    def correct(self, balance: int) -> None:
        """Accepts a balance that does not fit."""
        self._worlds = frozenset(replace(world, balance=balance) for world in self._worlds)

    def _state(self, world: World, key: str) -> State:
        return dict(world.open).get(key) or self._settled.get(key, State.ABSENT)

    def _expectations(self, world: World, call: Call) -> tuple[Expected, ...]:
        return expectations(call, self._deltas.get(call.key, 0), self._state(world, call.key), world.balance)

    def _made(self, world: World, call: Call) -> Iterator[tuple[Expected, World]]:
        state = self._state(world, call.key)
        for expected in expectations(call, self._deltas.get(call.key, 0), state, world.balance):
            same = expected.state is state
            yield expected, world if same else _with(world, expected.balance, call.key, expected.state)

    def _landed(self, worlds: Iterable[World], lost: Sequence[Call]) -> frozenset[World]:
        """Returns `worlds`, and the worlds that follow if unanswered calls were made after all."""
        found = set(worlds)
        todo = list(found)
        while todo:
            world = todo.pop()
            new = {after for call in lost for _, after in self._made(world, call)} - found
            found |= new
            todo.extend(new)
        return frozenset(found)

    def _ends(self, heard: Sequence[Heard], lost: Sequence[Call]) -> frozenset[World]:
        """
        Returns the possible worlds after calls made at once.

        Tries unanswered calls between them only if nothing simpler explains the answers, and if the worlds are few
        enough to do that fast.
        """
        landed = self._landed(self._worlds, lost)
        ends = self._orders(landed, heard, ())
        if lost and not ends and len(landed) <= _WORLDS_BETWEEN_MAX:
            ends = self._orders(landed, heard, lost)
        return ends

    def _orders(self, worlds: Iterable[World], heard: Sequence[Heard], lost: Sequence[Call]) -> frozenset[World]:
        """
        Returns the possible worlds after `heard`, with any of `lost` in between, in every order.

        The balance in an answer must have been the account's at some time between the movement and the last answer.
        """
        seen: set[_Step] = {(world, frozenset(range(len(heard))), frozenset()) for world in worlds}
        ends: set[World] = set()
        todo = list(seen)
        while todo:
            world, unmade, unanswered = todo.pop()
            if not unmade and not unanswered:
                # The next answer tries the calls that are made later.
                ends.add(world)
                continue
            new = {
                (after, unmade, _still_unanswered(heard, unanswered, after.balance))
                for call in lost
                for _, after in self._made(world, call)
            }
            for index in unmade:
                reading = heard[index].reading
                for expected, after in self._made(world, heard[index].call):
                    if expected.result == reading.result and (reading.state is None or expected.says == reading.state):
                        waiting = _still_unanswered(heard, unanswered | {index}, after.balance)
                        new.add((after, unmade - {index}, waiting))
            new -= seen
            seen |= new
            todo.extend(new)
        return frozenset(ends)

    def _take(self, worlds: frozenset[World], lost: dict[tuple[str, Command], Call]) -> None:
        """Settles the transactions on which all worlds agree, and drops unanswered calls that can change none."""
        keys = {key for world in worlds for key, _ in world.open}
        agreed = {
            key: states.pop() for key in keys if len(states := {self._state(world, key) for world in worlds}) == 1
        }
        self._worlds = frozenset(
            World(world.balance, tuple((key, state) for key, state in world.open if key not in agreed))
            for world in worlds
        )
        self._settled |= agreed
        self._lost = {
            (key, command): call
            for (key, command), call in lost.items()
            if _CHANGED_BY[command] & self._possible_states(key, lost)
        }

    def _possible_states(self, key: str, lost: dict[tuple[str, Command], Call]) -> set[State]:
        """Returns the states that the transaction has in some world, or may reach by unanswered calls."""
        found = {self._state(world, key) for world in self._worlds}
        if State.ABSENT in found and {(key, Command.BET), (key, Command.WIN)} & lost.keys():
            found.add(State.APPLIED)
        return found


_IMPLIED: dict[tuple[Command, int | None], State] = {
    (Command.BET, Result.OK): State.APPLIED,
    (Command.WIN, Result.OK): State.APPLIED,
    (Command.CANCEL, Result.OK): State.CANCELLED,
}


def _losses(heard: Iterable[Heard]) -> dict[tuple[str, Command], Call]:
    return {
        (one.call.key, one.call.command): one.call
        for one in heard
        if not one.reading.known and (one.call.command in MOVEMENTS or one.call.command is Command.CANCEL)
    }


def _with(world: World, balance: int, key: str, state: State) -> World:
    return World(balance, tuple(sorted((dict(world.open) | {key: state}).items(), key=lambda item: item[0])))


def _still_unanswered(heard: Sequence[Heard], unanswered: frozenset[int], balance: int) -> frozenset[int]:
    return frozenset(
        index
        for index in unanswered
        if heard[index].reading.balance is not None and heard[index].reading.balance != balance
    )

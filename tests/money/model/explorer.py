"""Visits every order in which the steps of a small model can happen, and shows the shortest way to what must not be."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model[S: Hashable]:
    """States that can be told apart, and what leads from one to the next."""

    start: S
    steps: Callable[[S], Iterable[tuple[str, S]]]
    """What can happen in a state: in words, and the state after it."""
    wrong: Callable[[S], str]
    """What must not be about a state; empty if it may be."""
    wrong_at_rest: Callable[[S], str]
    """The same of a state in which nothing more can happen."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an exploration found."""

    states: int
    rests: int
    """How many of them were states in which nothing more can happen."""
    wrong: str = ""
    trace: tuple[str, ...] = ()
    """The shortest way to it."""

    def __str__(self) -> str:
        return "\n  ".join([f"{self.wrong or 'nothing wrong'} ({self.states} states)", *self.trace])


def explore[S: Hashable](model: Model[S], *, states_max: int) -> Found:
    """
    Goes through all states, nearest first, until one is wrong.

    Raises OverflowError where there are more than `states_max`: a search that was cut off proves nothing.
    """
    came_from: dict[S, tuple[S, str] | None] = {model.start: None}
    waiting = deque([model.start])
    rests = 0
    while waiting:
        state = waiting.popleft()
        wrong = model.wrong(state)
        is_at_rest = True
        for label, after in model.steps(state):
            if after == state:
                continue
            is_at_rest = False
            if after not in came_from:
                came_from[after] = (state, label)
                waiting.append(after)
        rests += is_at_rest
        wrong = wrong or (model.wrong_at_rest(state) if is_at_rest else "")
        if wrong:
            return Found(len(came_from), rests, wrong, _trace(came_from, state))
        if len(came_from) > states_max:
            raise OverflowError(f"more than {states_max} states")
    return Found(len(came_from), rests)


def _trace[S: Hashable](came_from: dict[S, tuple[S, str] | None], state: S) -> tuple[str, ...]:
    labels = []
    step = came_from[state]
    while step is not None:
        state, label = step
        labels.append(label)
        step = came_from[state]
    return tuple(reversed(labels))

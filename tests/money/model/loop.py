"""An event loop in which time passes only when there is nothing else to do, and then at once."""

import asyncio
import selectors
from collections.abc import Mapping

type _Ready = list[tuple[selectors.SelectorKey, int]]

START = 1000.0


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Hours of timers run in moments, in the same order each time."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


class _LeapingSelector(selectors.BaseSelector):
    """Does not wait for what it is asked to wait for, but lets the time pass."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = START

    def select(self, timeout: float | None = None) -> _Ready:
        events = self._real.select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("nothing is left that could happen")
            self.now += max(0.0, timeout)
        return events

    def register(self, fileobj: int, events: int, data: object = None) -> selectors.SelectorKey:  # type: ignore[override]
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: int) -> selectors.SelectorKey:  # type: ignore[override]
        return self._real.unregister(fileobj)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[int, selectors.SelectorKey]:  # type: ignore[override]
        return self._real.get_map()  # type: ignore[return-value]

"""
One worker's numbers, in memory that other processes may share and that outlives the worker.

A worker writes only its own part, so no write is lost and no lock is needed; a reader adds up all parts. The part holds
the name and labels of each series, so that other versions can read it as well.
"""

import json
from collections.abc import Iterator

SERIES_MAX = 1024
NAMES_BYTES = 128 * 1024
_CELL_BYTES = 8
PART_BYTES = (1 + SERIES_MAX) * _CELL_BYTES + NAMES_BYTES
"""A part consists of the length of the names, the cells, and the names."""

DROPPED = "walletbridge_series_dropped_total"
_COUNTERS = ("_total", "_bucket", "_sum")
"""The name endings of series that only grow. All others describe the present, and end with the worker."""

type Key = tuple[str, ...]
"""The name of a series, then each label followed by its value."""


class Part:
    """
    The numbers of one worker. Another worker that takes over the part keeps the numbers that only grow.
    """

    def __init__(self, buffer: bytearray | memoryview | None = None) -> None:
        """`buffer` holds `PART_BYTES` bytes, at first zeros; None: memory of this process alone."""
        whole = memoryview(bytearray(PART_BYTES) if buffer is None else buffer)
        numbers = whole[: (1 + SERIES_MAX) * _CELL_BYTES].cast("Q")
        self._length = numbers[:1]
        self.cells = numbers[1:]
        """The numbers, by the places that `series` returns."""
        self._names = whole[(1 + SERIES_MAX) * _CELL_BYTES :]
        self._places = {key: place for place, (key, _) in enumerate(self.read())}
        # The first place is always there: it counts for series that have no place.
        self.series(DROPPED)

    def series(self, name: str, /, **labels: str) -> int:
        """The place of a series among the cells, new if needed; 0 if there is no room (DROPPED)."""
        key = (name, *(text for label in labels.items() for text in label))
        place = self._places.get(key)
        return self._add(key) if place is None else place

    def set(self, name: str, value: int, /, **labels: str) -> None:
        """Sets the present value of a series."""
        self.cells[self.series(name, **labels)] = value

    def add(self, name: str, /, **labels: str) -> None:
        """Adds one to a series. Frequent callers keep the place that `series` returns."""
        self.cells[self.series(name, **labels)] += 1

    def read(self) -> Iterator[tuple[Key, int]]:
        """All series with their numbers, in the order of their places."""
        lines = bytes(self._names[: self._length[0]]).splitlines()
        for place, line in enumerate(lines):
            yield tuple(json.loads(line)), self.cells[place]

    def end(self) -> None:
        """Ends the part of a dead worker: resets the series that describe the present."""
        for place, ((name, *_), _) in enumerate(self.read()):
            if not name.endswith(_COUNTERS):
                self.cells[place] = 0

    def _add(self, key: Key) -> int:
        line = json.dumps(key).encode() + b"\n"
        start, place = self._length[0], len(self._places)
        if place == SERIES_MAX or start + len(line) > NAMES_BYTES:
            return 0
        self._names[start : start + len(line)] = line
        # Set the length last: a reader finds a whole name or none.
        self._length[0] = start + len(line)
        self._places[key] = place
        return place

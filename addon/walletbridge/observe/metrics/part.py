"""
One worker's numbers, in memory that may be shared with other processes and outlives the worker.

A worker writes only its own part, so that nothing is lost and nothing is locked; whoever reads adds up all parts.
Each series carries its name and labels in the part itself, so that workers of another version can be read as well.
"""

import json
from collections.abc import Iterator

SERIES_MAX = 1024
NAMES_BYTES = 128 * 1024
_CELL_BYTES = 8
PART_BYTES = (1 + SERIES_MAX) * _CELL_BYTES + NAMES_BYTES
"""The size of a part: the length of the names, the cells, the names."""

DROPPED = "walletbridge_series_dropped_total"
_COUNTERS = ("_total", "_bucket", "_sum")
"""How the names of what only grows end. The others tell of a moment, and end with their worker."""

type Key = tuple[str, ...]
"""The name of a series, then its labels and their values in turns."""


class Part:
    """
    The numbers of one worker. Those that only grow are kept when another worker takes over the part.
    """

    def __init__(self, buffer: bytearray | memoryview | None = None) -> None:
        """`buffer` holds `PART_BYTES`, zeros at first; None is memory of this process's own."""
        whole = memoryview(bytearray(PART_BYTES) if buffer is None else buffer)
        numbers = whole[: (1 + SERIES_MAX) * _CELL_BYTES].cast("Q")
        self._length = numbers[:1]
        self.cells = numbers[1:]
        """The numbers, by what `series` has returned."""
        self._names = whole[(1 + SERIES_MAX) * _CELL_BYTES :]
        self._places = {key: place for place, (key, _) in enumerate(self.read())}
        # The first place, whatever happens to the others: where the numbers of what has no place go.
        self.series(DROPPED)

    def series(self, name: str, /, **labels: str) -> int:
        """The place of a series among the cells, a new one if need be."""
        key = (name, *(text for label in labels.items() for text in label))
        place = self._places.get(key)
        return self._add(key) if place is None else place

    def set(self, name: str, value: int, /, **labels: str) -> None:
        """Says how much there is of something now."""
        self.cells[self.series(name, **labels)] = value

    def add(self, name: str, /, **labels: str) -> None:
        """Counts one more. Whoever counts often keeps the place that `series` has returned."""
        self.cells[self.series(name, **labels)] += 1

    def read(self) -> Iterator[tuple[Key, int]]:
        """All series with their numbers, in the order in which they came."""
        lines = bytes(self._names[: self._length[0]]).splitlines()
        for place, line in enumerate(lines):
            yield tuple(json.loads(line)), self.cells[place]

    def end(self) -> None:
        """Its worker is dead: whatever told of a moment is over."""
        for place, ((name, *_), _) in enumerate(self.read()):
            if not name.endswith(_COUNTERS):
                self.cells[place] = 0

    def _add(self, key: Key) -> int:
        line = json.dumps(key).encode() + b"\n"
        start, place = self._length[0], len(self._places)
        if place == SERIES_MAX or start + len(line) > NAMES_BYTES:
            return 0
        self._names[start : start + len(line)] = line
        # Last: who reads meanwhile finds all of a name or nothing.
        self._length[0] = start + len(line)
        self._places[key] = place
        return place

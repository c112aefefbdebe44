"""A clock that moves only when a test says so."""


class FakeClock:
    """Seconds, of no epoch in particular; called, it tells the time."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def __call__(self) -> float:
        return self._now

    def tick(self, seconds: float) -> None:
        self._now += seconds

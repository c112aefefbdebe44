"""A gateway that ends takes SIGINT for itself."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _sigint() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)

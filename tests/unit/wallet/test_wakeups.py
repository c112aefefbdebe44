"""The wake-ups of gRPC: read at once, and never the last one, which tells of the calls."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.scripted_wallet import HOST

from walletbridge.settings import Wallet
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.wakeups import Gathered, gathered_wakeups


class Wakeups:
    """A pair of sockets like gRPC's."""

    def __init__(self) -> None:
        self.reading, self.writing = socket.socketpair()
        self.reading.settimeout(0)
        self.read: list[bytes] = []

    def take(self, *args: object) -> None:
        """What gRPC does."""
        assert not args
        self.read.append(self.reading.recv(1))


@pytest.fixture
def wakeups() -> Iterator[Wakeups]:
    made = Wakeups()
    yield made
    made.reading.close()
    made.writing.close()


class Slotted:
    """Knows what is read in it, and is no Python object through and through."""

    __slots__ = ("readers",)

    def __init__(self) -> None:
        self.readers: list[Callable[..., object]] = []

    def add_reader(self, file: object, read: Callable[..., object], *args: object) -> None:
        del file, args
        self.readers.append(read)


class Loop(Slotted):
    """One of asyncio's."""


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_all_that_have_come_are_read_at_once(wakeups: Wakeups, count: int) -> None:
    wakeups.writing.send(b"1" * count)
    Gathered(wakeups.reading, wakeups.take)()

    assert wakeups.read == [b"1"]
    with pytest.raises(BlockingIOError):
        wakeups.reading.recv(1)


def test_an_end_is_left_to_who_reads(wakeups: Wakeups) -> None:
    wakeups.writing.close()
    Gathered(wakeups.reading, wakeups.take)()

    assert wakeups.read == [b""]


def test_a_socket_that_is_no_more_is_left_to_who_reads(wakeups: Wakeups) -> None:
    wakeups.reading.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        Gathered(wakeups.reading, wakeups.take)()


def test_more_that_come_meanwhile_are_left(wakeups: Wakeups) -> None:
    """Their calls may have come too late to be found."""

    def read() -> None:
        wakeups.take()
        wakeups.writing.send(b"2")

    wakeups.writing.send(b"1" * 5)
    Gathered(wakeups.reading, read)()

    assert wakeups.read == [b"1"]
    assert wakeups.reading.recv(10) == b"2"


def test_where_not_all_could_be_told_the_others_are_left(wakeups: Wakeups) -> None:
    def read() -> None:
        wakeups.take()
        raise RuntimeError

    wakeups.writing.send(b"1" * 5)
    with pytest.raises(RuntimeError):
        Gathered(wakeups.reading, read)()

    assert wakeups.reading.recv(10) == b"1" * 4


async def test_grpc_itself_is_read_so() -> None:
    """If not, a later gRPC has found another way, and each call costs a turn of the loop more."""
    loop: Any = asyncio.get_running_loop()
    channel = Channel(Wallet(target=f"{HOST}:1"), on_change=lambda _: None)
    readers = [key.data[0]._callback for key in loop._selector.get_map().values()]
    await channel.close()

    assert Gathered in map(type, readers)


def test_what_else_is_read_is_left_alone(wakeups: Wakeups) -> None:
    loop: Any = Loop()
    blocking, other = socket.socketpair()
    with blocking, other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(0)
        with gathered_wakeups(loop):
            loop.add_reader(blocking, wakeups.take)
            loop.add_reader(datagrams, wakeups.take)
            loop.add_reader(wakeups.reading.fileno(), wakeups.take)
        loop.add_reader(wakeups.reading, wakeups.take)

    assert loop.readers == [wakeups.take] * 4


def test_a_loop_that_cannot_be_listened_to_is_left_as_it_is(wakeups: Wakeups) -> None:
    loop: Any = Slotted()
    with gathered_wakeups(loop):
        loop.add_reader(wakeups.reading, wakeups.take)

    assert loop.readers == [wakeups.take]


def test_a_loop_is_listened_to_once(wakeups: Wakeups) -> None:
    loop: Any = Loop()
    with gathered_wakeups(loop), gathered_wakeups(loop):
        loop.add_reader(wakeups.reading, wakeups.take)
    [reader] = loop.readers
    wakeups.writing.send(b"111")
    reader()

    assert type(reader) is Gathered
    assert wakeups.read == [b"1"]
    assert "add_reader" not in vars(loop)

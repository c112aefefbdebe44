"""Who is accepted, by whom and until when."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from walletbridge.serve import listening
from walletbridge.serve.listening import Listener
from walletbridge.serve.sockets import bind
from walletbridge.settings import Address


class Host:
    """Who greets everybody who comes in, and hears them out."""

    def __init__(self, sockets: list[socket.socket], name: bytes = b"host") -> None:
        self.name = name
        self.accepted = 0
        self.listener = Listener(sockets, self._connect, on_accept=self._count)

    def _count(self) -> None:
        self.accepted += 1

    def _connect(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._greet)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.name)
        await reader.read()
        writer.close()


@pytest.fixture
async def sockets() -> AsyncIterator[list[socket.socket]]:
    bound = bind(Address("127.0.0.1", 0), key="listen")
    yield bound
    for listener in bound:
        listener.close()


async def visit(address: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    greeting = await asyncio.wait_for(reader.read(16), 10)
    writer.close()
    await writer.wait_closed()
    return greeting


async def test_nobody_is_accepted_before_the_start_and_nobody_is_lost(sockets: list[socket.socket]) -> None:
    host = Host(sockets)
    visits = [asyncio.ensure_future(visit(sockets[0].getsockname())) for _ in range(5)]
    await asyncio.sleep(0.02)
    assert host.accepted == 0

    host.listener.start()

    assert await asyncio.gather(*visits) == [b"host"] * 5
    assert host.accepted == 5
    await host.listener.stop(is_last=True)


async def test_a_burst_spreads_over_all_who_share_the_sockets(sockets: list[socket.socket]) -> None:
    """One connection in every turn of the loop; with more, whoever wakes up first would take them all."""
    theirs = [socket.socket(fileno=listener.detach()) for listener in [sockets[0].dup()]]
    hosts = [Host(sockets, b"one"), Host(theirs, b"two")]
    visits = [asyncio.ensure_future(visit(sockets[0].getsockname())) for _ in range(20)]
    await asyncio.sleep(0.02)
    for host in hosts:
        host.listener.start()
    greetings = Counter(await asyncio.gather(*visits))

    assert greetings == {b"one": 10, b"two": 10}
    for host in hosts:
        await host.listener.stop(is_last=False)


async def test_who_waits_at_the_end_is_still_accepted(sockets: list[socket.socket]) -> None:
    host = Host(sockets)
    host.listener.start()
    with socket.socket() as waiting:
        # Not awaited, so that the loop has no turn in which to accept it.
        waiting.connect(sockets[0].getsockname())
        await host.listener.stop(is_last=True)

        assert host.accepted == 1
        waiting.settimeout(10)
        assert await asyncio.to_thread(waiting.recv, 16) == b"host"


async def test_one_of_several_leaves_the_sockets_to_the_others(sockets: list[socket.socket]) -> None:
    ours = [listener.dup() for listener in sockets]
    leaving, staying = Host(ours), Host(sockets, b"other")
    leaving.listener.start()
    await leaving.listener.stop(is_last=False)
    visiting = asyncio.ensure_future(visit(sockets[0].getsockname()))
    await asyncio.sleep(0.02)
    staying.listener.start()

    assert await visiting == b"other"
    assert leaving.accepted == 0
    await staying.listener.stop(is_last=True)


async def test_too_many_open_files_are_survived(sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(socket.socket):
        is_full = True

        def accept(self) -> tuple[socket.socket, object]:
            if self.is_full:
                raise OSError(24, "Too many open files")
            return super().accept()

    monkeypatch.setattr(listening, "ACCEPT_AGAIN_SECONDS", 0.01)
    full = Full(fileno=sockets[0].dup().detach())
    host = Host([full])
    host.listener.start()
    visiting = asyncio.ensure_future(visit(sockets[0].getsockname()))
    await asyncio.sleep(0.05)
    assert not visiting.done()

    Full.is_full = False

    assert await visiting == b"host"
    await host.listener.stop(is_last=True)


async def test_mitmproxy_may_close_it_at_any_time(sockets: list[socket.socket]) -> None:
    address = sockets[0].getsockname()
    host = Host(sockets)
    host.listener.start()
    host.listener.close()
    host.listener.close()

    with pytest.raises(ConnectionRefusedError):
        await visit(address)

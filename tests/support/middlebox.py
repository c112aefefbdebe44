"""Something on the way to the wallet that keeps a connection alive although its far side is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"
READ_BYTES = 65536


class Middlebox:
    """
    A TCP proxy. What goes through connections that it has *lost* is taken, acknowledged and forgotten; new ones work.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._generation = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        """How many there ever were."""
        self.open = 0
        """How many there are."""
        self.takes_new = True
        """Whether new connections work as well; if not, they are taken and lost at once."""

    def lose(self) -> None:
        """From now on nothing passes the connections that there are."""
        self._generation += 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.open += 1
        generation = self._generation if self.takes_new else -1
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            writer.transport.abort()
            self.open -= 1
            return
        ways = {
            asyncio.create_task(self._pass_on(reader, far_writer, generation)),
            asyncio.create_task(self._pass_on(far_reader, writer, generation)),
        }
        self._tasks |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for each in (writer, far_writer):
            each.transport.abort()
        self._tasks -= ways
        self.open -= 1

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, generation: int) -> None:
        with suppress(OSError):
            while data := await reader.read(READ_BYTES):
                if generation == self._generation:
                    writer.write(data)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def middlebox_to(port: int) -> AsyncIterator[Middlebox]:
    """A middlebox before a port."""
    middlebox = Middlebox(port)
    server = await asyncio.start_server(middlebox.serve, HOST, 0)
    middlebox.port = server.sockets[0].getsockname()[1]
    try:
        yield middlebox
    finally:
        server.close()
        middlebox.stop()
        while middlebox.open:  # noqa: ASYNC110 - a test waits for its own helper
            await asyncio.sleep(0.01)
        # The transports that it aborted end in the loop's next round.
        await asyncio.sleep(0.01)

"""
A worker process of `serve --workers`. The supervisor starts it with sockets, memory and a pipe to inherit.

A fresh interpreter, so that a reload brings new code as well as new settings.
"""

import os
import signal
import socket
import sys
from pathlib import Path

import click
import msgspec

from walletbridge.gateway.shared_memory import SharedMemory
from walletbridge.protocol.errors import SettingsError
from walletbridge.proxy.patches.import_addons_singly import import_addons_singly
from walletbridge.serve.worker_pipe import Control
from walletbridge.settings import load
from walletbridge.settings.small_files import TEXT_BYTES_MAX

MODULE = "walletbridge.serve.worker"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of a worker: descriptors of inherited files, and its place among the workers."""

    sockets: tuple[int, ...]
    """They already listen."""
    memory: int
    parts: int
    """The number of parts of the memory."""
    part: int
    """The number of this worker's part, from 0."""
    control: int
    content: int | None = None
    """The settings as the supervisor took them over: the file may have been edited since."""


def command(config: Path, place: Place) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-m", MODULE, str(config), msgspec.json.encode(place).decode()]


@click.command(hidden=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("place_json")
def main(config: Path, place_json: str) -> None:
    """Run a worker. Only the supervisor starts it."""
    # SIGHUP is for the supervisor, even if this process receives it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    place = msgspec.json.decode(place_json, type=Place)
    try:
        settings = load(config, None if place.content is None else os.pread(place.content, TEXT_BYTES_MAX, 0))
        memory = SharedMemory(place.memory, place.parts)
    except (SettingsError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if place.content is not None:
        os.close(place.content)
    import_addons_singly()
    from walletbridge.serve.doors import Doors  # noqa: PLC0415 - mitmproxy, only once the settings are valid
    from walletbridge.serve.launch import Kind, launch  # noqa: PLC0415 - see above

    for file in (*place.sockets, place.memory, place.control):
        # Processes that the worker starts must not inherit it.
        os.set_inheritable(file, False)  # noqa: FBT003 - its only way
    os.set_blocking(place.control, False)
    doors = Doors(
        sockets=[socket.socket(fileno=file) for file in place.sockets],
        share=memory.share(place.part),
        serve=settings.serve,
        control=Control(place.control),
    )
    launch(Kind.SERVE, config, settings, doors=doors)


if __name__ == "__main__":
    main()

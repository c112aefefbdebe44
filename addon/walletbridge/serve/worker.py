"""
A worker process of `serve --workers`: started by the supervisor, with sockets, memory and a wire that it inherits.

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
    """What a worker is given. The numbers of inherited files, and its own place among the workers."""

    sockets: tuple[int, ...]
    """They listen already."""
    memory: int
    parts: int
    """How many parts the memory has."""
    part: int
    """Which of them is this worker's."""
    control: int
    content: int | None = None
    """The settings as they were when the supervisor took them over: the file may have been edited since."""


def command(config: Path, place: Place) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-m", MODULE, str(config), msgspec.json.encode(place).decode()]


@click.command(hidden=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("place_json")
def main(config: Path, place_json: str) -> None:
    """Run a worker. Only the supervisor starts it."""
    # It is for the supervisor, whoever else gets it.
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
    from walletbridge.serve.doors import Doors  # noqa: PLC0415 - mitmproxy, only once it is known to be needed
    from walletbridge.serve.launch import Kind, launch  # noqa: PLC0415 - see above

    for file in (*place.sockets, place.memory, place.control):
        # The upstream's and anybody else's processes are none of its business.
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

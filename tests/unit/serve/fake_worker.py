"""
A worker without mitmproxy: it does what its settings file (JSON) says, and tells its process id to whoever connects.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import msgspec

from walletbridge.gateway.shared_memory import SharedMemory
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.names import WorkerState
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.worker import Place


def main() -> None:
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    place = msgspec.json.decode(sys.argv[2], type=Place)
    part = SharedMemory(place.memory, place.parts).part(place.part)
    part.add("starts_total")
    _is(part, WorkerState.STARTING)
    if "exit" in plan:
        sys.exit(plan["exit"])
    part.set(names.WALLET_CONNECTED, int(plan.get("wallet", True)))
    if plan.get("is_slow"):
        time.sleep(3600)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if plan.get("is_deaf") else lambda *_: _end(part))
    signal.signal(signal.SIGINT, lambda *_: os._exit(7))
    _is(part, WorkerState.READY)
    if not os.read(place.control, 1):
        return
    if "locks" in plan:
        locked = apsw.Connection(plan["locks"])
        locked.execute("BEGIN IMMEDIATE")
    _is(part, WorkerState.SERVING)
    for number in place.sockets:
        threading.Thread(target=_greet, args=[socket.socket(fileno=number)], daemon=True).start()
    while True:
        if not plan.get("hangs"):
            part.add(names.BEATS)
        time.sleep(0.05)


def _greet(listener: socket.socket) -> None:
    listener.setblocking(True)  # noqa: FBT003 - its only argument
    while True:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(str(os.getpid()).encode())


def _end(part: Part) -> None:
    _is(part, WorkerState.DRAINING)
    os._exit(0)


def _is(part: Part, state: WorkerState) -> None:
    for each in WorkerState:
        part.set(names.WORKERS, int(each is state), state=each)


if __name__ == "__main__":
    main()

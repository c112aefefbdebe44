"""What systemd is told, and when nothing is."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from walletbridge.serve.systemd import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        yield manager


def test_systemd_hears_of_each_step(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000000"})
    notifier.ready()
    notifier.reloading()
    notifier.alive()
    notifier.stopping()
    said = [manager.recv(100).decode() for _ in range(4)]

    assert [said[0], said[2], said[3]] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    reloading, clock = said[1].splitlines()
    assert reloading == "RELOADING=1"
    assert int(clock.removeprefix("MONOTONIC_USEC=")) > 0


def test_an_abstract_socket_is_named_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0walletbridge-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@walletbridge-test-{os.getpid()}"}).ready()

        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        # Of another process: a worker's supervisor, a shell around us.
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_signs_of_life_are_given_where_they_are_expected(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environ).watchdog_seconds == seconds


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_without_systemd_nothing_happens(address: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"})
    notifier.ready()
    notifier.alive()


def test_no_sign_of_life_where_none_is_expected(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.alive()
    notifier.ready()

    assert manager.recv(100) == b"READY=1"

"""Listening sockets: bound before anybody accepts, and taken down with nobody lost."""

import socket
import threading

import pytest

from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.sockets import addresses_of, bind, close, refuse_new
from walletbridge.settings import Address

LOOPBACK = Address("127.0.0.1", 0)


def test_any_free_port_is_one_port_for_all_addresses_of_a_name() -> None:
    sockets = bind(Address("localhost", 0), key="listen")
    ports = {listener.getsockname()[1] for listener in sockets}
    found = addresses_of(sockets)
    close(sockets)

    assert len(ports) == 1
    assert 0 not in ports
    assert all(address.endswith(f":{ports.copy().pop()}") for address in found)


def test_an_address_of_version_6_is_told_in_brackets() -> None:
    sockets = bind(Address("::1", 0), key="listen")
    [found] = addresses_of(sockets)
    close(sockets)

    assert found.startswith("[::1]:")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_listened_on_is_named(host: str) -> None:
    with pytest.raises(SettingsError, match=rf"\Aadmin.listen: cannot listen on {host}:80: \w+"):
        bind(Address(host, 80), key="admin.listen")


def test_a_port_that_is_taken_is_not_shared() -> None:
    """By another gateway: whoever starts a second one must hear of it."""
    [taken] = bind(LOOPBACK, key="listen")
    port = taken.getsockname()[1]

    with pytest.raises(SettingsError, match="in use"):
        bind(Address("127.0.0.1", port), key="listen")
    taken.close()


def test_after_the_last_call_nobody_new_gets_in_and_who_waits_is_served() -> None:
    [listener] = bind(LOOPBACK, key="listen")
    address = listener.getsockname()
    waiting = socket.create_connection(address)
    refuse_new([listener])
    late: list[type[Exception]] = []

    def come_late() -> None:
        try:
            socket.create_connection(address, timeout=30).close()
        except OSError as error:
            late.append(type(error))

    thread = threading.Thread(target=come_late)
    thread.start()
    accepted, _ = listener.accept()
    with pytest.raises(BlockingIOError):
        listener.accept()
    waiting.sendall(b"callback")
    accepted.setblocking(True)  # noqa: FBT003 - its only argument
    assert accepted.recv(8) == b"callback"
    close([listener])
    thread.join()

    # It was refused, and not reset: its callback was certainly not taken.
    assert late == [ConnectionRefusedError]
    waiting.close()
    accepted.close()

"""What is around a gateway: a port of its own that is taken is no fault; one that it can never have is."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from walletbridge.connect.surroundings import listeners, unreachable
from walletbridge.settings import Address, Admin, Journal, Settings, Tracing, Upstream, Wallet


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def settings(listen: Address, *, admin: Address | None = None, url: Upstream | None = None) -> Settings:
    return Settings(
        listen=listen,
        admin=Admin(listen=admin) if admin else None,
        upstream=url,
        tracing=Tracing(endpoint=url) if url else None,
        wallet=Wallet(target="127.0.0.1:1"),
        journal=Journal(path=Path("journal.db")),
    )


def test_free_addresses_need_no_word() -> None:
    free = Address("127.0.0.1", 0)

    assert list(listeners(settings(free, admin=free))) == []


def test_what_is_in_use_is_noted_for_it_may_be_the_gateway_itself(taken: int) -> None:
    mine = Address("127.0.0.1", taken)

    assert list(listeners(settings(mine, admin=mine))) == [
        (False, f"{key}: {mine} is in use; by this gateway, if it runs, else it could not start")
        for key in ("listen", "admin.listen")
    ]


def test_an_address_of_another_machine_is_wrong() -> None:
    foreign = Address("192.0.2.1", 0)

    assert list(listeners(settings(foreign, admin=foreign))) == [
        (True, f"{key}: cannot listen on {foreign}: Cannot assign requested address")
        for key in ("listen", "admin.listen")
    ]


def test_looking_does_not_listen(taken: int) -> None:
    list(listeners(settings(Address("127.0.0.1", taken))))

    socket.create_connection(("127.0.0.1", taken), timeout=1).close()


def test_what_cannot_be_connected_to_is_named(taken: int) -> None:
    there = Upstream(f"http://127.0.0.1:{taken}")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = Upstream(f"http://127.0.0.1:{nobody.getsockname()[1]}")

        assert list(unreachable(settings(Address("127.0.0.1", 0), url=there))) == []
        assert list(unreachable(settings(Address("127.0.0.1", 0), url=away))) == [
            f"{key}: no connection to {away}: Connection refused" for key in ("upstream", "tracing.endpoint")
        ]

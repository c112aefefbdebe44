"""Which addresses callbacks may come from."""

from ipaddress import ip_network

import pytest

from walletbridge.peers import Peers

LISTED = Peers([ip_network("192.0.2.0/24"), ip_network("198.51.100.7/32"), ip_network("2001:db8::/32")])


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),  # the first beyond the network
        ("192.0.1.255", False),  # the last before it
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("2001:db8::1", True),
        ("2001:DB8:0:0:0:0:0:1", True),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db9::", False),
        ("2001:db8::1%eth0", True),  # with its zone
        ("2001:db9::1%eth0", False),
        ("::ffff:192.0.2.1", True),  # IPv4, as a socket for both families shows it
        ("::ffff:192.0.3.1", False),
        ("::192.0.2.1", False),  # looks like it
    ],
)
def test_an_address_is_accepted_if_a_network_has_it(address: str, *, accepted: bool) -> None:
    assert LISTED.accept(address) is accepted


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "192.0.2",
        "192.0.2.1.1",
        "192.0.2.1:8080",
        "0192.0.2.1",
        "192.0.2.01",
        "/run/socket",
        "::x",
        "%",
        "\0",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert LISTED.accept(address) is False


@pytest.mark.parametrize("address", ["192.0.2.1", "::1", "::ffff:192.0.2.1", "", "localhost"])
def test_an_empty_list_accepts_everybody(address: str) -> None:
    assert Peers([]).accept(address) is True


def test_all_of_ipv4_is_not_all_of_ipv6() -> None:
    everyone = Peers([ip_network("0.0.0.0/0")])

    assert everyone.accept("203.0.113.9") is True
    assert everyone.accept("::ffff:203.0.113.9") is True
    assert everyone.accept("2001:db8::1") is False

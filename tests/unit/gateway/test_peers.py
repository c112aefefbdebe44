"""Which addresses callbacks may come from, directly and through proxies."""

from ipaddress import ip_address, ip_network

import pytest

from walletbridge.gateway.peers import HOPS_MAX, Peers

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


# Behind proxies

BEHIND = Peers(
    [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")],
    trusted_proxies=[ip_network("10.0.0.0/8"), ip_network("fd00::/8")],
)
PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "accepted"),
    [
        ("192.0.2.1", True),
        ("198.51.100.1", False),
        ("198.51.100.1, 192.0.2.1", True),  # what the client said of itself does not count
        ("192.0.2.1, 198.51.100.1", False),  # nor does it help
        ("192.0.2.1, 10.1.2.3", True),  # through two proxies
        ("192.0.2.1, 10.1.2.3, fd00::1", True),
        ("192.0.2.1, 198.51.100.1, 10.1.2.3", False),
        ("10.9.9.9, 10.1.2.3", False),  # from a proxy itself, which is not listed
        ("  192.0.2.1  ", True),
        ("192.0.2.1\t,\t10.1.2.3", True),
        ("192.0.2.1:49152", True),
        ("192.0.2.1:49152, 10.1.2.3:80", True),
        ("198.51.100.1:49152", False),
        ("2001:db8::1", True),
        ("[2001:db8::1]", True),
        ("[2001:db8::1]:49152", True),
        ("[2001:db9::1]:49152", False),
        ("2001:db8::1, [fd00::1]:443", True),
        ("::ffff:192.0.2.1", True),
        ("[::ffff:192.0.2.1]:49152", True),
        ("192.0.2.1, ::ffff:10.1.2.3", True),
        ("::ffff:198.51.100.1", False),
        ("garbage, 192.0.2.1", True),  # beyond the client nobody looks
        (", 192.0.2.1", True),
    ],
)
def test_behind_a_trusted_proxy_the_header_tells_the_client_from_the_right(forwarded: str, *, accepted: bool) -> None:
    assert BEHIND.accept(PROXY, [forwarded.encode()]) is accepted
    assert BEHIND.accept(f"::ffff:{PROXY}", [forwarded.encode()]) is accepted


@pytest.mark.parametrize(
    "hop",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        '"192.0.2.1"',
        "'192.0.2.1'",
        "192.0.2",
        "192.0.2.1:",
        "192.0.2.1:x",
        "192.0.2.1:-1",
        "192.0.2.1:123456",
        "192.0.2.1:1:1",
        "192.0.2.1 10.0.0.1",
        "192.0.2.1;10.0.0.1",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]80",
        "[2001:db8::1]:",
        "[[2001:db8::1]]",
        "[]:80",
        ":80",
        "for=192.0.2.1",
        "\xb2192.0.2.1",
        "192.0.2.\xb9",
        "192.0.2.1:\xb9",
        "192.0.2.1\x00",
        "192.0.2.1\xa0",
        "192.0.2.1\n",
    ],
)
def test_a_hop_that_cannot_be_read_is_refused_wherever_the_client_might_be(hop: str) -> None:
    for forwarded in (hop, f"192.0.2.1, {hop}", f"192.0.2.1, {hop}, 10.0.0.2"):
        assert BEHIND.accept(PROXY, [forwarded.encode("latin-1")]) is False


def test_a_trusted_proxy_that_names_nobody_is_refused() -> None:
    assert BEHIND.accept(PROXY) is False


def test_several_headers_are_one_list_in_their_order() -> None:
    assert BEHIND.accept(PROXY, [b"198.51.100.1", b"192.0.2.1"]) is True
    assert BEHIND.accept(PROXY, [b"192.0.2.1", b"198.51.100.1"]) is False
    assert BEHIND.accept(PROXY, [b"192.0.2.1", b"10.0.0.2, 10.0.0.3"]) is True
    assert BEHIND.accept(PROXY, [b"192.0.2.1", b""]) is False


@pytest.mark.parametrize("peer", ["198.51.100.1", "::ffff:198.51.100.1", "11.0.0.1", "", "unix"])
def test_what_anybody_else_says_of_itself_does_not_count(peer: str) -> None:
    assert BEHIND.accept(peer, [b"192.0.2.1"]) is False


def test_a_listed_client_may_come_without_the_proxy_whatever_it_says() -> None:
    assert BEHIND.accept("192.0.2.1", [b"198.51.100.1"]) is True


def test_a_proxy_that_is_listed_itself_may_bring_callbacks_of_its_own() -> None:
    peers = Peers([ip_network("10.0.0.1/32")], trusted_proxies=[ip_network("10.0.0.0/8")])

    assert peers.accept(PROXY, [b"10.0.0.1"]) is True
    assert peers.accept(PROXY, [b"10.0.0.1, 10.0.0.2"]) is True
    assert peers.accept(PROXY, [b"10.0.0.2"]) is False
    assert peers.accept(PROXY, [b"198.51.100.1"]) is False


def test_of_a_long_list_only_the_end_is_read() -> None:
    proxies = ["10.0.0.2"] * HOPS_MAX

    assert BEHIND.accept(PROXY, [", ".join(["192.0.2.1", *proxies[1:]]).encode()]) is True
    assert BEHIND.accept(PROXY, [", ".join(["192.0.2.1", *proxies]).encode()]) is False
    listed = Peers([ip_network("10.0.0.0/8")], trusted_proxies=[ip_network("10.0.0.0/8")])
    assert listed.accept(PROXY, [", ".join(proxies).encode()]) is True
    assert listed.accept(PROXY, [", ".join([*proxies, "10.0.0.2"]).encode()]) is False


def test_without_a_list_a_proxy_changes_nothing() -> None:
    assert Peers([], trusted_proxies=[ip_network("10.0.0.0/8")]).accept(PROXY, [b"garbage"]) is True


def test_the_client_s_address_is_told() -> None:
    assert BEHIND.client(PROXY, [b"::ffff:192.0.2.1"]) == ip_address("192.0.2.1")
    assert BEHIND.client("::ffff:198.51.100.1") == ip_address("198.51.100.1")
    assert BEHIND.client(PROXY, [b"unknown"]) is None
    assert BEHIND.client("unix") is None


def test_a_proxy_is_known_by_its_network() -> None:
    peers = Peers((), trusted_proxies=(ip_network("10.0.0.0/8"),))

    assert peers.is_trusted("10.1.2.3")
    assert peers.is_trusted("::ffff:10.1.2.3")
    assert not peers.is_trusted("192.0.2.1")
    assert not peers.is_trusted("nonsense")


@pytest.mark.parametrize(
    ("peer", "is_outside"),
    [("192.0.2.1", False), ("10.0.0.1", False), ("203.0.113.1", True), ("::ffff:192.0.2.1", False), ("nonsense", True)],
)
def test_a_connection_from_neither_callers_nor_proxies_is_from_outside(peer: str, *, is_outside: bool) -> None:
    peers = Peers([ip_network("192.0.2.0/24")], trusted_proxies=[ip_network("10.0.0.0/8")])

    assert is_outside is peers.is_outside(peer)
    assert not Peers([]).is_outside(peer)

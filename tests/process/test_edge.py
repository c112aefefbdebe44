"""What stands between a client and its first request: TLS handshakes, certificates of clients, PROXY headers."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.process.house import PLAYER, House
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    address_of,
    arguments,
    connected,
    end_of,
    has_logged,
    raw_post,
    read_answer,
    running,
    write_settings,
)
from tests.support.tls import Authority, KeyPair
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

BALANCE = raw_post(body(make_callback("balance")))
ANSWER = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
WRONG = (200, b'{"result":100,"status":"ERROR"}')
V1 = b"PROXY TCP4 %b 198.51.100.7 56224 443\r\n"
V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24" + bytes.fromhex("20010db8" + "00" * 11 + "01") * 2 + b"\x01\x02\x01\xbb"
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"


@pytest.fixture(autouse=True)
def _a_player(house: House) -> None:
    house.players(**{PLAYER: 1000})


def tls_of(pair: KeyPair, **more: Any) -> dict[str, Any]:
    return {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file), **more}


def trusting(ca_file: Path, *, alpn: tuple[str, ...] = (), shows: KeyPair | None = None) -> ssl.SSLContext:
    trust = ssl.create_default_context(cafile=str(ca_file))
    # The authority of these tests leaves out what newer versions of Python insist on.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if alpn:
        trust.set_alpn_protocols(list(alpn))
    if shows:
        trust.load_cert_chain(shows.cert_file, shows.key_file)
    return trust


async def balance(gateway: GatewayProcess, context: ssl.SSLContext) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=context)
    try:
        writer.write(BALANCE)
        return await asyncio.wait_for(read_answer(reader), 20)
    finally:
        writer.transport.abort()


async def test_failed_handshakes_are_told_of_together_by_their_cause(house: House, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    config = write_settings(tmp_path, wallet_port=house.wallet.port, tls=tls_of(authority.sign("first")))
    async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
        with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
            await balance(gateway, trusting(authority.ca_file, alpn=("h2",)))
        with pytest.raises(ssl.SSLCertVerificationError):
            await balance(gateway, trusting(stranger.ca_file))
        for _ in range(50):
            async with connected(gateway) as (reader, writer):
                writer.write(b"\x16\x03\x01\x00\x08\x01\x00\x00\x04nope")
                await asyncio.wait_for(reader.read(), 20)
        assert await balance(gateway, trusting(authority.ca_file)) == ANSWER
        await until(lambda: any("no ClientHello" in line for line in gateway.lines))
        told = [line for line in gateway.lines if "TLS: " in line]
        assert all('"event": "clients turned away"' in line for line in told)
        assert "TLS: no common protocol (ALPN)" in "".join(told)
        assert len(told) < 20
        assert not any("handshake failed" in line for line in gateway.lines)


async def test_clients_show_a_certificate_of_the_provider(house: House, tmp_path: Path) -> None:
    authority, provider = Authority(tmp_path), Authority(tmp_path, "provider")
    tls = tls_of(authority.sign("first"), client_ca_file=str(provider.ca_file), client_names=["caller"])
    config = write_settings(tmp_path, wallet_port=house.wallet.port, tls=tls)
    async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
        caller = provider.sign("caller", names=())
        assert await balance(gateway, trusting(authority.ca_file, shows=caller)) == ANSWER
        for shows in (None, authority.sign("caller-of-others", names=()), provider.sign("another", names=())):
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await balance(gateway, trusting(authority.ca_file, shows=shows))


async def test_the_address_in_a_proxy_header_is_the_callers(house: House, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for tls in (None, tls_of(authority.sign("first"))):
        config = write_settings(
            tmp_path,
            wallet_port=house.wallet.port,
            upstream=house.upstream.url,
            callback={
                "proxy_protocol": True,
                "trusted_proxies": ["127.0.0.0/8"],
                "allow_from": ["192.0.2.0/24", "2001:db8::/32"],
            },
            **({"tls": tls} if tls else {}),
        )
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            for header, answer in ((V1 % b"192.0.2.1", ANSWER), (V2, ANSWER), (V1 % b"203.0.113.1", WRONG)):
                async with connected(gateway) as (reader, writer):
                    writer.write(header)
                    if tls:
                        await writer.start_tls(trusting(authority.ca_file), server_hostname="127.0.0.1")
                    writer.write(BALANCE + b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n" + BALANCE)
                    assert await read_answer(reader) == answer
                    # Behind another path mitmproxy reads the connection, and the address is still the header's.
                    assert (await read_answer(reader))[0] == 200
                    assert await read_answer(reader) == answer
            for header in (BALANCE, b"PROXY TCP4 nonsense\r\n" + BALANCE, b"PROXY " + b"x" * 200):
                async with connected(gateway) as (reader, writer):
                    writer.write(header)
                    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                        await asyncio.wait_for(reader.readexactly(1), 20)
            async with connected(gateway) as (reader, writer):
                # The balancer asks for itself, and is no address that may call.
                writer.write(LOCAL)
                if tls:
                    await writer.start_tls(trusting(authority.ca_file), server_hostname="127.0.0.1")
                writer.write(BALANCE)
                assert await read_answer(reader) == WRONG
            await until(lambda: has_logged(gateway, "clients turned away"))


async def test_a_certificate_that_nobody_accepts_ends_the_start_and_asks_nobody(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for pair, said in (
        (authority.sign("late", days=(-2, -1)), "tls.cert_file: the certificate CN=late expired on"),
        (authority.sign("secret", passphrase=b"open sesame"), "secret-key.pem is encrypted"),
    ):
        config = write_settings(tmp_path, wallet_port=1, tls=tls_of(pair))

        code, output = await end_of(arguments(Way.SERVE, config), tmp_path)

        assert code == 1
        assert said in output
        assert "Traceback" not in output

"""The listener's certificate: read at the start, and again when it changes."""

import asyncio
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import DNSName, UniformResourceIdentifier
from mitmproxy.options import Options
from mitmproxy.proxy import context
from mitmproxy.test import tflow
from mitmproxy.tls import TlsData
from OpenSSL import SSL
from tests.support.tls import Authority, KeyPair

from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.certificates import Certificates
from walletbridge.settings import ListenerTls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings(pair: KeyPair, **more: Any) -> ListenerTls:
    return ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file, **more)


def handshake(
    certificates: Certificates,
    ca_file: Path,
    *,
    alpn: tuple[str, ...] = ("http/1.1",),
    ciphers: str = "",
    shows: KeyPair | None = None,
) -> tuple[str, str]:
    """What a client that trusts the authority is shown: the name in the certificate, and the protocol."""
    client = tflow.tclient_conn()
    data = TlsData(client, context.Context(client, Options()))
    certificates.tls_start_client(data)
    server: Any = data.ssl_conn
    trust = ssl.create_default_context(cafile=str(ca_file))
    # The authority of these tests leaves out what newer versions of Python insist on.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    trust.set_alpn_protocols(list(alpn))
    if ciphers:
        trust.maximum_version = ssl.TLSVersion.TLSv1_2
        trust.set_ciphers(ciphers)
    if shows:
        trust.load_cert_chain(shows.cert_file, shows.key_file)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = trust.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    for _ in range(10):
        done = _step(peer.do_handshake, ssl.SSLWantReadError)
        if sent := outgoing.read():
            server.bio_write(sent)
        done &= _step(server.do_handshake, SSL.WantReadError)
        while received := _received(server):
            incoming.write(received)
        if done:
            break
    shown: Any = peer.getpeercert()
    return dict(field[0] for field in shown["subject"])["commonName"], peer.selected_alpn_protocol() or ""


def _step(act: Any, wants_more: type[Exception]) -> bool:
    try:
        act()
    except wants_more:
        return False
    return True


def _received(server: Any) -> bytes:
    try:
        return bytes(server.bio_read(65535))
    except SSL.WantReadError:
        return b""


def replace(pair: KeyPair, by: KeyPair) -> None:
    shutil.copy(by.cert_file, pair.cert_file)
    shutil.copy(by.key_file, pair.key_file)


def test_a_client_is_shown_the_certificate(authority: Authority) -> None:
    certificates = Certificates(settings(authority.sign("first")))

    assert handshake(certificates, authority.ca_file) == ("first", "http/1.1")
    assert handshake(certificates, authority.ca_file, alpn=("h2", "http/1.1")) == ("first", "http/1.1")


def test_http2_is_chosen_only_where_it_is_wanted(authority: Authority) -> None:
    certificates = Certificates(settings(authority.sign("first")), http2=True)

    assert handshake(certificates, authority.ca_file, alpn=("http/1.1", "h2"))[1] == "http/1.1"
    assert handshake(certificates, authority.ca_file, alpn=("h2", "http/1.1"))[1] == "h2"


def test_a_certificate_that_changes_is_read_again(authority: Authority) -> None:
    pair = authority.sign("first")
    certificates = Certificates(settings(pair))
    assert handshake(certificates, authority.ca_file)[0] == "first"

    replace(pair, authority.sign("second"))

    assert handshake(certificates, authority.ca_file)[0] == "second"


def test_files_that_do_not_fit_together_change_nothing(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    """As in the moment between the one and the other."""
    pair, second = authority.sign("first"), authority.sign("second")
    certificates = Certificates(settings(pair))

    shutil.copy(second.cert_file, pair.cert_file)
    assert handshake(certificates, authority.ca_file)[0] == "first"
    assert "the certificate stays as it was: tls.key_file: " in caplog.text
    shutil.copy(second.key_file, pair.key_file)
    assert handshake(certificates, authority.ca_file)[0] == "second"
    pair.cert_file.unlink()
    assert handshake(certificates, authority.ca_file)[0] == "second"


def test_mistakes_are_told_by_the_key_of_the_settings(authority: Authority, tmp_path: Path) -> None:
    first, second, nowhere = authority.sign("first"), authority.sign("second"), tmp_path / "nowhere.pem"
    mistakes = {
        "tls.cert_file: cannot read .*nowhere.pem: No such file": (nowhere, first.key_file),
        "tls.key_file: cannot read .*nowhere.pem: No such file": (first.cert_file, nowhere),
        "tls.cert_file: .*first-key.pem is no certificate": (first.key_file, first.key_file),
        "tls.key_file: .*second-key.pem is not the key of the certificate": (first.cert_file, second.key_file),
    }
    for said, (cert_file, key_file) in mistakes.items():
        with pytest.raises(SettingsError, match=said):
            Certificates(ListenerTls(cert_file=cert_file, key_file=key_file))


def test_a_client_that_speaks_none_of_our_protocols_is_refused(authority: Authority) -> None:
    """RFC 7301 section 3.2. One that offers none at all speaks HTTP/1.1."""
    certificates = Certificates(settings(authority.sign("first")))

    with pytest.raises(SSL.Error, match="no application protocol"):
        handshake(certificates, authority.ca_file, alpn=("h2", "acme-tls/1"))
    assert handshake(certificates, authority.ca_file, alpn=())[1] == ""
    assert handshake(certificates, authority.ca_file, alpn=("acme-tls/1", "http/1.0"))[1] == "http/1.0"


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "AES128-SHA"])
def test_tls_1_2_without_forward_secrecy_or_authenticated_encryption_is_refused(
    authority: Authority, ciphers: str
) -> None:
    pair = authority.sign("rsa", key=rsa.generate_private_key(65537, 2048))
    certificates = Certificates(settings(pair))

    with pytest.raises(SSL.Error, match="no shared cipher"):
        handshake(certificates, authority.ca_file, ciphers=ciphers)
    assert handshake(certificates, authority.ca_file, ciphers="ECDHE-RSA-AES128-GCM-SHA256")[0] == "rsa"


def test_an_encrypted_key_that_comes_with_a_change_is_not_asked_for(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenSSL by itself asks for the pass phrase on the terminal, and all connections wait."""
    pair = authority.sign("first")
    certificates = Certificates(settings(pair))

    replace(pair, authority.sign("second", passphrase=b"open sesame"))

    assert [handshake(certificates, authority.ca_file)[0] for _ in range(3)] == ["first"] * 3
    assert caplog.text.count("the certificate stays as it was: tls.key_file: ") == 1
    assert "is encrypted" in caplog.text


def test_files_that_are_gone_are_told_of_once(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    pair = authority.sign("first")
    certificates = Certificates(settings(pair))

    pair.key_file.unlink()

    assert [handshake(certificates, authority.ca_file)[0] for _ in range(3)] == ["first"] * 3
    assert caplog.text.count("the certificate stays as it was: tls.key_file: cannot read ") == 1


def test_a_valid_certificate_is_not_replaced_by_one_that_is_not(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    pair = authority.sign("first")
    certificates = Certificates(settings(pair))

    replace(pair, authority.sign("second", days=(-2, -1)))
    assert handshake(certificates, authority.ca_file)[0] == "first"
    assert "stays as it was: tls.cert_file: the certificate CN=second expired on" in caplog.text

    certificates = Certificates(settings(pair))
    replace(pair, authority.sign("third", days=(-3, -2)))
    certificates.read_again()
    assert "the certificate was read again" in caplog.text


async def test_what_clients_refuse_or_will_soon_refuse_is_logged_from_the_start(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    pair = authority.sign("first", days=(-1, 20.5), names=())
    certificates = Certificates(settings(pair))
    certificates.running()
    await asyncio.sleep(0)
    certificates.done()

    assert "tls.cert_file: the certificate CN=first expires in 20 days" in caplog.text
    assert "has no subject alternative name" in caplog.text
    caplog.clear()
    Certificates(settings(pair, warn_days=10)).warn()
    assert "expires" not in caplog.text
    Certificates(settings(authority.sign("second", days=(-2, -1)))).warn()
    assert "the certificate CN=second expired on" in caplog.text


async def test_what_never_ran_can_end(authority: Authority) -> None:
    Certificates(settings(authority.sign("first"))).done()


@pytest.mark.parametrize("names", [(), ("provider.example",), ("other.example", "spiffe://provider")])
def test_a_client_shows_a_certificate_that_is_wanted(
    authority: Authority, tmp_path: Path, names: tuple[str, ...]
) -> None:
    providers = Authority(tmp_path, "providers")
    shows = providers.sign(
        "provider", names=[DNSName("provider.example"), UniformResourceIdentifier("spiffe://provider")]
    )
    own = settings(authority.sign("first"), client_ca_file=providers.ca_file, client_names=names)

    for _ in range(2):
        assert handshake(Certificates(own), authority.ca_file, shows=shows)[0] == "first"


def test_a_client_without_a_certificate_that_is_wanted_is_refused(authority: Authority, tmp_path: Path) -> None:
    providers, strangers = Authority(tmp_path, "providers"), Authority(tmp_path, "strangers")
    pair = authority.sign("first")
    certificates = Certificates(settings(pair, client_ca_file=providers.ca_file, client_names=("provider.example",)))

    for shows, said in (
        (None, "peer did not return a certificate"),
        (strangers.sign("one", names=[DNSName("provider.example")]), "certificate verify failed"),
        (providers.sign("two", names=[DNSName("other.example")]), "certificate verify failed"),
        (providers.sign("three", names=[DNSName("provider.example")], days=(-2, -1)), "certificate verify failed"),
        # Its own name is no host's: names are compared whole.
        (providers.sign("provider.example", names=[DNSName("x.provider.example")]), "certificate verify failed"),
    ):
        with pytest.raises(SSL.Error, match=said):
            handshake(certificates, authority.ca_file, shows=shows, ciphers="ECDHE+AESGCM")


def test_the_authority_of_clients_is_read_again(authority: Authority, tmp_path: Path) -> None:
    providers, others = Authority(tmp_path, "providers"), Authority(tmp_path, "others")
    shows = others.sign("other")
    certificates = Certificates(settings(authority.sign("first"), client_ca_file=providers.ca_file))
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        handshake(certificates, authority.ca_file, shows=shows, ciphers="ECDHE+AESGCM")

    shutil.copy(others.ca_file, providers.ca_file)

    assert handshake(certificates, authority.ca_file, shows=shows)[0] == "first"

"""The listener's certificate: read at the start, and again when it changes."""

import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.options import Options
from mitmproxy.proxy import context
from mitmproxy.test import tflow
from mitmproxy.tls import TlsData
from OpenSSL import SSL
from tests.helpers.tls import Authority, KeyPair

from walletbridge.errors import SettingsError
from walletbridge.serve.certificates import Certificates
from walletbridge.settings import ListenerTls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings(pair: KeyPair) -> ListenerTls:
    return ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file)


def handshake(certificates: Certificates, ca_file: Path, *, alpn: tuple[str, ...] = ("http/1.1",)) -> tuple[str, str]:
    """What a client that trusts the authority is shown: the name in the certificate, and the protocol."""
    client = tflow.tclient_conn()
    data = TlsData(client, context.Context(client, Options()))
    certificates.tls_start_client(data)
    server: Any = data.ssl_conn
    trust = ssl.create_default_context(cafile=str(ca_file))
    # The authority of these tests leaves out what newer versions of Python insist on.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    trust.set_alpn_protocols(list(alpn))
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
        "tls.key_file: .*second-key.pem is no private key .* that fits": (first.cert_file, second.key_file),
    }
    for said, (cert_file, key_file) in mistakes.items():
        with pytest.raises(SettingsError, match=said):
            Certificates(ListenerTls(cert_file=cert_file, key_file=key_file))

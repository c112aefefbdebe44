"""TLS of a client's connection: what fails is counted by its cause, bounded, and the client is sent OpenSSL's alert."""

from pathlib import Path

import pytest
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.tls import TlsClienthelloHook, TlsStartClientHook
from mitmproxy.test import tflow
from mitmproxy.tls import ClientHello
from OpenSSL import SSL
from tests.support.tls import Authority

from walletbridge.serve.certificates import Certificates
from walletbridge.serve.lane.tls import HELLO_BYTES_MAX, OTHER_CAUSE, ListenerTlsLayer, cause_of
from walletbridge.settings import ListenerTls


class Scene:
    """A layer, and what it wants done."""

    def __init__(self, certificates: Certificates) -> None:
        self.client = tflow.tclient_conn()
        self.client.tls = False
        context = Context(self.client, Options())
        context.layers = [object(), object()]  # type: ignore[list-item]
        self.causes: list[str] = []
        self.sent = b""
        self.is_closed = False
        self.logged: list[str] = []
        self._certificates = certificates
        self.layer = ListenerTlsLayer(context, self.causes.append)
        self.tell(events.Start())

    def tell(self, event: events.Event) -> None:
        for command in self.layer.handle_event(event):
            if isinstance(command, commands.SendData):
                self.sent += command.data
            elif isinstance(command, commands.CloseConnection):
                self.is_closed = True
            elif isinstance(command, commands.Log):
                self.logged.append(command.message)
            elif isinstance(command, TlsClienthelloHook | TlsStartClientHook):
                if isinstance(command, TlsStartClientHook):
                    self._certificates.tls_start_client(command.data)
                self.tell(events.HookCompleted(command))

    def receive(self, data: bytes) -> None:
        self.tell(events.DataReceived(self.client, data))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    pair = Authority(tmp_path).sign("first")
    return Scene(Certificates(ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file)))


def test_noise_after_the_first_byte_is_no_client_hello(scene: Scene) -> None:
    scene.receive(b"\x16\x03\x01\x00\x08\x01\x00\x00\x04nope")

    assert scene.causes == ["TLS: no ClientHello"]
    assert (scene.is_closed, scene.logged) == (True, [])


def test_a_client_hello_is_not_waited_for_without_end(scene: Scene) -> None:
    """In many records, of which each says that more follow."""
    hello = b"\x01\xff\xff\xff" + b"x" * 1020
    for _ in range(HELLO_BYTES_MAX // 1024 + 1):
        scene.receive(b"\x16\x03\x01\x04\x00" + hello)
        hello = b"x" * 1024

    assert scene.causes == ["TLS: the ClientHello is too large"]
    assert (scene.is_closed, scene.logged) == (True, [])


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_client_hello_is_read_once_however_it_comes(scene: Scene, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read again for each piece, some thousand records of a byte each would cost milliseconds for every byte."""
    read: list[bytes] = []
    parse = tls.parse_client_hello

    def counted(data: bytes) -> ClientHello | None:
        read.append(bytes(data))
        return parse(data)

    monkeypatch.setattr(tls, "parse_client_hello", counted)
    client = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
    client.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    message = client.bio_read(16384)[5:]
    hello = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in message)
    for at in range(0, len(hello), step):
        assert not scene.sent
        scene.receive(hello[at : at + step])

    assert read == [hello]
    assert scene.sent.startswith(b"\x16\x03\x03")
    assert scene.causes == []


def test_a_client_that_leaves_early_is_counted(scene: Scene) -> None:
    scene.receive(b"\x16\x03\x01\x02\x00\x01")
    scene.tell(events.ConnectionClosed(scene.client))

    assert scene.causes == ["TLS: the client left during the handshake"]
    assert scene.logged == []


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("OpenSSL Error([('SSL routines', '', 'no shared cipher')])", "TLS: no common cipher"),
        ("OpenSSL Error([('SSL routines', '', 'unsupported protocol')])", "TLS: no common version"),
        ("tlsv1 alert unknown ca", "TLS: the client does not trust the certificate"),
        ("ssl/tls alert bad certificate", "TLS: the client does not trust the certificate"),
        ("Certificate verify failed: expired", "TLS: the client's certificate is not accepted"),
        (
            "tlsv1 alert internal error",
            "TLS: the client broke off the handshake",
        ),
        ("Cannot parse ClientHello: 16030100", "TLS: no ClientHello"),
        ("The remote server does not speak TLS.", "TLS: not TLS"),
        ("something new", OTHER_CAUSE),
    ],
)
def test_an_error_is_one_of_a_few_causes(error: str, cause: str) -> None:
    assert cause_of(error) == cause

"""Certificates and keys in files: what stops the start, what is only said, and that no pass phrase is asked for."""

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509 import DNSName, UniformResourceIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.support.tls import Authority, KeyPair

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import ListenerTls
from walletbridge.settings.tls_files import (
    FILE_BYTES_MAX,
    Pair,
    doubts,
    expires_soon,
    invalid_now,
    names_of_client,
    read_certificates,
    read_pair,
    require_valid,
)

NOW = datetime.now(UTC)
WEAK_BITS = 1024


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def read(pair: KeyPair, passphrase_file: Path | None = None) -> Pair:
    return read_pair("tls", pair.cert_file, pair.key_file, passphrase_file)


def test_a_pair_is_read_once_and_shows_no_key(authority: Authority) -> None:
    pair = read(authority.sign("fine"))

    assert repr(pair) == "Pair(...)"
    assert invalid_now(pair, NOW) == ""
    assert NOW < pair.expires_at < NOW + timedelta(days=2)


def missing(authority: Authority) -> KeyPair:
    pair = authority.sign("fine")
    pair.key_file.unlink()
    return pair


def garbage(authority: Authority) -> KeyPair:
    pair = authority.sign("fine")
    pair.cert_file.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    return pair


def garbage_key(authority: Authority) -> KeyPair:
    pair = authority.sign("fine")
    pair.key_file.write_text("no key at all")
    return pair


def a_folder(authority: Authority) -> KeyPair:
    pair = authority.sign("fine")
    pair.cert_file.unlink()
    pair.cert_file.mkdir()
    return pair


def a_pipe(authority: Authority) -> KeyPair:
    """To open it for reading alone waits for ever."""
    pair = authority.sign("fine")
    pair.key_file.unlink()
    os.mkfifo(pair.key_file)
    return pair


def not_its_own(authority: Authority) -> KeyPair:
    return KeyPair(authority.sign("one").cert_file, authority.sign("another").key_file)


def encrypted(authority: Authority) -> KeyPair:
    return authority.sign("fine", passphrase=b"open sesame")


def weak(authority: Authority) -> KeyPair:
    return authority.sign("weak", key=rsa.generate_private_key(65537, WEAK_BITS))


def weak_curve(authority: Authority) -> KeyPair:
    return authority.sign("weak", key=ec.generate_private_key(ec.SECP192R1()))


def of_a_useless_kind(authority: Authority) -> KeyPair:
    pair = authority.sign("fine")
    pair.key_file.write_bytes(
        dsa.generate_private_key(2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pair


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (missing, r"tls.key_file: cannot read .*fine-key.pem: No such file"),
        (garbage, r"tls.cert_file: .*fine.pem is no certificate in PEM form"),
        (garbage_key, r"tls.key_file: .*fine-key.pem is no private key in PEM form"),
        (a_folder, r"tls.cert_file: .*fine.pem is no file"),
        (a_pipe, r"tls.key_file: .*fine-key.pem is no file"),
        (not_its_own, r"tls.key_file: .*another-key.pem is not the key of the certificate in tls.cert_file"),
        (encrypted, r"tls.key_file: .*fine-key.pem is encrypted: .*tls.key_passphrase_file"),
        (weak, r"tls.cert_file: .*weak.pem is too weak: an RSA key of 1024 bits, of at least 2048"),
        (weak_curve, r"tls.cert_file: .*weak.pem is too weak: an elliptic curve of 192 bits, of at least 224"),
        (of_a_useless_kind, r"tls.key_file: .*fine-key.pem is a key of a kind that TLS has no use for: DSA"),
    ],
)
def test_what_nobody_can_use_is_refused(authority: Authority, make: Callable[[Authority], KeyPair], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(make(authority))


def test_an_encrypted_key_is_read_with_its_pass_phrase(authority: Authority, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("open sesame\n")
    assert read(encrypted(authority), passphrase).chain

    passphrase.write_text("open barley\n")
    with pytest.raises(SettingsError, match=r"tls.key_passphrase_file: .*passphrase has not the pass phrase of"):
        read(encrypted(authority), passphrase)
    passphrase.write_text("")
    with pytest.raises(SettingsError, match=r"tls.key_passphrase_file: .*passphrase has not the pass phrase of"):
        read(encrypted(authority), passphrase)
    assert read(authority.sign("not encrypted"), passphrase).chain


def test_a_file_is_read_only_so_far(authority: Authority) -> None:
    pair = authority.sign("fine")
    with pair.cert_file.open("ab") as file:
        file.truncate(1024 * FILE_BYTES_MAX)

    assert len(read(pair).chain) == 1


def test_a_signature_with_sha1_is_too_weak(authority: Authority) -> None:
    """No library signs with it any more, so the algorithm is named in a signature of another."""
    pair = authority.sign("old", signer=rsa.generate_private_key(65537, 2048))
    sha256_with_rsa, sha1_with_rsa = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
    (certificate,) = read_certificates("", pair.cert_file)
    der = certificate.public_bytes(serialization.Encoding.DER).replace(sha256_with_rsa, sha1_with_rsa)
    pair.cert_file.write_text(ssl.DER_cert_to_PEM_cert(der))

    with pytest.raises(SettingsError, match=r"is too weak: the certificate CN=old is signed with SHA1"):
        read(pair)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((-2, -1), r"the certificate CN=late expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
        ((1, 2), r"the certificate CN=late is valid only from \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
    ],
)
def test_what_is_not_valid_now_stops_a_person_who_starts(
    authority: Authority, days: tuple[float, float], said: str
) -> None:
    pair = authority.sign("late", days=days)
    tls = ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file)

    with pytest.raises(SettingsError, match=f"tls.cert_file: {said}"):
        require_valid(tls, NOW)
    require_valid(None, NOW)


def test_the_authority_of_clients_is_looked_at_as_well(authority: Authority, tmp_path: Path) -> None:
    pair = authority.sign("fine")
    fine = ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file, client_ca_file=authority.ca_file)
    require_valid(fine, NOW)

    with pytest.raises(SettingsError, match=r"tls.client_ca_file: cannot read .*nowhere.pem"):
        require_valid(
            ListenerTls(cert_file=pair.cert_file, key_file=pair.key_file, client_ca_file=tmp_path / "nowhere.pem"), NOW
        )


def test_what_expires_soon_is_said(authority: Authority) -> None:
    pair = read(authority.sign("fine", days=(-1, 10.5)))

    assert expires_soon(pair, NOW, 9) == ""
    assert expires_soon(pair, NOW, 30).startswith("the certificate CN=fine expires in 10 days, on ")


def test_an_expired_certificate_of_the_chain_counts(authority: Authority, tmp_path: Path) -> None:
    leaf, above = authority.sign("leaf", days=(-1, 20)), authority.sign("above", days=(-2, -1))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(leaf.cert_file.read_bytes() + above.cert_file.read_bytes())

    assert "CN=above expired on" in invalid_now(read_pair("tls", chain, leaf.key_file), NOW)


def test_what_some_clients_refuse_is_doubted(authority: Authority, tmp_path: Path) -> None:
    def said(pair: KeyPair) -> str:
        return "\n".join(doubts(read(pair)))

    fine = authority.sign("fine")
    assert said(
        fine
    ) == "the chain is incomplete unless clients trust its issuer itself: the file lacks the one of " + ("CN=authority")
    whole = KeyPair(tmp_path / "whole.pem", fine.key_file)
    whole.cert_file.write_bytes(fine.cert_file.read_bytes() + authority.ca_file.read_bytes())
    assert said(whole) == ""
    other = Authority(tmp_path, "other")
    broken = KeyPair(tmp_path / "broken.pem", fine.key_file)
    broken.cert_file.write_bytes(fine.cert_file.read_bytes() + other.ca_file.read_bytes())
    assert said(broken) == (
        "the chain is broken: the certificate CN=other follows the certificate CN=fine, but has not signed it"
    )
    assert "CN=nameless has no subject alternative name" in said(authority.sign("nameless", names=()))
    assert "CN=client is not meant for servers" in said(authority.sign("client", usage=ExtendedKeyUsageOID.CLIENT_AUTH))


def test_a_client_is_known_by_its_names(authority: Authority) -> None:
    (named,) = read_certificates(
        "", authority.sign("a", names=[DNSName("b.example"), UniformResourceIdentifier("spiffe://c")]).cert_file
    )
    (common,) = read_certificates("", authority.sign("d", names=()).cert_file)

    assert names_of_client(named) == ("b.example", "spiffe://c")
    assert names_of_client(common) == ("d",)

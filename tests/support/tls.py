"""A certificate authority for one test, and the certificates that it signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

LOOPBACK: tuple[x509.GeneralName, ...] = (x509.IPAddress(IPv4Address("127.0.0.1")),)
type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key, as PEM files."""

    cert_file: Path
    key_file: Path


class Authority:
    """Signs certificates for servers on 127.0.0.1 and for their clients."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = _written(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def sign(  # noqa: PLR0913 - what may be wrong with a certificate
        self,
        name: str,
        *,
        names: Sequence[x509.GeneralName] = LOOPBACK,
        days: tuple[float, float] = (-1, 1),
        key: PrivateKey | None = None,
        passphrase: bytes = b"",
        signer: PrivateKey | None = None,
        usage: x509.ObjectIdentifier | None = None,
    ) -> KeyPair:
        """A certificate for `name`, valid for 127.0.0.1, between two days from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self._name, key.public_key(), days)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        certificate = builder.sign(signer or self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption(),
        )
        return KeyPair(
            _written(self._folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            _written(self._folder / f"{name}-key.pem", private),
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    days: tuple[float, float] = (-1, 1),
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path

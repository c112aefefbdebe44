"""
Reads certificates and keys from files, and finds the faults that a client would find.

Each file is read once, so that the examined content is the used one. No terminal is ever asked for a pass phrase.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import ListenerTls, Tls

FILE_BYTES_MAX = 1024 * 1024
RSA_BITS_MIN = 2048
EC_BITS_MIN = 224
"""As strong as RSA with 2048 bits (NIST SP 800-57 part 1, table 2)."""
_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)

type Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain, and its key."""

    chain: tuple[x509.Certificate, ...]
    """The certificate itself, then those above it."""
    key: Key

    def __repr__(self) -> str:
        return "Pair(...)"

    @property
    def expires_at(self) -> datetime:
        """When the first certificate of the chain expires."""
        return first_end(self.chain)


def read_pair(section: str, cert_file: Path, key_file: Path, passphrase_file: Path | None = None) -> Pair:
    """
    Reads a certificate and its key. The key may be encrypted if `passphrase_file` holds its pass phrase.

    Raises SettingsError, with the key in `section` of the settings, if no server or client can use the files: missing,
    not PEM, an encrypted key without its pass phrase, a key that does not fit, a key or a signature that is too weak.
    """
    chain = read_certificates(f"{section}.cert_file", cert_file)
    key = _read_key(section, key_file, passphrase_file)
    if _public_bytes(chain[0]) != key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise SettingsError(f"{section}.key_file: {key_file} is not the key of the certificate in {section}.cert_file")
    if weakness := _weakness(chain, key):
        raise SettingsError(f"{section}.cert_file: {cert_file} is too weak: {weakness}")
    return Pair(chain, key)


def read_listener(tls: ListenerTls) -> Pair:
    """Reads the listener's certificate and key. Raises SettingsError as `read_pair` does."""
    return read_pair("tls", tls.cert_file, tls.key_file, tls.key_passphrase_file)


def require_valid(tls: ListenerTls | None, now: datetime) -> None:
    """
    Raises SettingsError if `serve` cannot start with the listener's files, or no client would accept them now.

    Only for a person's start: a worker's replacement goes on with a certificate that has expired meanwhile, for not
    every client checks the time.
    """
    if tls is None:
        return
    if problem := invalid_now(read_listener(tls), now):
        raise SettingsError(f"tls.cert_file: {problem}")
    if tls.client_ca_file is not None:
        read_certificates("tls.client_ca_file", tls.client_ca_file)


def require_wallet_files(tls: Tls | None) -> None:
    """
    Raises SettingsError for files that gRPC cannot use: gRPC would write lines of its own, and never connect.

    The wallet decides whether they are valid now, and that may change.
    """
    if tls is None:
        return
    if tls.ca_file is not None:
        read_certificates("wallet.tls.ca_file", tls.ca_file)
    if tls.cert_file is not None and tls.key_file is not None:
        read_pair("wallet.tls", tls.cert_file, tls.key_file)


def read_certificates(key: str, path: Path) -> tuple[x509.Certificate, ...]:
    """Reads the certificates in a file. Raises SettingsError, with the `key` of the settings."""
    data = read(key, path)
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError:
        raise SettingsError(f"{key}: {path} is no certificate in PEM form") from None


def read(key: str, path: Path) -> bytes:
    """Reads a small regular file; a pipe would block. Raises SettingsError, with the `key` of the settings."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(FILE_BYTES_MAX)
        path.stat()
    except OSError as error:
        raise SettingsError(f"{key}: cannot read {path}: {error.strerror}") from None
    raise SettingsError(f"{key}: {path} is no file")


def first_end(chain: Iterable[x509.Certificate]) -> datetime:
    """When the first certificate expires."""
    return min(certificate.not_valid_after_utc for certificate in chain)


def invalid_now(pair: Pair, now: datetime) -> str:
    """Why no client that checks the time accepts the certificate; empty if it is valid."""
    for certificate in pair.chain:
        if now >= certificate.not_valid_after_utc:
            return f"{name_of(certificate)} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        if now < certificate.not_valid_before_utc:
            return f"{name_of(certificate)} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    return ""


def expires_soon(pair: Pair, now: datetime, days: int) -> str:
    """A warning if the certificate expires within `days`; empty if it does not."""
    left = pair.expires_at - now
    if left > timedelta(days=days):
        return ""
    return f"{name_of(pair.chain[0])} expires in {left.days} days, on {pair.expires_at:%Y-%m-%d %H:%M} UTC"


def doubts(pair: Pair) -> Iterator[str]:
    """The faults of a server's certificate that some clients refuse."""
    certificate = pair.chain[0]
    if not names_in(certificate):
        yield f"{name_of(certificate)} has no subject alternative name: most clients refuse it"
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if usage is not None and ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        yield f"{name_of(certificate)} is not meant for servers (extended key usage): most clients refuse it"
    for lower, upper in zip(pair.chain, pair.chain[1:], strict=False):
        if not _is_issued_by(lower, upper):
            yield f"the chain is broken: {name_of(upper)} follows {name_of(lower)}, but has not signed it"
    last = pair.chain[-1]
    if len(pair.chain) == 1 and last.issuer != last.subject:
        issuer = last.issuer.rfc4514_string()
        yield f"the chain is incomplete unless clients trust its issuer itself: the file lacks the one of {issuer}"


def name_of(certificate: x509.Certificate) -> str:
    """The certificate's subject or its first name, for people."""
    subject = certificate.subject.rfc4514_string()
    return f"the certificate {subject or next(iter(names_in(certificate)), 'without a name')}"


def names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    """The subject alternative names: of hosts and addresses, mail addresses and URIs."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    return () if names is None else tuple(str(name.value) for name in names if isinstance(name, _NAMES))


def names_of_client(certificate: x509.Certificate) -> tuple[str, ...]:
    """A client's names: the alternative names, or the common name if there are none."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names_in(certificate) or tuple(str(name.value) for name in common)


_NAMES = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)


def _extension[E: x509.ExtensionType](certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _read_key(section: str, path: Path, passphrase_file: Path | None) -> Key:
    data = read(f"{section}.key_file", path)
    # PKCS #8 has the word in its first line, OpenSSL's older form in a header.
    is_encrypted = b"ENCRYPTED" in data
    if is_encrypted and passphrase_file is None:
        # gRPC takes no pass phrase, so wallet.tls has no such key.
        other = f", or name the file with its pass phrase in {section}.key_passphrase_file" if section == "tls" else ""
        raise SettingsError(
            f"{section}.key_file: {path} is encrypted: store it without a pass phrase, readable by this user alone"
            f"{other}"
        )
    passphrase = None
    if is_encrypted and passphrase_file is not None:
        passphrase = read(f"{section}.key_passphrase_file", passphrase_file).rstrip(b"\r\n")
    try:
        key = load_pem_private_key(data, passphrase or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted:
            raise SettingsError(
                f"{section}.key_passphrase_file: {passphrase_file} has not the pass phrase of {path}"
            ) from None
        raise SettingsError(f"{section}.key_file: {path} is no private key in PEM form") from None
    if not isinstance(key, _KEYS):
        kind = "DSA" if isinstance(key, dsa.DSAPrivateKey) else type(key).__name__
        raise SettingsError(f"{section}.key_file: {path} is a key of a kind that TLS has no use for: {kind}")
    return key


def _public_bytes(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _weakness(chain: Sequence[x509.Certificate], key: Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < RSA_BITS_MIN:
        return f"an RSA key of {key.key_size} bits, of at least {RSA_BITS_MIN}"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size < EC_BITS_MIN:
        return f"an elliptic curve of {key.key_size} bits, of at least {EC_BITS_MIN}"
    for certificate in chain:
        # Clients do not verify the signature of a root.
        is_root = certificate.issuer == certificate.subject
        algorithm = _hash_of(certificate)
        if isinstance(algorithm, _WEAK_HASHES) and not is_root:
            return f"{name_of(certificate)} is signed with {algorithm.name.upper()}"
    return ""


def _hash_of(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _is_issued_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True

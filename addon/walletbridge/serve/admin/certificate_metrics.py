"""
When the certificates expire, for alerts: reads the files at each request.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from cryptography.x509 import Certificate
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Settings
from walletbridge.settings.tls_files import first_end, read_certificates, read_listener


def certificate_families(settings: Settings) -> Iterable[Family]:
    """For each certificate of the settings its expiry, and whether its files cannot be used as they are now."""
    expiry = GaugeMetricFamily(
        "walletbridge_certificate_expiry_timestamp_seconds",
        "When a certificate expires, or one above it in its file: the listener's, and the one shown to the wallet.",
        labels=["certificate"],
    )
    unusable = GaugeMetricFamily(
        "walletbridge_certificate_unusable",
        "Whether a certificate's files cannot be used as they are now. A listener goes on with what it has.",
        labels=["certificate"],
    )
    for name, read in _certificates(settings):
        try:
            expires_at = first_end(read()).timestamp()
        except SettingsError:
            unusable.add_metric([name], 1)
        else:
            unusable.add_metric([name], 0)
            expiry.add_metric([name], expires_at)
    return expiry, unusable


def _certificates(settings: Settings) -> Iterator[tuple[str, Callable[[], Sequence[Certificate]]]]:
    """By name, each with a function that reads it and raises SettingsError."""
    if listener := settings.tls:
        yield "listener", lambda: read_listener(listener).chain
    if settings.wallet.tls and (path := settings.wallet.tls.cert_file):
        yield "wallet", lambda: read_certificates("wallet.tls.cert_file", path)

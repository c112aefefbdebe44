"""
Decides whether callbacks are traced with OpenTelemetry. This optional dependency is imported only if they are.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Tracing as TracingSettings

if TYPE_CHECKING:
    from walletbridge.observe.spans import Spans

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS = {"", "otlp"}


def open_tracing(settings: TracingSettings | None, environ: Mapping[str, str]) -> "Spans | None":
    """
    Opens the spans that the settings or OpenTelemetry's own variables ask for; None if neither does.

    Raises SettingsError if spans are asked for but not possible.
    """
    if not is_wanted(settings, environ):
        return None
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "grpc")
    if protocol != "grpc":
        raise SettingsError(f"tracing: expected grpc in {' or '.join(_PROTOCOLS)}, got {protocol!r}")
    try:
        from walletbridge.observe.spans import spans_to  # noqa: PLC0415 - see the module's docstring
    except ImportError as error:
        raise SettingsError(
            f'tracing: the module {error.name} is missing; pip install "walletbridge[otel]" installs it'
        ) from None
    return spans_to(settings, environ)


def is_wanted(settings: TracingSettings | None, environ: Mapping[str, str]) -> bool:
    """Whether the settings or the environment ask for spans."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if settings is not None:
        return True
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter in _EXPORTERS and any(environ.get(name) for name in _ENDPOINTS)

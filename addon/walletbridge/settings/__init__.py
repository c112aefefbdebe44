"""
The settings: `load` reads the file into `Settings`, `read_tokens` fetches the secrets that the file only names.
"""

from walletbridge.settings.addresses import Address, Upstream
from walletbridge.settings.reading import load
from walletbridge.settings.sections import (
    Admin,
    Breaker,
    Callback,
    Deadlines,
    Http2,
    Journal,
    Limits,
    ListenerTls,
    Log,
    Record,
    Serve,
    Settings,
    StatusCache,
    Tls,
    Tracing,
    Ui,
    Wallet,
)
from walletbridge.settings.tokens import read_tokens

__all__ = [
    "Address",
    "Admin",
    "Breaker",
    "Callback",
    "Deadlines",
    "Http2",
    "Journal",
    "Limits",
    "ListenerTls",
    "Log",
    "Record",
    "Serve",
    "Settings",
    "StatusCache",
    "Tls",
    "Tracing",
    "Ui",
    "Upstream",
    "Wallet",
    "load",
    "read_tokens",
]

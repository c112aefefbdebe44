"""
The settings file: `load` reads it, `Settings` is what it says, `read_tokens` fetches the secrets that it only names.
"""

from walletbridge.settings.addresses import Address, Upstream
from walletbridge.settings.model import (
    Admin,
    Callback,
    Deadlines,
    Journal,
    Limits,
    ListenerTls,
    Settings,
    StatusCache,
    Tls,
    Ui,
    Wallet,
)
from walletbridge.settings.reading import load
from walletbridge.settings.tokens import read_tokens

__all__ = [
    "Address",
    "Admin",
    "Callback",
    "Deadlines",
    "Journal",
    "Limits",
    "ListenerTls",
    "Settings",
    "StatusCache",
    "Tls",
    "Ui",
    "Upstream",
    "Wallet",
    "load",
    "read_tokens",
]

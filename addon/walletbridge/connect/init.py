"""
`walletbridge init`: a first mapping for a wallet, from its protos.
"""

from pathlib import Path

from walletbridge.connect.first_mapping import mapping_text
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Wallet
from walletbridge.wallet.proto.protoc import compile_protos
from walletbridge.wallet.proto.reflection import TOTAL_SECONDS, ask_for_protos
from walletbridge.wallet.proto.schema import BadSchema, Schema


def draft(*, target: str | None, proto: Path | None, seconds: float = TOTAL_SECONDS) -> str:
    """
    The text of a mapping file, from a running wallet, which has `seconds` to send its protos, or from a `.proto` file,
    whose folder is the include root.

    Raises SettingsError for protos that cannot be used or have no service with a method.
    """
    try:
        if proto is not None:
            schema = Schema(compile_protos([proto], [proto.absolute().parent]))
            source = f"proto: [{proto.name}]"
        else:
            schema = Schema(ask_for_protos(Wallet(target=target or ""), [], total_seconds=seconds))
            source = "reflection: true"
    except BadSchema as bad:
        raise SettingsError(str(bad)) from None
    if not schema.methods:
        raise SettingsError(f"{proto or target}: found no service with a method")
    return mapping_text(schema, source)

"""`serve` as one process: an address that is taken is told of before anything is started."""

import re
import socket
from pathlib import Path

import pytest

from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.single import serve
from walletbridge.settings import Address, Admin, Settings, Wallet


@pytest.mark.parametrize("key", ["listen", "admin.listen"])
def test_an_address_that_is_taken_is_named_with_its_key(tmp_path: Path, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        addresses = {"listen": Address("127.0.0.1", 0), "admin.listen": Address("127.0.0.1", 0)}
        addresses[key] = Address("127.0.0.1", taken.getsockname()[1])
        settings = Settings(
            wallet=Wallet(target="w:1"), listen=addresses["listen"], admin=Admin(listen=addresses["admin.listen"])
        )

        with pytest.raises(SettingsError, match=rf"\A{re.escape(key)}: cannot listen on {addresses[key]}: "):
            serve(tmp_path / "w.yaml", settings)

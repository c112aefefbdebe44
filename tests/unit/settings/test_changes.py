"""Two settings are compared key by key."""

from pathlib import Path

from walletbridge.settings import Callback, Limits, Settings, Wallet
from walletbridge.settings.changes import changed_keys
from walletbridge.settings.sections import Admin

WALLET = Wallet(target="127.0.0.1:1")


def test_equal_settings_differ_in_nothing() -> None:
    assert list(changed_keys(Settings(wallet=WALLET), Settings(wallet=Wallet(target="127.0.0.1:1")))) == []


def test_each_key_that_differs_is_named() -> None:
    new = Settings(
        wallet=Wallet(target="127.0.0.1:2"), limits=Limits(body_bytes=1), callback=Callback(token_file=Path("token"))
    )

    found = list(changed_keys(Settings(wallet=WALLET), new))

    assert found == ["callback.token_env", "callback.token_file", "wallet.target", "limits.body_bytes"]


def test_a_section_that_comes_is_one_key() -> None:

    assert list(changed_keys(Settings(wallet=WALLET), Settings(wallet=WALLET, admin=Admin()))) == ["admin"]

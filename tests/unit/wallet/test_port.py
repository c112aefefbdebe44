"""What the gateway knows of a wallet."""

from inspect import signature

import pytest
from tests.support.fake_wallet import FakeWallet

from walletbridge.wallet.client import GrpcWallet
from walletbridge.wallet.port import Wallet


@pytest.mark.parametrize("wallet", [GrpcWallet, FakeWallet])
def test_a_wallet_is_called_as_the_port_says(wallet: type[Wallet]) -> None:
    assert signature(wallet.call) == signature(Wallet.call)


def test_the_port_is_one_door() -> None:
    """What a wallet offers beyond it, the gateway's core cannot come to depend on."""
    assert [name for name in vars(Wallet) if not name.startswith("_")] == ["call"]

"""Which binding a callback takes."""

import pytest
from tests.support.mappings import callback

from walletbridge.protocol.callbacks import Command
from walletbridge.settings import Wallet
from walletbridge.wallet.mapping.loading import load


@pytest.mark.parametrize("command", Command)
def test_each_command_has_its_binding(command: Command) -> None:
    bound = load(Wallet(target="x"))

    assert bound.binding_of(callback(command)) is bound.bindings[command]

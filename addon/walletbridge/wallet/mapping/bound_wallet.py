"""
A wallet as its mapping file binds it: all that is needed to call it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from walletbridge.protocol.callbacks import Callback, Command, Undo
from walletbridge.rules.promises import Promises
from walletbridge.settings.mistakes import Mistake
from walletbridge.wallet.mapping.bindings import Binding, Lookup

UNDO_BET = "undo_bet"
UNDO_WIN = "undo_win"
_UNDOING = {Command.BET: UNDO_BET, Command.WIN: UNDO_WIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundWallet:
    """Made by `loading.load`."""

    source: str
    """The mapping file, for people."""
    bindings: Mapping[str, Binding]
    """By the commands' names, a cancel also by `undo_bet` and `undo_win`."""
    lookups: Mapping[str, Lookup]
    promises: Promises
    cautions: Sequence[Mistake]
    """What is allowed, but should be known."""

    def binding_of(self, callback: Callback) -> Binding | None:
        """How `callback` is put to the wallet; None where the mapping has no way to."""
        binding = self.bindings.get(callback.command)
        if binding is None and isinstance(callback, Undo):
            return self.bindings.get(_UNDOING[callback.undone])
        return binding

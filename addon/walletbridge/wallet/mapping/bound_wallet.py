"""
A wallet as its mapping file binds it: all that a call needs.
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
    """The mapping file's name, for messages."""
    bindings: Mapping[str, Binding]
    """By command name; a cancel may have `undo_bet` and `undo_win` instead."""
    lookups: Mapping[str, Lookup]
    promises: Promises
    cautions: Sequence[Mistake]
    """Allowed, but the operator should know of it."""

    def binding_of(self, callback: Callback) -> Binding | None:
        """The binding of `callback`; None where the mapping has none."""
        binding = self.bindings.get(callback.command)
        if binding is None and isinstance(callback, Undo):
            return self.bindings.get(_UNDOING[callback.undone])
        return binding

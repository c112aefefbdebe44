"""config/examples/proto2-legacy: looks at the balance before the ticket, and forgets cancels."""

from collections.abc import Mapping
from typing import Any, ClassVar

from google.protobuf.message import Message
from tests.examples.books import Player
from tests.examples.service import ExampleWallet, Operation

_UNLISTED = bytes((0x08, 77, 0x10, 0))
"""`rc: 77, balance: 0`. An enum of proto2 cannot be set to a number that it lacks."""


class Proto2Legacy(ExampleWallet):
    """A purse that knows tickets but no question about them."""

    name = "proto2-legacy"
    reads = frozenset({"Look"})
    movements: ClassVar[Mapping[str, str]] = {"Take": "bet", "Give": "win"}
    remembers_cancels = False

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "Look": self._look,
            "Take": lambda request: self._move(request, "bet"),
            "Give": lambda request: self._move(request, "win"),
            "Undo": self._undo,
        }

    def asked(self, request: Any) -> tuple[str, str]:
        return request.login, getattr(request, "ticket", "")

    def declined(self, method: str) -> Message:
        del method
        return self._reply("RC_REJECTED", None)

    def unlisted(self, method: str, response: Message) -> Message:
        del method
        return type(response).FromString(_UNLISTED)

    def _look(self, request: Any) -> Message:
        player = self.books.player(request.login)
        return self._reply(_refusal(player), player)

    def _move(self, request: Any, kind: str) -> Message:
        player = self.books.player(request.login)
        delta = -request.cents if kind == "bet" else request.cents
        if player is None or not player.active:
            return self._reply(_refusal(player), player)
        if player.balance + min(delta, 0) < 0:
            return self._reply("RC_LOW_BALANCE", player)
        if self.books.find(request.ticket):
            return self._reply("RC_TICKET_USED", player)
        self.books.post(player, request.ticket, kind, delta)
        return self._reply("RC_OK", self.books.player(request.login))

    def _undo(self, request: Any) -> Message:
        player, known = self.books.player(request.login), self.books.find(request.ticket, "bet", "win")
        if player is None or not player.active:
            return self._reply(_refusal(player), player)
        if known is None or known.account != player.account:
            return self._reply("RC_NO_TICKET", player)
        if not known.is_undone:
            self.books.undo(known, player)
        return self._reply("RC_OK", self.books.player(request.login))

    def _reply(self, rc: str, player: Player | None) -> Message:
        return self.proto.message("PurseReply", rc=rc, balance=player.balance if player else 0)


def _refusal(player: Player | None) -> str:
    if player is None:
        return "RC_NO_LOGIN"
    return "RC_OK" if player.active else "RC_LOCKED"

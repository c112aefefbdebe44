"""config/examples/process-oneof: one method for everything; a repeat gets the first reply again."""

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from tests.examples.books import Player
from tests.examples.service import ExampleWallet, Operation, Refused

_UNLISTED = 77


class ProcessOneof(ExampleWallet):
    """Knows players by number. No balance of it is below zero, so it does not take back a win that is spent."""

    name = "process-oneof"
    reads = frozenset({"FindPlayer"})

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {"FindPlayer": self._find_player, "Process": self._process}

    def asked(self, request: Any) -> tuple[str, str]:
        if hasattr(request, "login"):
            return request.login, ""
        with self.books.step():
            player = self.books.player_of_id(request.player_id)
        return player.account if player else "", request.ref

    def plays(self, method: str, request: Any) -> str:
        return str(request.WhichOneof("action")) if method == "Process" else ""

    def declined(self, method: str) -> Message:
        del method
        return self._denied("CLOSED", None)

    def unlisted(self, method: str, response: Message) -> Message:
        del response
        if method == "FindPlayer":
            # It has no words beyond those of its mapping.
            raise Refused(grpc.StatusCode.DATA_LOSS)
        return self._denied(_UNLISTED, None)

    def _find_player(self, request: Any) -> Message:
        player = self.books.player(request.login)
        if player is None:
            return self.proto.message("FindPlayerReply")
        card = {"player_id": player.id, "login": player.account, "is_active": player.active}
        return self.proto.message("FindPlayerReply", card=card)

    def _process(self, request: Any) -> Message:  # noqa: PLR0911 - one for each action
        player = self.books.player_of_id(request.player_id)
        if player is None:
            return self._denied("NO_PLAYER", None)
        match request.WhichOneof("action"):
            case "balance":
                return self._done(player.balance)
            case "trace":
                return self._trace(request.ref, player)
            case "bet" | "win" | "undo" if not player.active:
                return self._denied("LOCKED", player)
            case "undo":
                return self._undo(request.ref, player)
            case "bet":
                return self._move(request.ref, player, "bet", -request.bet.cents)
            case "win":
                return self._move(request.ref, player, "win", request.win.cents)
            case _:
                return self._denied("UNKNOWN", player)

    def _move(self, ref: str, player: Player, kind: str, delta: int) -> Message:
        known = self.books.find(ref, "bet", "win")
        if known is not None:
            return self._done(known.balance)
        if self.books.is_refused(ref):
            return self._denied("CLOSED", player)
        if player.balance + min(delta, 0) < 0:
            return self._denied("NO_FUNDS", player)
        return self._done(self.books.post(player, ref, kind, delta).balance)

    def _undo(self, ref: str, player: Player) -> Message:
        known = self.books.find(ref, "bet", "win")
        if known is None or known.account != player.account:
            self.books.refuse_from_now_on(ref)
            return self._denied("NO_REF", player)
        if known.is_undone:
            return self._done(player.balance)
        if player.balance < known.delta:
            return self._denied("NO_FUNDS", player)
        return self._done(self.books.undo(known, player).balance)

    def _trace(self, ref: str, player: Player) -> Message:
        known = self.books.find(ref, "bet", "win")
        if known is None or known.account != player.account:
            return self._denied("NO_REF", player)
        return self.proto.message("Reply", found={"undone": known.is_undone, "balance": player.balance})

    def _done(self, balance: int) -> Message:
        return self.proto.message("Reply", done={"balance": balance})

    def _denied(self, reason: str | int, player: Player | None) -> Message:
        return self.proto.message("Reply", denied={"reason": reason, "balance": player.balance if player else 0})

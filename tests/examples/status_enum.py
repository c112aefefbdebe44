"""config/examples/status-enum: promises all that wallet.v1 promises, in other words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, cast

from google.protobuf.message import Message
from tests.examples.books import Player
from tests.examples.service import ExampleWallet, Operation

_UNLISTED = 77


class StatusEnum(ExampleWallet):
    """Says no in an enum; amounts are decimal strings."""

    name = "status-enum"
    reads = frozenset({"StartSession", "GetFunds", "QueryOperation"})
    movements: ClassVar[Mapping[str, str]] = {"Withdraw": "bet", "Deposit": "win"}
    keeps_transactions = True

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "StartSession": self._start_session,
            "GetFunds": self._get_funds,
            "Withdraw": lambda request: self._operate(request, "bet"),
            "Deposit": lambda request: self._operate(request, "win"),
            "Rollback": self._rollback,
            "QueryOperation": self._query,
        }

    def asked(self, request: Any) -> tuple[str, str]:
        return request.player, getattr(request, "operation_id", "")

    def declined(self, method: str) -> Message:
        del method
        return self._reply("DECLINED", None)

    def unlisted(self, method: str, response: Any) -> Message:
        del method
        response.status = _UNLISTED
        return cast("Message", response)

    def _start_session(self, request: Any) -> Message:
        player = self.books.player(request.player)
        return self._account("NO_SUCH_PLAYER" if player is None else "SUCCESS", player)

    def _get_funds(self, request: Any) -> Message:
        player = self.books.player(request.player)
        return self._account(_refusal(player) or "SUCCESS", player)

    def _operate(self, request: Any, kind: str) -> Message:
        player, reference = self.books.player(request.player), request.operation_id
        minor = int(Decimal(request.amount).scaleb(2))
        delta = -minor if kind == "bet" else minor
        if player is None or not player.active:
            return self._reply(_refusal(player), player)
        if self.books.find(reference):
            return self._reply("DUPLICATE_OPERATION", player)
        if self.books.is_refused(reference):
            return self._reply("DECLINED", player)
        if player.balance + min(delta, 0) < 0:
            return self._reply("NOT_ENOUGH_FUNDS", player)
        self.books.post(player, reference, kind, delta)
        return self._reply("SUCCESS", self.books.player(request.player))

    def _rollback(self, request: Any) -> Message:
        player, known = self.books.player(request.player), self.books.find(request.operation_id, "bet", "win")
        if player is None or not player.active:
            return self._reply(_refusal(player), player)
        if known is None or known.account != player.account:
            self.books.refuse_from_now_on(request.operation_id)
            return self._reply("NO_SUCH_OPERATION", player)
        if not known.is_undone:
            self.books.undo(known, player)
        return self._reply("SUCCESS", self.books.player(request.player))

    def _query(self, request: Any) -> Message:
        player, known = self.books.player(request.player), self.books.find(request.operation_id, "bet", "win")
        if player is None:
            return self.proto.message("QueryOperationReply", status="NO_SUCH_PLAYER")
        status, state = "NO_SUCH_OPERATION", "OPERATION_STATE_UNSPECIFIED"
        if known is not None and known.account == player.account:
            status, state = "SUCCESS", "ROLLED_BACK" if known.is_undone else "BOOKED"
        return self.proto.message("QueryOperationReply", status=status, state=state, balance=_decimal(player))

    def _account(self, status: str, player: Player | None) -> Message:
        return self.proto.message("AccountReply", status=status, balance=_decimal(player), currency="EUR")

    def _reply(self, status: str, player: Player | None) -> Message:
        return self.proto.message("OperationReply", status=status, balance=_decimal(player))


def _refusal(player: Player | None) -> str:
    if player is None:
        return "NO_SUCH_PLAYER"
    return "" if player.active else "PLAYER_BLOCKED"


def _decimal(player: Player | None) -> str:
    """Two decimals, always; nothing where there is no player."""
    return "" if player is None else str(Decimal(player.balance).scaleb(-2))

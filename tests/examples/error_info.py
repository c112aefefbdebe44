"""config/examples/error-info: promises what wallet.v1 promises; says no with a gRPC status, and without a balance."""

from collections.abc import Mapping
from typing import Any, ClassVar

import grpc
from google.protobuf.message import Message
from tests.examples.books import Entry, Player
from tests.examples.service import ExampleWallet, Operation, Refused

DOMAIN = "ledger.acme.example"
_PREFIX = "players/"
_NANOS = 10**7
"""In a minor unit."""


class ErrorInfoWallet(ExampleWallet):
    """Says no with google.rpc.ErrorInfo; amounts are google.type.Money."""

    name = "error-info"
    reads = frozenset({"GetPlayer", "GetTransaction"})
    movements: ClassVar[Mapping[str, str]] = {"CreateDebit": "bet", "CreateCredit": "win"}
    keeps_transactions = True

    @property
    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetPlayer": self._get_player,
            "CreateDebit": lambda request: self._create(request, "bet"),
            "CreateCredit": lambda request: self._create(request, "win"),
            "ReverseTransaction": self._reverse,
            "GetTransaction": self._get_transaction,
        }

    def asked(self, request: Any) -> tuple[str, str]:
        name = getattr(request, "player", "") or getattr(request, "name", "")
        return name.removeprefix(_PREFIX), getattr(request, "transaction_id", "")

    def declined(self, method: str) -> Message:
        del method
        raise _failed_precondition("POSTING_REFUSED")

    def unlisted(self, method: str, response: Message) -> Message:
        del method, response
        raise _failed_precondition("MOON_IS_FULL")

    def _get_player(self, request: Any) -> Message:
        player = self._player(request.name)
        return self.proto.message(
            "Player",
            name=request.name,
            state="ACTIVE" if player.active else "SUSPENDED",
            balance=_money(player.balance),
        )

    def _create(self, request: Any, kind: str) -> Message:
        player, reference = self._player(request.player, expects_active=True), request.transaction_id
        delta = _minor(request.amount) * (-1 if kind == "bet" else 1)
        if self.books.find(reference):
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, reference, reason="TRANSACTION_EXISTS", domain=DOMAIN)
        if self.books.is_refused(reference):
            raise _failed_precondition("TRANSACTION_VOIDED")
        if player.balance + min(delta, 0) < 0:
            raise _failed_precondition("INSUFFICIENT_FUNDS")
        entry = self.books.post(player, reference, kind, delta)
        return self._transaction(entry, entry.balance)

    def _reverse(self, request: Any) -> Message:
        player = self._player(request.player, expects_active=True)
        known = self.books.find(request.transaction_id, "bet", "win")
        if known is None or known.account != player.account:
            self.books.refuse_from_now_on(request.transaction_id)
            raise _not_found("TRANSACTION_NOT_FOUND")
        balance = player.balance if known.is_undone else self.books.undo(known, player).balance
        return self._transaction(known, balance, is_reversed=True)

    def _get_transaction(self, request: Any) -> Message:
        player, known = self._player(request.player), self.books.find(request.transaction_id, "bet", "win")
        if known is None or known.account != player.account:
            raise _not_found("TRANSACTION_NOT_FOUND")
        return self._transaction(known, player.balance, is_reversed=known.is_undone)

    def _player(self, name: str, *, expects_active: bool = False) -> Player:
        player = self.books.player(name.removeprefix(_PREFIX))
        if player is None or not name.startswith(_PREFIX):
            raise _not_found("PLAYER_NOT_FOUND")
        if expects_active and not player.active:
            raise _failed_precondition("PLAYER_SUSPENDED")
        return player

    def _transaction(self, entry: Entry, balance: int, *, is_reversed: bool = False) -> Message:
        return self.proto.message(
            "Transaction",
            transaction_id=entry.reference,
            player=f"{_PREFIX}{entry.account}",
            amount=_money(abs(entry.delta)),
            state="REVERSED" if is_reversed else "POSTED",
            balance=_money(balance),
        )


def _failed_precondition(reason: str) -> Refused:
    return Refused(grpc.StatusCode.FAILED_PRECONDITION, "refused", reason=reason, domain=DOMAIN)


def _not_found(reason: str) -> Refused:
    return Refused(grpc.StatusCode.NOT_FOUND, "not found", reason=reason, domain=DOMAIN)


def _minor(money: Any) -> int:
    return int(money.units) * 100 + int(money.nanos) // _NANOS


def _money(minor: int) -> dict[str, Any]:
    """Units and nanos have one sign."""
    units, rest = divmod(abs(minor), 100)
    sign = -1 if minor < 0 else 1
    return {"currency_code": "EUR", "units": sign * units, "nanos": sign * rest * _NANOS}

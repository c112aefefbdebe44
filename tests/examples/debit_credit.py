"""
config/examples/debit-credit and debit-credit-unprotected: debits, credits and balances, and nothing else.

The former knows a request that comes again by its key and repeats the first response. The latter moves money each time.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from google.protobuf.message import Message
from tests.examples.books import Entry, Player
from tests.examples.service import ExampleWallet, Movement, Operation


class DebitCredit(ExampleWallet):
    """Knows requests by their key, and no transactions. Amounts are doubles."""

    name = "debit-credit"
    reads = frozenset({"GetBalance"})
    remembers_cancels = False
    has_cancel = False
    messages: ClassVar[tuple[str, str, str]] = ("user not found", "user blocked", "insufficient funds")
    reply_names: ClassVar[tuple[str, str, str]] = ("GetBalanceResponse", "DebitResponse", "CreditResponse")
    unlisted_message: ClassVar[str] = "come back on monday"

    @property
    def operations(self) -> Mapping[str, Operation]:
        _, debit, credit = self.reply_names
        return {
            "GetBalance": self._get_balance,
            "Debit": lambda request: self._move(request, debit, "debit", -_minor(request.amount)),
            "Credit": lambda request: self._move(request, credit, "credit", _minor(request.amount)),
        }

    def asked(self, request: Any) -> tuple[str, str]:
        return request.user_id, getattr(request, "idempotency_key", "").partition(":")[2]

    def plays(self, method: str, request: Any) -> str:
        return "" if method in self.reads else self.reference(request).partition(":")[0]

    def declined(self, method: str) -> Message:
        return self._refused(self._reply_name(method), "rejected")

    def unlisted(self, method: str, response: Message) -> Message:
        del response
        return self._refused(self._reply_name(method), self.unlisted_message)

    def movement(self, entry: Entry) -> Movement:
        """The mapping makes its references out of what is done and to which transaction."""
        kind, _, trans_id = entry.reference.partition(":")
        return Movement(trans_id, kind)

    def first(self, reference: str) -> Entry | None:
        """What a request did when it came before, if that is known."""
        return self.books.find(reference)

    def reference(self, request: Any) -> str:
        """What the caller says that it is for."""
        return str(request.idempotency_key)

    def user(self, request: Any) -> str:
        """Whose money."""
        return str(request.user_id)

    def _get_balance(self, request: Any) -> Message:
        player, name = self.books.player(self.user(request)), self.reply_names[0]
        if player is None:
            return self._refused(name, self.messages[0])
        return self.proto.message(name, success=True, balance=player.balance / 100, is_active=player.active)

    def _move(self, request: Any, name: str, kind: str, delta: int) -> Message:
        player, reference = self.books.player(self.user(request)), self.reference(request)
        not_found, blocked, insufficient = self.messages
        if player is None:
            return self._refused(name, not_found)
        if not player.active:
            return self._refused(name, blocked, player)
        if first := self.first(reference):
            return self._made(name, first)
        if player.balance + min(delta, 0) < 0:
            return self._refused(name, insufficient, player)
        return self._made(name, self.books.post(player, reference, kind, delta))

    def _made(self, name: str, entry: Entry) -> Message:
        return self.proto.message(name, success=True, balance=entry.balance / 100)

    def _refused(self, name: str, message: str, player: Player | None = None) -> Message:
        balance = player.balance / 100 if player else 0.0
        return self.proto.message(name, success=False, message=message, balance=balance)

    def _reply_name(self, method: str) -> str:
        return self.reply_names[("GetBalance", "Debit", "Credit").index(method)]


class DebitCreditUnprotected(DebitCredit):
    """Knows nothing of a request that came before."""

    name = "debit-credit-unprotected"
    messages = ("no such user", "user locked", "not enough money")
    reply_names = ("BalanceReply", "MoveReply", "MoveReply")

    def asked(self, request: Any) -> tuple[str, str]:
        return request.user, getattr(request, "memo", "").partition(":")[2]

    def first(self, reference: str) -> Entry | None:
        del reference
        return None

    def reference(self, request: Any) -> str:
        return str(request.memo)

    def user(self, request: Any) -> str:
        return str(request.user)


def _minor(amount: float) -> int:
    return round(amount * 100)

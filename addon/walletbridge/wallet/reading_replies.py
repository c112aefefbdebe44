"""
Reads a command's outcome from a reply, by its binding. A reply that the mapping does not name is unknown.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError

from walletbridge.protocol.callbacks import Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState, is_listed_for
from walletbridge.wallet.mapping.bindings import Binding, Method
from walletbridge.wallet.mapping.fields import ABSENT
from walletbridge.wallet.mapping.reply.tables import UNKNOWN, Rules
from walletbridge.wallet.reply import Reply

_MEANINGS = {
    "CANCELLED": "the call was cancelled",
    "DEADLINE_EXCEEDED": "the wallet did not answer within the budget",
    "UNAVAILABLE": "the connection to the wallet broke",
    "UNIMPLEMENTED": "the wallet has no such method",
}
"""
The log's words for a status. They decide nothing: a call that was sent may have moved money, whatever its status. So
every status that the mapping does not name is an unknown outcome.
"""

_WITHOUT_BALANCE = frozenset({Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})
_OF_A_BALANCE = frozenset({Command.AUTHENTICATE, Command.BALANCE})


def parse(method: Method, response: bytes, trailers: Mapping[str, str | bytes]) -> Reply:
    """The reply to a call that ended with OK. Raises OutcomeUnknown for bytes that do not decode."""
    try:
        message: Any = method.response.FromString(response)
    except DecodeError:
        raise OutcomeUnknown("the wallet's response is not one of this method", sent=True) from None
    if method.has_required and not message.IsInitialized():
        raise OutcomeUnknown("the wallet's response lacks a required field", sent=True)
    return Reply(message, trailers=trailers)


def judge(rules: Rules, reply: Reply) -> Result:
    """The result of a reply by the rules. Raises OutcomeUnknown where they give none."""
    verdict = rules.of_ok(reply) if reply.message is not None else rules.of_failure(reply)
    if not isinstance(verdict, Result):
        raise OutcomeUnknown(_why(rules, reply), sent=True)
    return verdict


def read_outcome(binding: Binding, callback: Callback, reply: Reply) -> tuple[Outcome, bool]:
    """
    The outcome, and whether its balance must still be asked for. Raises OutcomeUnknown for a result that the protocol
    does not list for the command, and for an authenticate or balance without an exact balance.
    """
    result = judge(binding.method.outcome, reply)
    state = None
    if binding.state is not None and result is Result.OK:
        verdict = binding.state.of_ok(reply)
        state = verdict if isinstance(verdict, TransactionState) else None
    command = callback.command
    balance = _balance(binding, result, reply)
    if balance is ABSENT and (result in _WITHOUT_BALANCE or (command is Command.STATUS and result is Result.OK)):
        balance = 0
    asks = balance is ABSENT
    outcome = Outcome(result, None if asks else balance, state)
    if not is_listed_for(callback, outcome):
        raise OutcomeUnknown(f"the wallet answered {command} with {result.name}", sent=True)
    if command in _OF_A_BALANCE and result is Result.OK and balance is None:
        raise OutcomeUnknown("the wallet's balance cannot be said exactly", sent=True)
    return outcome, asks


def _balance(binding: Binding, result: Result, reply: Reply) -> Any:
    read = binding.balances.made if result is Result.OK else binding.balances.refused
    return ABSENT if read is None or reply.message is None else read(reply.message)


def _why(rules: Rules, reply: Reply) -> str:
    """The reason, in the mapping's words: the wallet's words may hold anything."""
    is_ok = reply.message is not None
    for rule in rules.rules:
        if not (rule.reader.reads_ok if is_ok else rule.reader.reads_failures):
            continue
        key = rule.reader.read(reply)
        if key is ABSENT or (rule.source == "grpc" and rule.reader.name == "status" and key not in rule.values):
            continue
        if rule.values.get(key, rule.otherwise) is UNKNOWN:
            named = rule.keys.get(key, str(key) if isinstance(key, int) else "a value that the mapping does not name")
            return f"the wallet answered with {rule.reader.name} {named}"
    if is_ok:
        return "the wallet's reply is none that the mapping names"
    return _MEANINGS.get(reply.status, f"the wallet answered {reply.status}")

"""
Guesses at what an operator's methods, fields and values mean, by their names and types. Marked as guesses where they
are printed: nothing here is ever used to call a wallet.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from walletbridge.wallet.mapping.fields import integers, is_map, is_string

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

METHODS: Mapping[str, Sequence[frozenset[str]]] = {
    "authenticate": [frozenset(words) for words in ({"authenticate"}, {"auth"}, {"login"}, {"verify"})],
    "balance": [frozenset(words) for words in ({"balance"}, {"get", "account"}, {"get", "player"}, {"get", "wallet"})],
    "bet": [frozenset(words) for words in ({"bet"}, {"debit"}, {"stake"}, {"withdraw"}, {"charge"}, {"process"})],
    "win": [frozenset(words) for words in ({"win"}, {"credit"}, {"payout"}, {"deposit"}, {"settle"}, {"process"})],
    "cancel": [frozenset(words) for words in ({"cancel"}, {"rollback"}, {"refund"}, {"reverse"}, {"revert"}, {"void"})],
    "status": [
        frozenset(words)
        for words in ({"status"}, {"transaction", "get"}, {"operation", "query"}, {"transfer", "get"}, {"transaction"})
    ],
}
"""The words of a method's name, the likeliest first."""

_FIELDS: Sequence[tuple[str, frozenset[str]]] = [
    ("{checks}", frozenset({"checks"})),
    ("{round_id}", frozenset({"round"})),
    ("{game_code}", frozenset({"game"})),
    ("{provider_id}", frozenset({"provider", "vendor"})),
    ("{requested_at}", frozenset({"requested", "timestamp", "time", "at"})),
    (
        "{trans_id}",
        frozenset({"trans", "transaction", "reference", "ref", "idempotency", "key", "operation", "transfer", "txn"}),
    ),
    ("{account}", frozenset({"account", "user", "username", "player", "customer", "login", "wallet", "member"})),
]
_AMOUNTS = frozenset({"amount", "stake", "cents", "sum", "money"})
_GOOD = frozenset({"ok", "success", "succeeded", "successful", "accepted", "done", "approved", "completed"})
_RESULTS: Sequence[tuple[str, frozenset[str], frozenset[str]]] = [
    ("31", frozenset({"insufficient", "funds", "balance", "enough"}), frozenset()),
    ("41", frozenset({"duplicate", "repeated", "repeat", "already", "exists", "processed"}), frozenset()),
    ("22", frozenset({"inactive", "blocked", "locked", "suspended", "disabled", "closed", "banned"}), frozenset()),
    (
        "42",
        frozenset({"transaction", "trans", "operation", "transfer", "reference"}),
        frozenset({"not", "no", "unknown"}),
    ),
    ("21", frozenset({"user", "player", "account", "customer"}), frozenset({"not", "no", "unknown"})),
    ("99", frozenset({"rejected", "refused", "declined", "failed", "denied"}), frozenset()),
]


def words_of(name: str) -> frozenset[str]:
    """`GetBalance`, `get_balance` and `GET_BALANCE` are the same words."""
    return frozenset(word.lower() for word in _WORD.findall(name))


def method_for(command: str, methods: Iterable[MethodDescriptor]) -> MethodDescriptor | None:
    """The method that sounds most like a command."""
    named = [(method, words_of(method.name)) for method in methods]
    for wanted in METHODS[command]:
        for method, words in named:
            if wanted <= words:
                return method
    return None


def source_for(field: FieldDescriptor, command: str) -> str:
    """What of the callback may fill a field, as the mapping writes it; empty for no guess."""
    words = words_of(field.name)
    if words & _AMOUNTS:
        form = form_of(field)
        return f"{{amount:{form}}}" if form and command in {"bet", "win", "undo"} else ""
    for source, names in _FIELDS:
        if words & names:
            return _of_type(source, field, command)
    return ""


def _of_type(source: str, field: FieldDescriptor, command: str) -> str:
    is_moment = field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"
    if source == "{requested_at}":
        return source if is_moment else ""
    if source == "{checks}":
        return source if field.is_repeated and (integers(field) or field.enum_type) else ""
    if field.is_repeated or not (is_string(field) or integers(field)):
        return ""
    if source == "{trans_id}" and command in {"authenticate", "balance"}:
        return ""
    if source in {"{round_id}", "{game_code}", "{provider_id}"} and command in {"authenticate", "balance", "status"}:
        return ""
    if source == "{trans_id}" and is_string(field) and command in {"bet", "win"}:
        return f"{command}:{source}" if words_of(field.name) & {"idempotency", "key", "reference", "ref"} else source
    if source == "{trans_id}" and is_string(field) and command == "undo":
        return f"cancel:{source}"
    return source


def form_of(field: FieldDescriptor) -> str:
    """The form of an amount in a field of this type; empty for one that can hold none."""
    if field.is_repeated:
        return ""
    if is_string(field):
        return "decimal"
    if integers(field) is not None:
        return "minor"
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return "double"
    message = field.message_type
    if message is not None and {"units", "nanos"} <= set(message.fields_by_name):
        return "money"
    return ""


def result_for(name: str) -> str:
    """What the value of an enum may mean; `unknown` for no guess."""
    words = words_of(name)
    for result, names, needed in _RESULTS:
        if words & names and (not needed or words & needed):
            return result
    return "0" if words & _GOOD and not words & {"not", "no", "un"} else "unknown"


def state_for(name: str) -> str:
    """What the value of an enum may say of a transaction."""
    words = words_of(name)
    if words & {"canceled", "cancelled", "reversed", "refunded", "rolled", "voided", "reverted"}:
        return "CANCELED"
    good = {"processed", "booked", "posted", "settled", "completed", "confirmed", "ok", "success", "done"}
    return "OK" if words & good and not words & {"not", "un"} else "unknown"


def find(message: Descriptor, wanted: str, *, depth: int = 3) -> tuple[str, FieldDescriptor] | None:
    """The path to a field one of whose words is `wanted`, the nearest first."""
    for field in message.fields:
        if wanted in words_of(field.name) and not field.is_repeated:
            return field.name, field
    for field in message.fields if depth > 1 else ():
        if field.message_type is not None and not field.is_repeated and not is_map(field):
            found = find(field.message_type, wanted, depth=depth - 1)
            if found is not None:
                return f"{field.name}.{found[0]}", found[1]
    return None


def status_field(message: Descriptor) -> FieldDescriptor | None:
    """The enum of a reply that says what came of it."""
    enums = [field for field in message.fields if field.enum_type is not None and not field.is_repeated]
    likely = [field for field in enums if words_of(field.name) & {"status", "outcome", "result", "code", "error"}]
    return (likely or enums or [None])[0]

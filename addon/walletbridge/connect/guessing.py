"""
Guesses the meaning of an operator's methods, fields and values from their names and types. Printed guesses are marked:
no wallet is ever called by a guess.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from walletbridge.wallet.mapping.fields import enum_of, integers, is_map, is_string

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

METHODS: Mapping[str, Sequence[frozenset[str]]] = {
    "authenticate": [frozenset(words) for words in ({"authenticate"}, {"auth"}, {"login"}, {"session"})],
    "balance": [
        frozenset(words)
        for words in ({"balance"}, {"funds"}, {"look"}, {"get", "account"}, {"get", "player"}, {"get", "wallet"})
    ],
    "bet": [
        frozenset(words) for words in ({"bet"}, {"debit"}, {"stake"}, {"withdraw"}, {"charge"}, {"take"}, {"process"})
    ],
    "win": [
        frozenset(words) for words in ({"win"}, {"credit"}, {"payout"}, {"deposit"}, {"settle"}, {"give"}, {"process"})
    ],
    "cancel": [
        frozenset(words)
        for words in ({"cancel"}, {"rollback"}, {"refund"}, {"reverse"}, {"revert"}, {"void"}, {"undo"})
    ],
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
_LACKING = {
    "{trans_id}": ("authenticate", "balance"),
    "{round_id}": ("authenticate", "balance", "status"),
    "{game_code}": ("authenticate", "balance", "status"),
    "{provider_id}": ("authenticate", "balance", "status"),
}
"""The commands that do not carry a source."""
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
    """The method whose name is most like a command; None where none is."""
    named = [(method, words_of(method.name)) for method in methods]
    for wanted in METHODS[command]:
        for method, words in named:
            if wanted <= words:
                return method
    return None


def source_for(field: FieldDescriptor, command: str) -> str:
    """The source that may fill a field, as the mapping writes it; empty for no guess."""
    words = words_of(field.name)
    if words & _AMOUNTS:
        form = form_of(field)
        return f"{{amount:{form}}}" if form and command in {"bet", "win", "undo"} else ""
    for source, names in _FIELDS:
        if words & names:
            return _of_type(source, field, command)
    return ""


def _of_type(source: str, field: FieldDescriptor, command: str) -> str:
    """The source, if the command has it and the field can hold it; an idempotency key names its command."""
    is_moment = field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"
    fits = not field.is_repeated and (is_string(field) or integers(field) is not None)
    if source == "{requested_at}":
        fits = is_moment
    elif source == "{checks}":
        fits = field.is_repeated and (integers(field) is not None or field.enum_type is not None)
    if not fits or command in _LACKING.get(source, ()):
        return ""
    is_key = source == "{trans_id}" and is_string(field)
    if is_key and command == "undo":
        return f"cancel:{source}"
    is_key = is_key and bool(words_of(field.name) & {"idempotency", "key", "reference", "ref"})
    return f"{command}:{source}" if is_key and command in {"bet", "win"} else source


def form_of(field: FieldDescriptor) -> str:
    """The form of an amount in a field of this type; empty if it can hold none."""
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
    """The result that an enum's value may mean; `unknown` for no guess."""
    words = words_of(name)
    for result, names, needed in _RESULTS:
        if words & names and (not needed or words & needed):
            return result
    return "0" if words & _GOOD and not words & {"not", "no", "un"} else "unknown"


def state_for(name: str) -> str:
    """The transaction state that an enum's value may mean."""
    words = words_of(name)
    if words & {"canceled", "cancelled", "reversed", "refunded", "rolled", "voided", "reverted"}:
        return "CANCELED"
    good = {"processed", "booked", "posted", "settled", "completed", "confirmed", "ok", "success", "done"}
    return "OK" if words & good and not words & {"not", "un"} else "unknown"


def find(message: Descriptor, wanted: str, *, depth: int = 3) -> tuple[str, FieldDescriptor] | None:
    """The nearest field whose name has the word `wanted`, with its path."""
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
    """The enum field of a reply that may hold the outcome."""
    enums = [field for field in message.fields if field.enum_type is not None and not field.is_repeated]
    telling = [field for field in enums if any(result_for(value.name) == "0" for value in enum_of(field).values)]
    likely = [field for field in telling if words_of(field.name) & {"status", "outcome", "result", "code", "error"}]
    return next(iter(likely or telling), None)

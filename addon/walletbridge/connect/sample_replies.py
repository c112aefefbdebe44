"""
Sample replies of a wallet, one for each line of a binding's tables, to show the answer to each.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from walletbridge.protocol.outcomes import Result
from walletbridge.wallet.mapping.bindings import Binding
from walletbridge.wallet.mapping.reply.readers import NONE
from walletbridge.wallet.mapping.reply.tables import NEXT, Rule, Rules
from walletbridge.wallet.reply import DETAILS, Reply

_STATUS = "FAILED_PRECONDITION"
"""The usual status beside a reason."""


def replies(binding: Binding) -> Iterator[tuple[str, Reply]]:
    """Each reply that the binding's tables name, in words and as a message."""
    for words, result, reply in _of_rules(binding.method.outcome, binding):
        if binding.state is None or result is not Result.OK:
            yield words, reply
            continue
        for rule in binding.state.rules:
            for key, name in rule.keys.items():
                if rule.values[key] is not NEXT:
                    message = type(reply.message)()
                    message.CopyFrom(reply.message)
                    _set(message, rule, key)
                    yield f"{words}, {_in_words(rule, name)}", Reply(message, trailers=reply.trailers)


def found(binding: Binding) -> dict[str, Any]:
    """Sample values of a look-up, for a sample request."""
    if binding.lookup is None:
        return {}
    message: Any = binding.lookup.method.response()
    values = {}
    for path, get in binding.lookup.values.wanted.items():
        _fill(message, path.split("."))
        values[path] = get(message)
    return values


def _of_rules(rules: Rules, binding: Binding) -> Iterator[tuple[str, Any, Reply]]:
    for index, rule in enumerate(rules.rules):
        for key, name in rule.keys.items():
            if rule.values[key] is NEXT:
                continue
            words = _in_words(rule, name)
            if rule.reader.reads_ok:
                message = binding.method.response()
                for earlier in rules.rules[:index]:
                    _pass(message, earlier)
                _set(message, rule, key)
                trailers = {rule.reader.name: key} if rule.source == "trailer" else {}
                yield words, rule.values[key], Reply(message, trailers=trailers)
            elif rule.reader.reads_failures:
                yield words, rule.values[key], _failure(rule, key)


def _in_words(rule: Rule, name: str) -> str:
    return f"{'gRPC ' if rule.source == 'grpc' else ''}{rule.reader.name} is {name or 'empty'}"


def _failure(rule: Rule, key: str) -> Reply:
    if rule.reader.name == "status":
        return Reply(None, key)
    details, packed = Status(), AnyMessage()
    packed.Pack(ErrorInfo(reason=key, domain=rule.reader.domain))
    details.details.append(packed)
    return Reply(None, _STATUS, {DETAILS: details.SerializeToString()})


def _pass(message: Message, rule: Rule) -> None:
    """Makes `rule` leave the reply to the next rule, if it can."""
    if rule.reader.reads_ok and rule.source != "trailer":
        for key, verdict in rule.values.items():
            if verdict is NEXT:
                _set(message, rule, key)
                return


def _set(message: Any, rule: Rule, key: Any) -> None:
    """Makes the rule read `key`, if it can."""
    if rule.source not in {"field", "present", "oneof"}:
        return
    *parents, last = rule.reader.name.split(".")
    for name in parents:
        # A path into a map ends here: its entries stay unchanged.
        message = getattr(message, name, None)
    if not isinstance(message, Message):
        return
    if rule.source == "field":
        if last in message.DESCRIPTOR.fields_by_name:
            setattr(message, last, key)
    elif rule.source == "oneof":
        message.ClearField(last)
        if key != NONE:
            _touch(message, key)
    elif key:
        _touch(message, last)
    else:
        message.ClearField(last)


def _touch(message: Any, name: str) -> None:
    """Sets a field to its empty value; adds one to a repeated field."""
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.is_repeated:
        if field.message_type is not None:
            value.add()
        else:
            value.append({field.TYPE_STRING: "", field.TYPE_BYTES: b""}.get(field.type, 0))
    elif field.message_type is not None:
        value.SetInParent()
    else:
        setattr(message, name, value)


def _fill(message: Any, names: Sequence[str]) -> None:
    """Sets the field at a path to a sample of its type."""
    *parents, last = names
    for name in parents:
        message = getattr(message, name, None)
    if not isinstance(message, Message) or last not in message.DESCRIPTOR.fields_by_name:
        return
    field = message.DESCRIPTOR.fields_by_name[last]
    kind = type(field.default_value)
    setattr(message, last, {str: "7", bytes: b"7", bool: True}.get(kind, kind(7)))

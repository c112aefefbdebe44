"""
Writes a first mapping file: it marks each guess, and puts a question at each open point.
"""

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from walletbridge.connect.guessing import (
    METHODS,
    find,
    form_of,
    method_for,
    result_for,
    source_for,
    state_for,
    status_field,
    words_of,
)
from walletbridge.wallet.mapping.consistency import COMES_TO
from walletbridge.wallet.mapping.fields import is_map, type_name
from walletbridge.wallet.proto.schema import Schema

_DEPTH_MAX = 3
_GUESS = "# GUESS"
_OPEN = "# OPEN:"
_HEAD = """\
# A first mapping, from what the wallet's protos say. Read each line marked GUESS, answer each marked OPEN, and let
# `walletbridge check --config FILE` say what is not right yet.
"""
_PROMISES = """
promises:
  late_bets_refused: false  # OPEN: is the cancel of an unknown transaction remembered, and its bet refused later?
  repeats: unprotected  # OPEN: of a movement sent again: reported (it says so), replayed (its first result again)?
  # GUESS: the checks that the wallet makes itself, by what its replies can say.
  checks: [{checks}]
"""


def mapping_text(schema: Schema, source: str) -> str:
    """The text of a mapping file; `source` is the line that names the source of the protos."""
    service = max(schema.services, key=lambda name: _likeness(schema, name))
    methods = [
        method
        for method in schema.services[service].methods
        if not method.client_streaming and not method.server_streaming
    ]
    chosen = {command: method_for(command, methods) for command in METHODS}
    chosen["authenticate"] = chosen["authenticate"] or chosen["balance"]
    texts = {command: "\n".join(_command(command, chosen)) for command in METHODS}
    bound = {method.full_name for method in chosen.values() if method is not None}
    lines = [
        _HEAD,
        f"schema:\n  {source}\n",
        f"service: {service}" + (f"  {_GUESS}" if len(schema.services) > 1 else ""),
        _PROMISES.format(checks=", ".join(_checks(texts))),
        *_others(schema, bound),
        "commands:",
        *texts.values(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _likeness(schema: Schema, service: str) -> int:
    return sum(method_for(command, schema.services[service].methods) is not None for command in METHODS)


def _others(schema: Schema, bound: set[str]) -> Iterator[str]:
    """The unbound methods, as candidates."""
    others = [(name, method) for name, method in schema.methods.items() if method.full_name not in bound]
    if others:
        yield "# Other methods, perhaps for a command or a look-up (see `lookup`):"
    for name, method in others:
        is_stream = method.client_streaming or method.server_streaming
        stream = " - a stream, which cannot be bound" if is_stream else ""
        yield f"#   method: {name}  # {method.input_type.name} -> {method.output_type.name}{stream}"
    if others:
        yield ""


def _command(command: str, chosen: dict[str, MethodDescriptor | None]) -> Iterator[str]:
    method = chosen[command]
    if method is not None:
        yield f"  {command}:"
        yield from _binding(command, method, "    ")
    elif command == "status":
        yield "  status: journal  # OPEN: is there a method that tells of a transaction?"
    elif command == "cancel" and chosen["bet"] and chosen["win"]:
        yield "  cancel:"
        yield "    # GUESS: there is no such method, so a cancel is the opposite movement."
        for undo, opposite in (("undo_bet", chosen["win"]), ("undo_win", chosen["bet"])):
            yield f"    {undo}:"
            yield from _binding("undo", opposite, "      ")
    else:
        yield f"  {command}:"
        yield f"    method: OPEN  {_OPEN} which method is it?"
        yield "    request: {}"
        yield "    outcome: []"
    yield ""


def _binding(command: str, method: MethodDescriptor, indent: str) -> Iterator[str]:
    yield f"{indent}method: {method.name}  {_GUESS}"
    yield f"{indent}request:" + ("" if _is_any_bound(method.input_type, command) else " {}")
    yield from _request(method.input_type, command, f"{indent}  ", 1)
    yield f"{indent}outcome:"
    yield from _outcome(method.output_type, f"{indent}  ")
    yield from _balance(method.output_type, command, indent)
    if command == "status":
        yield from _state(method.output_type, indent)


def _is_any_bound(message: Descriptor, command: str) -> bool:
    return any(not line.lstrip().startswith("#") for line in _request(message, command, "", 1))


def _request(message: Descriptor, command: str, indent: str, depth: int) -> Iterator[str]:
    """Each field, bound or as a comment."""
    for field in message.fields:
        source = source_for(field, command)
        if not _is_case(field, command):
            yield f"{indent}#{field.name}:  # {type_name(field)}, of a oneof"
        elif source:
            yield f'{indent}{field.name}: "{source}"  {_GUESS}'
        elif field.is_required and not _goes_deeper(field, depth):
            yield f"{indent}{field.name}: OPEN  {_OPEN} it is required; a {type_name(field)}"
        elif _goes_deeper(field, depth) and field.message_type is not None:
            inner = list(_request(field.message_type, command, f"{indent}  ", depth + 1))
            is_bound = any(not line.lstrip().startswith("#") for line in inner)
            yield (
                f"{indent}{field.name}:"
                if is_bound or field.is_required
                else f"{indent}#{field.name}:  # {type_name(field)}"
            )
            yield from inner
        else:
            yield f"{indent}#{field.name}:  # {type_name(field)}"


def _is_case(field: FieldDescriptor, command: str) -> bool:
    """Whether a oneof's member is the one for a command; a proto3 optional field is alone in its oneof."""
    if field.containing_oneof is None or len(field.containing_oneof.fields) == 1:
        return True
    wanted = METHODS["cancel" if command == "undo" else command]
    return any(words <= words_of(field.name) for words in wanted)


def _goes_deeper(field: FieldDescriptor, depth: int) -> bool:
    is_message = field.message_type is not None and not field.is_repeated and not is_map(field)
    return is_message and depth < _DEPTH_MAX


def _outcome(message: Descriptor, indent: str) -> Iterator[str]:
    status = status_field(message)
    success = find(message, "success", depth=1) or find(message, "ok", depth=1)
    if success is not None and success[1].type == FieldDescriptor.TYPE_BOOL:
        yield f"{indent}- field: {success[0]}  {_GUESS}"
        yield f"{indent}  values: {{true: 0, false: next}}"
    if status is not None and status.enum_type is not None:
        yield f"{indent}- field: {status.name}  {_GUESS}"
        yield f"{indent}  values:"
        for value in status.enum_type.values:
            result = result_for(value.name)
            question = f"{_OPEN} what does it mean?" if result == "unknown" and value.number else _GUESS
            yield f"{indent}    {value.name}: {result}  {question}"
    elif success is not None:
        reason = next(
            (found for word in ("error", "code", "reason", "message") if (found := find(message, word))), None
        )
        if reason is not None and form_of(reason[1]) == "decimal":
            yield f"{indent}- field: {reason[0]}  {_GUESS}"
            yield f'{indent}  values: {{"OPEN": unknown}}  {_OPEN} which texts come to 21, 22, 31, 41, 99?'
    else:
        yield from _of_status(message, indent)


def _of_status(message: Descriptor, indent: str) -> Iterator[str]:
    """For a reply without an outcome field: a reply is success, a gRPC status is a refusal."""
    balance = find(message, "balance")
    field = next((each for each in message.fields if each.has_presence), None)
    if field is not None:
        yield f"{indent}- present: {field.name}  {_GUESS}"
        yield f"{indent}  values: {{true: 0, false: unknown}}"
    else:
        name = balance[0] if balance else "OPEN"
        yield f"{indent}- field: {name}  {_OPEN} what in the reply says that it was made?"
        yield f'{indent}  values: {{"OPEN": 0}}'
    yield f"{indent}- grpc: status  {_GUESS}"
    yield f"{indent}  values: {{NOT_FOUND: 21, PERMISSION_DENIED: 22, ALREADY_EXISTS: 41}}  {_GUESS}"


def _balance(message: Descriptor, command: str, indent: str) -> Iterator[str]:
    found = find(message, "balance")
    form = form_of(found[1]) if found else ""
    if found and form:
        yield f'{indent}balance: "{{{found[0]}:{form}}}"  {_GUESS}'
    elif command == "balance":
        yield f"{indent}balance: OPEN  {_OPEN} where does the reply hold it? For example {{path:minor}}, in quotes"
    else:
        yield f"{indent}balance: ask  {_GUESS}"


def _state(message: Descriptor, indent: str) -> Iterator[str]:
    found = find(message, "state")
    outcome = status_field(message)
    enums = [field for field in message.fields if field.enum_type is not None and field is not outcome]
    name, field = found or ((enums[0].name, enums[0]) if enums else ("OPEN", None))
    yield f"{indent}state:"
    yield f"{indent}  field: {name}  " + (_GUESS if field is not None else f"{_OPEN} what says whether it stands?")
    yield f"{indent}  values:"
    if field is None or field.enum_type is None:
        yield f'{indent}    "OPEN": unknown'
        return
    for value in field.enum_type.values:
        yield f"{indent}    {value.name}: {state_for(value.name)}  {_GUESS}"


def _checks(texts: Mapping[str, str]) -> list[str]:
    """The checks that are named in every command that must come to them."""
    return [
        str(check)
        for check, commands in COMES_TO.items()
        if all(f": {check}" in texts[command] or "journal" in texts[command] for command in commands)
    ]

"""
The sources that a rule can read: a field, a field's presence, a oneof's case, the gRPC status, its reason, a trailer.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from walletbridge.wallet.mapping.constants import enum_number
from walletbridge.wallet.mapping.fields import ABSENT, Path, enum_of, find_field, find_path, integers, type_name
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name
from walletbridge.wallet.reply import Reply, error_infos

STATUSES = tuple(status.name for status in grpc.StatusCode if status is not grpc.StatusCode.OK)
MADE_UP = frozenset(
    {
        "CANCELLED",
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "UNAUTHENTICATED",
    }
)
"""The codes that gRPC's libraries and proxies make up themselves, even for an executed call."""

NONE = "none"
"""The case of a oneof without a set field."""
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)

type KeyOf = Callable[[str, Place], Any]
"""Turns a table's key into the reader's value. Raises Wrong for a key that the reader never gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads one source for a rule."""

    name: str
    """The path, the trailer's name, `status` or `reason`."""
    read: Callable[[Reply], Any]
    """ABSENT where there is nothing to read."""
    key_of: KeyOf
    every: Sequence[str] = ()
    """All possible keys, where they can be counted."""
    is_certain: bool = False
    """Whether there is always something to read."""
    is_closed: bool = False
    """Whether a value without a key reads like a field that was not sent."""
    reads_ok: bool = True
    reads_failures: bool = False
    domain: str = ""


def field_reader(keys: dict[str, Place], reply: Descriptor) -> Reader:
    """`field: path`."""
    place = keys["field"]
    path = find_path(reply, place.text(), place)
    field = path.field
    held = integers(field)
    if field.enum_type is not None:
        return _enum_reader(path, reply, place)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return Reader(
            name=place.text(),
            read=_of_message(path),
            key_of=_boolean,
            every=("true", "false"),
            is_certain=path.is_plain,
        )
    if field.type == FieldDescriptor.TYPE_STRING:
        return Reader(name=place.text(), read=_of_message(path), key_of=_as_it_is, is_certain=path.is_plain)
    if held is None:
        raise place.wrong(f"{field.name} is a {type_name(field)}; expected an enum, a bool, a string or an integer")

    def integer(text: str, where: Place) -> int:
        if not _INTEGER.fullmatch(text) or int(text) not in held:
            raise where.wrong(f"expected a whole number as the key, as {field.name} is a {type_name(field)}")
        return int(text)

    return Reader(name=place.text(), read=_of_message(path), key_of=integer, is_certain=path.is_plain)


def _enum_reader(path: Path, reply: Descriptor, place: Place) -> Reader:
    enum = enum_of(path.field)
    # A number that a closed enum lacks reads as unset, exactly like a field that was not sent.
    read = _unset_as_none(path.names, reply, place) if enum.is_closed else _of_message(path)
    return Reader(
        name=place.text(),
        read=read,
        key_of=lambda name, where: enum_number(name, path.field, where),
        every=[value.name for value in enum.values],
        is_certain=path.is_plain,
        is_closed=enum.is_closed,
    )


def presence_reader(keys: dict[str, Place], reply: Descriptor) -> Reader:
    """`present: path`."""
    place = keys["present"]
    holder, message, last = _held(place, reply)
    field = find_field(message, last, place)
    if not field.has_presence and not field.is_repeated:
        raise place.wrong(
            f"{last} is a {type_name(field)} without presence: unset and empty are one; expected a message, "
            "an optional or repeated field, or one of a oneof"
        )

    def read(reply: Reply) -> bool:
        found = holder(reply.message)
        if found is ABSENT:
            return False
        return bool(getattr(found, last) if field.is_repeated else found.HasField(last))

    return Reader(name=place.text(), read=read, key_of=_boolean, every=("true", "false"), is_certain=True)


def oneof_reader(keys: dict[str, Place], reply: Descriptor) -> Reader:
    """`oneof: path`."""
    place = keys["oneof"]
    holder, message, last = _held(place, reply)
    if last not in message.oneofs_by_name:
        raise place.wrong(f"the oneof {unknown_name(last, list(message.oneofs_by_name), 'expected one of')}")
    names = [*(field.name for field in message.oneofs_by_name[last].fields), NONE]

    def case(name: str, where: Place) -> str:
        if name not in names:
            raise where.wrong(f"the oneof {last}: the field {unknown_name(name, names, 'expected one of')}")
        return name

    def read(reply: Reply) -> Any:
        found = holder(reply.message)
        return ABSENT if found is ABSENT else found.WhichOneof(last) or NONE

    return Reader(name=place.text(), read=read, key_of=case, every=names, is_certain=holder is _itself)


def grpc_reader(keys: dict[str, Place], _reply: Descriptor) -> Reader:
    """`grpc: status` and `grpc: reason`."""
    name = keys["grpc"].choice(("status", "reason"))
    if name == "status":
        return Reader(
            name=name, read=attrgetter("status"), key_of=_status, is_certain=True, reads_ok=False, reads_failures=True
        )
    domain = keys["domain"].text() if "domain" in keys else ""

    def read(reply: Reply) -> Any:
        return next((info.reason for info in error_infos(reply) if domain in {"", info.domain}), ABSENT)

    return Reader(name=name, read=read, key_of=_as_it_is, reads_ok=False, reads_failures=True, domain=domain)


def trailer_reader(keys: dict[str, Place], _reply: Descriptor) -> Reader:
    """`trailer: name`."""
    place = keys["trailer"]
    name = place.text()
    if name != name.lower() or name.endswith("-bin"):
        raise place.wrong("expected a name in lower case that does not end with -bin")
    return Reader(name=name, read=lambda reply: reply.trailers.get(name, ABSENT), key_of=_as_it_is, reads_failures=True)


def _held(place: Place, reply: Descriptor) -> tuple[Callable[[Any], Any], Descriptor, str]:
    """A getter of the message that holds the last name of a path, its type, and that name."""
    *parents, last = place.text().split(".")
    if not parents:
        return _itself, reply, last
    path = find_path(reply, ".".join(parents), place)
    if path.field.message_type is None:
        raise place.wrong(f"{path.field.name} is a {type_name(path.field)}, which has no fields")
    return path.get, path.field.message_type, last


def _itself(message: Any) -> Any:
    return message


def _of_message(path: Path) -> Callable[[Reply], Any]:
    if path.is_plain:
        # The common case, in one step.
        return attrgetter(f"message.{path.field.name}")
    return lambda reply: path.get(reply.message)


def _unset_as_none(names: Sequence[str], message: Descriptor, place: Place) -> Callable[[Reply], Any]:
    """Reads an unset field as None; ABSENT where the message that holds it is unset."""
    *parents, last = names
    holder = find_path(message, ".".join(parents), place).get if parents else _itself

    def read(reply: Reply) -> Any:
        found = holder(reply.message)
        if found is ABSENT:
            return ABSENT
        return getattr(found, last) if found.HasField(last) else None

    return read


def _as_it_is(name: str, _place: Place) -> str:
    return name


def _boolean(name: str, place: Place) -> bool:
    if name not in {"true", "false"}:
        raise place.wrong(f"expected true or false as the key, got {name}")
    return name == "true"


def _status(name: str, place: Place) -> str:
    if name not in STATUSES:
        raise place.wrong(f"the status {unknown_name(name, STATUSES, 'expected one of')}")
    return name

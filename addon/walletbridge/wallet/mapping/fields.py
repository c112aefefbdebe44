"""
Message fields, by their descriptors: types, bounds, and paths to fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from walletbridge.wallet.mapping.yaml_places import Place, unknown_name

_NAMES = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FIXED32: "fixed32",
    FieldDescriptor.TYPE_FIXED64: "fixed64",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_SFIXED32: "sfixed32",
    FieldDescriptor.TYPE_SFIXED64: "sfixed64",
    FieldDescriptor.TYPE_SINT32: "sint32",
    FieldDescriptor.TYPE_SINT64: "sint64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: range(-(2**31), 2**31),
    FieldDescriptor.CPPTYPE_INT64: range(-(2**63), 2**63),
    FieldDescriptor.CPPTYPE_UINT32: range(2**32),
    FieldDescriptor.CPPTYPE_UINT64: range(2**64),
}


class Absent(Enum):
    """The value of a field that is not there."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def type_name(field: FieldDescriptor) -> str:
    """The field's type, as a proto file writes it."""
    if is_map(field):
        key, value = (message_of(field).fields_by_name[name] for name in ("key", "value"))
        return f"map<{type_name(key)}, {type_name(value)}>"
    referred = field.message_type or field.enum_type
    name = referred.full_name if referred else _NAMES.get(field.type, "group")
    return f"repeated {name}" if field.is_repeated else name


def integers(field: FieldDescriptor) -> range | None:
    """The integers that the field can hold; None for a field of another type."""
    return _RANGES.get(field.cpp_type)


def is_map(field: FieldDescriptor) -> bool:
    """Whether it is a map field."""
    return bool(field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry)


def message_of(field: FieldDescriptor) -> Descriptor:
    """The message type of a message field."""
    assert field.message_type is not None  # noqa: S101 - for the type checker: the caller made sure
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """The enum type of an enum field."""
    assert field.enum_type is not None  # noqa: S101 - for the type checker: the caller made sure
    return field.enum_type


def is_string(field: FieldDescriptor) -> bool:
    """Whether it is a single string."""
    return field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated


def find_field(message: Descriptor, name: str, place: Place) -> FieldDescriptor:
    """The field `name`. Raises Wrong with the nearest right name."""
    field = message.fields_by_name.get(name)
    if field is None:
        raise place.wrong(
            f"{message.full_name}: the field {unknown_name(name, list(message.fields_by_name), 'expected')}"
        )
    return field


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a reply to one of its fields."""

    names: tuple[str, ...]
    """The fields' names; after a map field, its key."""
    field: FieldDescriptor
    """The last field; for a map, its value field."""
    get: Callable[[Any], Any]
    """Takes the reply; ABSENT where the path runs through or ends at an unset field."""
    is_plain: bool
    """Whether it is one name that always has a value."""


def find_path(message: Descriptor, text: str, place: Place) -> Path:
    """
    The field at the dotted path `text`. Raises Wrong where there is none, or a repeated one.

    A field that has presence and is not set reads as ABSENT, never as its default.
    """
    steps: list[Callable[[Any], Any]] = []
    names = text.split(".")
    field: FieldDescriptor | None = None
    rest = iter(names)
    for name in rest:
        if field is not None and field.message_type is None:
            raise place.wrong(f"{text}: {field.name} is a {type_name(field)}, which has no fields")
        field = find_field(message_of(field) if field else message, name, place)
        if is_map(field):
            key = next(rest, None)
            if key is None:
                raise place.wrong(f"{text}: {name} is a {type_name(field)}; expected a key after it")
            steps.append(_of_map(field, key, place))
            field = message_of(field).fields_by_name["value"]
        elif field.is_repeated:
            raise place.wrong(f"{text}: {name} is a {type_name(field)}, which has no one value")
        else:
            steps.append(_if_set(name) if field.has_presence else attrgetter(name))
    assert field is not None  # noqa: S101 - split gives at least one name
    is_plain = len(names) == 1 and not field.has_presence
    return Path(tuple(names), field, _in_turn(steps), is_plain)


def _if_set(name: str) -> Callable[[Any], Any]:
    get = attrgetter(name)
    return lambda message: get(message) if message.HasField(name) else ABSENT


def _of_map(field: FieldDescriptor, text: str, place: Place) -> Callable[[Any], Any]:
    get = attrgetter(field.name)
    key_field = message_of(field).fields_by_name["key"]
    key: str | int = text
    if not is_string(key_field):
        if not (text.isascii() and text.isdecimal()):
            raise place.wrong(f"{field.name} is a {type_name(field)}; expected a number after it")
        key = int(text)

    def read(message: Any) -> Any:
        entries = get(message)
        # `in` first: a map of messages makes the entry that `[key]` lacks.
        return entries[key] if key in entries else ABSENT  # noqa: SIM401 - see above

    return read


def _in_turn(steps: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    if len(steps) == 1:
        return steps[0]

    def read(message: Any) -> Any:
        for step in steps:
            message = step(message)
            if message is ABSENT:
                return ABSENT
        return message

    return read

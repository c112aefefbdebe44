"""
Converts a source's value to a field's value. The types decide how, once, when the mapping file is read.

A conversion returns the field's value, or raises NotSayable where the field cannot hold it exactly.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from walletbridge.protocol.errors import NotSayable
from walletbridge.wallet.mapping import amounts
from walletbridge.wallet.mapping.constants import constant
from walletbridge.wallet.mapping.fields import integers, is_string, type_name
from walletbridge.wallet.mapping.request.context import Context
from walletbridge.wallet.mapping.request.sources import Kind
from walletbridge.wallet.mapping.templates import Slot
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name

TEXT: FieldDescriptor = FileDescriptorProto.DESCRIPTOR.fields_by_name["name"]
"""A string field that stands in where there is none: for parts of a composed text, and metadata."""

INT64 = range(-(2**63), 2**63)
TIMESTAMP = "google.protobuf.Timestamp"
NANOS = 10**9
NANOS_PER_MILLISECOND = 10**6
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,19}", re.ASCII)
"""Excludes what a number would lose, such as leading zeros: `007` and `7` are two transactions."""

AMOUNTS = ("minor", "decimal", "money", "double", "units", "nanos")
TIMES = ("seconds", "milliseconds", "rfc3339")

type Convert = Callable[[Any], Any]


def conversion(slot: Slot, kind: Kind, field: FieldDescriptor, context: Context, place: Place) -> Convert | None:
    """
    The conversion from `kind` to `field`; None where the value goes in unchanged.

    Raises Wrong where the value does not fit or would change, or its kind has no such conversion.
    """
    if slot.conversion in context.tables and kind in {Kind.TEXT, Kind.INTEGER, Kind.CHECKS}:
        return _by_table(slot.conversion, kind, field, context)
    match kind:
        case Kind.AMOUNT:
            return _amount(slot, field, context.decimals, place)
        case Kind.TIME:
            return _time(slot, field, place)
    if slot.conversion:
        raise place.wrong(f"{slot}: the conversion {unknown_name(slot.conversion, list(context.tables), 'a table')}")
    if kind is Kind.CHECKS:
        return _checks(slot, field, place)
    if kind is Kind.FLAG:
        return _flag(slot, field, place)
    return _text(slot, field, place) if kind is Kind.TEXT else _integer(slot, field, place)


def fitting(slot: Slot, field: FieldDescriptor, values: range, place: Place) -> Convert | None:
    """The conversion of an integer within `values` to a field of integers or text. Raises Wrong."""
    if is_string(field):
        return str
    held = integers(field)
    if held is None or field.is_repeated:
        raise _mismatch(slot, field, place)
    if values.start >= held.start and values.stop <= held.stop:
        return None

    def check(value: int) -> int:
        if value not in held:
            raise NotSayable(f"{slot} is beyond the {type_name(field)} {field.name}")
        return value

    return check


def _then(first: Convert, second: Convert | None) -> Convert:
    return first if second is None else lambda value: second(first(value))


def _amount(slot: Slot, field: FieldDescriptor, decimals: int, place: Place) -> Convert | None:
    name = slot.conversion
    if not name:
        forms = ", ".join(f"{{{slot.source}:{each}}}" for each in AMOUNTS)
        raise place.wrong(f"{slot}: expected the form of the amount: one of {forms}")
    positive = range(2**63)
    if name == "minor":
        return fitting(slot, field, positive, place)
    if name == "units":
        return _then(lambda minor: amounts.to_units(minor, decimals), fitting(slot, field, positive, place))
    if name == "nanos":
        return _then(lambda minor: amounts.to_nanos(minor, decimals), fitting(slot, field, range(NANOS), place))
    if name == "decimal" and is_string(field):
        return lambda minor: amounts.to_decimal(minor, decimals)
    if name == "double" and field.type == FieldDescriptor.TYPE_DOUBLE and not field.is_repeated:
        return lambda minor: amounts.to_double(minor, decimals)
    if name not in AMOUNTS:
        raise place.wrong(f"{slot}: the conversion {unknown_name(name, AMOUNTS, 'expected one of')}")
    raise _mismatch(slot, field, place)


def _time(slot: Slot, field: FieldDescriptor, place: Place) -> Convert | None:
    name = slot.conversion
    if name == "seconds":
        return _then(lambda nanos: nanos // NANOS, fitting(slot, field, INT64, place))
    if name == "milliseconds":
        return _then(lambda nanos: nanos // NANOS_PER_MILLISECOND, fitting(slot, field, INT64, place))
    if name == "rfc3339" and is_string(field):
        return _rfc3339
    if name and name not in TIMES:
        raise place.wrong(f"{slot}: the conversion {unknown_name(name, TIMES, 'expected one of')}")
    if not name and not field.is_repeated and field.message_type and field.message_type.full_name == TIMESTAMP:
        return _timestamp
    if not name:
        raise place.wrong(
            f"{slot} is a time, and {field.name} a {type_name(field)}; "
            f"expected one of the conversions {', '.join(TIMES)}"
        )
    raise _mismatch(slot, field, place)


def _timestamp(nanos: int) -> dict[str, int]:
    seconds, rest = divmod(nanos, NANOS)
    return {"seconds": seconds, "nanos": rest}


def _rfc3339(nanos: int) -> str:
    return datetime.fromtimestamp(nanos // NANOS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checks(slot: Slot, field: FieldDescriptor, place: Place) -> Convert | None:
    if field.is_repeated and (integers(field) or field.enum_type):
        return None
    if field.is_repeated and field.type == FieldDescriptor.TYPE_STRING:
        return lambda checks: list(map(str, checks))
    raise _mismatch(slot, field, place)


def _flag(slot: Slot, field: FieldDescriptor, place: Place) -> Convert | None:
    if field.is_repeated or field.type != FieldDescriptor.TYPE_BOOL:
        raise _mismatch(slot, field, place)
    return None


def _text(slot: Slot, field: FieldDescriptor, place: Place) -> Convert | None:
    held = integers(field)
    if field.is_repeated:
        raise _mismatch(slot, field, place)
    if field.type == FieldDescriptor.TYPE_STRING:
        return None
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda text: str(text).encode()
    if held is None:
        raise _mismatch(slot, field, place)

    def to_integer(text: str) -> int:
        if not _INTEGER.fullmatch(text) or int(text) not in held:
            raise NotSayable(f"{slot} is no number that the {type_name(field)} {field.name} holds exactly")
        return int(text)

    place.caution(f"{slot} is a text; where it is not a plain number that {field.name} holds, nothing is sent (500)")
    return to_integer


def _integer(slot: Slot, field: FieldDescriptor, place: Place) -> Convert | None:
    return fitting(slot, field, INT64, place)


def _by_table(name: str, kind: Kind, field: FieldDescriptor, context: Context) -> Convert:
    table = {key: constant(value, field, of_item=kind is Kind.CHECKS) for key, value in context.tables[name].items()}

    def look_up(value: object) -> object:
        try:
            return table[str(value)]
        except KeyError:
            raise NotSayable(f"the table {name} has no line for the callback's value") from None

    return (lambda checks: [look_up(check) for check in checks]) if kind is Kind.CHECKS else look_up


def _mismatch(slot: Slot, field: FieldDescriptor, place: Place) -> Exception:
    return place.wrong(f"{slot} does not fit {field.name}, which is a {type_name(field)}")

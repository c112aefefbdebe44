"""
Turns plain values of the mapping file into values of a field.
"""

from google.protobuf.descriptor import FieldDescriptor

from walletbridge.wallet.mapping.fields import enum_of, integers, type_name
from walletbridge.wallet.mapping.templates import Template, parse
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name


def constant(place: Place, field: FieldDescriptor, *, of_item: bool = False) -> object:
    """
    The value at `place`, for `field` (with `of_item`, for one item of it). Raises Wrong for a value of another type.
    """
    if field.is_repeated and not of_item:
        raise place.wrong(f"{field.name} is a {type_name(field)}; expected a list")
    if field.message_type is not None:
        raise place.expected(f"keys and values, as {field.name} is a {type_name(field)}")
    if field.enum_type is not None:
        return enum_number(place.text(), field, place)
    held = integers(field)
    if held is not None:
        return place.whole(held.start, held.stop - 1)
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return place.boolean()
        case FieldDescriptor.TYPE_STRING:
            return literal(place)
        case FieldDescriptor.TYPE_BYTES:
            return literal(place).encode()
    value = place.scalar()
    if isinstance(value, bool | str):
        raise place.expected(f"a number, as {field.name} is a {type_name(field)}")
    return value


def enum_number(name: str, field: FieldDescriptor, place: Place) -> int:
    """The number of the enum's value `name`. Raises Wrong with the nearest right name."""
    enum = enum_of(field)
    values = enum.values_by_name
    if name not in values:
        raise place.wrong(f"{enum.full_name}: the value {unknown_name(name, list(values), 'expected one of')}")
    number: int = values[name].number
    return number


def literal(place: Place) -> str:
    """A text without slots. Raises Wrong where a brace belongs to no slot."""
    return "".join(map(str, template(place)))


def template(place: Place) -> Template:
    """The parts of the text at `place`. Raises Wrong where a brace belongs to no slot."""
    try:
        return parse(place.text())
    except ValueError as error:
        raise place.wrong(str(error)) from None

"""
Reads a reply's balance: where it stands, and in which form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from walletbridge.wallet.mapping import amounts
from walletbridge.wallet.mapping.fields import ABSENT, Path, find_path, integers, is_string, type_name
from walletbridge.wallet.mapping.request.requests import MONEY, find_money_field
from walletbridge.wallet.mapping.request.values import template_at
from walletbridge.wallet.mapping.templates import Slot
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name

FORMS = ("minor", "decimal", "money", "double", "double_rounded")
_ASK = "ask"
_INT64_END = 2**63

type ReadBalance = Callable[[Any], Any]
"""
Takes the reply's message and gives minor units, None for a balance that is not exact, ABSENT for no balance.
"""


@dataclass(frozen=True, slots=True)
class Balances:
    """How to read a reply's balance; None where another call asks for it."""

    made: ReadBalance | None = None
    """With result 0."""
    refused: ReadBalance | None = None
    """With results 31, 41, 42 and 99."""
    field: FieldDescriptor | None = None
    """The field of the balance with result 0, for samples."""


def compile_balances(place: Place, reply: Descriptor, decimals: int) -> Balances:
    """Compiles the mapping's `balance`. Raises Wrong."""
    if place.is_mapping:
        entries = place.entries()
        if entries.keys() & {"made", "refused"} or not entries.keys() & set(MONEY):
            keys = place.keys(["made", "refused"], required=["made", "refused"])
            read = {name: _read_or_ask(value, reply, decimals) for name, value in keys.items()}
            return Balances(read["made"], read["refused"])
    both = _read_or_ask(place, reply, decimals)
    return Balances(both, both)


def _read_or_ask(place: Place, reply: Descriptor, decimals: int) -> ReadBalance | None:
    if place.is_mapping:
        return _of_parts(place, reply, decimals)
    if place.text() == _ASK:
        return None
    template = template_at(place) or ()
    slot = template[0] if len(template) == 1 else None
    if not isinstance(slot, Slot):
        raise place.expected('"{path:form}" or ask')
    path = find_path(reply, slot.source, place)
    return _in_turn(path.get, _form(slot, path, decimals, place))


def _form(slot: Slot, path: Path, decimals: int, place: Place) -> Callable[[Any], int | None]:
    field = path.field
    match slot.conversion:
        case "minor" if (held := integers(field)) is not None:
            if held.stop > _INT64_END:
                place.caution(
                    f"{field.name} is a {type_name(field)}: a balance above {_INT64_END - 1} cannot be answered"
                )
            return amounts.from_integer
        case "minor" if is_string(field):
            return amounts.from_digits
        case "decimal" if is_string(field):
            place.caution(_finer(field, f"more than {decimals} decimals"))
            return lambda text: amounts.from_decimal(text, decimals)
        case "money":
            units, nanos = (find_money_field(field, name, place).name for name in MONEY)
            place.caution(_finer(field, f"nanos finer than {decimals} decimals"))
            return lambda money: amounts.from_units_and_nanos(getattr(money, units), getattr(money, nanos), decimals)
        case "double" if field.type == FieldDescriptor.TYPE_DOUBLE:
            place.caution(_finer(field, "a sum of doubles that is the double of no amount, such as 0.1 + 0.2"))
            return lambda value: amounts.from_double(value, decimals)
        case "double_rounded" if field.type == FieldDescriptor.TYPE_DOUBLE:
            place.caution(
                f"{field.name} is rounded to {decimals} decimals: what the player sees may be off by half a unit"
            )
            return lambda value: amounts.from_double_rounded(value, decimals)
        case "":
            forms = ", ".join(f"{{{slot.source}:{form}}}" for form in FORMS)
            raise place.wrong(f"{slot}: expected the form of the balance: one of {forms}")
        case name if name not in FORMS:
            raise place.wrong(f"{slot}: the form {unknown_name(name, FORMS, 'expected one of')}")
    raise place.wrong(f"{slot} does not fit {field.name}, which is a {type_name(field)}")


def _finer(field: FieldDescriptor, what: str) -> str:
    return f"{field.name} may hold {what}: such a balance is not rounded, but taken as unreadable"


def _of_parts(place: Place, reply: Descriptor, decimals: int) -> ReadBalance:
    keys = place.keys(MONEY, required=MONEY)
    paths = {name: find_path(reply, keys[name].text(), keys[name]) for name in MONEY}
    for name, path in paths.items():
        if integers(path.field) is None:
            raise keys[name].wrong(f"{path.field.name} is a {type_name(path.field)}; expected an integer")

    def read(message: Any) -> Any:
        units, nanos = (paths[name].get(message) for name in MONEY)
        # Absent nanos are 0; absent units are no balance.
        if units is ABSENT:
            return ABSENT
        return amounts.from_units_and_nanos(units, 0 if nanos is ABSENT else nanos, decimals)

    place.caution(_finer(paths["nanos"].field, f"nanos finer than {decimals} decimals"))
    return read


def _in_turn(get: Callable[[Any], Any], form: Callable[[Any], int | None]) -> ReadBalance:
    def read(message: Any) -> Any:
        value = get(message)
        return ABSENT if value is ABSENT else form(value)

    return read

"""
One value of a request: a constant, a field of the callback, or a value computed from them at each call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from walletbridge.protocol.errors import NotSayable
from walletbridge.wallet.mapping.constants import constant, template
from walletbridge.wallet.mapping.fields import ABSENT, find_path, integers, type_name
from walletbridge.wallet.mapping.request.context import Context, Found
from walletbridge.wallet.mapping.request.conversions import NANOS, TEXT, Convert, conversion, fitting
from walletbridge.wallet.mapping.request.sources import SOURCES, Kind, Role, Source
from walletbridge.wallet.mapping.templates import Slot, Template
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name

type Compute = Callable[[Any, Found], Any]
"""Takes the callback and a look-up's values; ABSENT leaves the field unset."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same in every request."""

    value: Any


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of the callback, unchanged."""

    name: str


@dataclass(frozen=True, slots=True)
class Computed:
    """Computed for each request."""

    compute: Compute


type Plan = Constant | Attribute | Computed


def value_plan(place: Place, field: FieldDescriptor, context: Context) -> Plan:
    """The value at `place`, for `field`. Raises Wrong."""
    template = template_at(place)
    if template is None or not any(isinstance(part, Slot) for part in template):
        return Constant(constant(place, field))
    if any(isinstance(part, Slot) and part.source.startswith("env.") for part in template):
        place.caution(
            "whoever watches callbacks sees requests, and so this value; what is secret belongs into metadata"
        )
    if len(template) == 1 and isinstance(template[0], Slot):
        return slot_plan(template[0], field, context, place)
    if field.is_repeated or field.type not in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
        raise place.wrong(f"a composed text does not fit {field.name}, which is a {type_name(field)}")
    compose = composed(template, context, place)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return Computed(lambda callback, found: compose(callback, found).encode())
    return Computed(compose)


def template_at(place: Place) -> Template | None:
    """The parts of the text at `place`; None where no text stands there. Raises Wrong."""
    return template(place) if isinstance(place.scalar(), str) else None


def composed(template: Template, context: Context, place: Place) -> Callable[[Any, Found], str]:
    """Composes the text of a template; an unset field of the callback is empty. Raises Wrong."""
    parts = [Constant(part) if isinstance(part, str) else slot_plan(part, TEXT, context, place) for part in template]
    computes = [as_compute(part) for part in parts]

    def compose(callback: Any, found: Found) -> str:
        values = [compute(callback, found) for compute in computes]
        return "".join("" if value is ABSENT else value for value in values)

    return compose


def as_compute(plan: Plan) -> Compute:
    """Any plan as a function."""
    match plan:
        case Constant(value):
            return lambda _callback, _found: value
        case Attribute(name):
            get = attrgetter(name)
            return lambda callback, _found: get(callback)
        case Computed(compute):
            return compute


def slot_plan(slot: Slot, field: FieldDescriptor, context: Context, place: Place) -> Plan:
    """The value of a slot, for `field`. Raises Wrong."""
    name, _, rest = slot.source.partition(".")
    if context.lookup and name == context.lookup.name and rest:
        return _of_lookup(slot, field, context, place)
    if name == "env" and rest:
        return _of_environment(slot, rest, field, context, place)
    if slot.source == "settings.currency_decimals":
        return _converted(context.decimals, conversion(slot, Kind.INTEGER, field, context, place), place)
    if slot.source == "now":
        now, convert = context.now, conversion(slot, Kind.TIME, field, context, place)
        return Computed(lambda _callback, _found: convert(now()) if convert else now())
    source = _source(slot, context, place)
    context.used |= {slot.source, str(slot)[1:-1]}
    if slot.source == "trans_id":
        context.keys.add(place.text())
    return _of_callback(source, conversion(slot, source.kind, field, context, place), field, place)


def _source(slot: Slot, context: Context, place: Place) -> Source:
    source = SOURCES.get(slot.source)
    known = [name for name, each in SOURCES.items() if context.role in each.roles]
    if source is None:
        lookup = [f"{context.lookup.name}.(a field of its reply)"] if context.lookup else []
        names = [*known, "now", *lookup, "env.NAME", "settings.currency_decimals"]
        raise place.wrong(f"the source {unknown_name(slot.source, names, 'expected one of')}")
    if context.role not in source.roles:
        more = "; a look-up is kept by account" if context.role is Role.LOOKUP else ""
        raise place.wrong(f"{slot.source} is not known in a {context.role}; expected one of {', '.join(known)}{more}")
    return source


def _of_callback(source: Source, convert: Convert | None, field: FieldDescriptor, place: Place) -> Plan:
    get = attrgetter(source.attribute)
    is_time = source.kind is Kind.TIME
    # A field with presence stays unset where its source is unset; a required one is always set.
    drops = source.may_be_unset and (is_time or (field.has_presence and not field.is_required))
    if is_time and field.is_required:
        raise place.wrong(f"{field.name} is required, and the provider's time may be unset; expected {{now}}")
    if not drops:
        if convert is None:
            return Attribute(source.attribute)
        return Computed(lambda callback, _found: convert(get(callback)))

    def compute(callback: Any, _found: Found) -> Any:
        value = get(callback)
        if value is None or (not is_time and not value):
            return ABSENT
        value = value * NANOS if is_time else value
        return value if convert is None else convert(value)

    return Computed(compute)


def _of_environment(slot: Slot, name: str, field: FieldDescriptor, context: Context, place: Place) -> Plan:
    if name not in context.environ:
        raise place.wrong(f"the environment variable {name} is not set")
    return _converted(context.environ[name], conversion(slot, Kind.TEXT, field, context, place), place)


def _converted(value: object, convert: Convert | None, place: Place) -> Constant:
    try:
        return Constant(convert(value) if convert else value)
    except NotSayable as error:
        raise place.wrong(str(error)) from None


def _of_lookup(slot: Slot, field: FieldDescriptor, context: Context, place: Place) -> Plan:
    lookup = context.lookup
    assert lookup is not None  # noqa: S101 - for the type checker: the caller made sure
    text = slot.source.partition(".")[2]
    path = find_path(lookup.reply, text, place)
    lookup.wanted[text] = path.get
    convert = _from_field(slot, path.field, field, context, place)

    def compute(_callback: Any, found: Found) -> Any:
        value = found[text]
        if value is ABSENT:
            raise NotSayable(f"the look-up {lookup.name} brought no {text}")
        return value if convert is None else convert(value)

    return Computed(compute)


def _from_field(
    slot: Slot, origin: FieldDescriptor, field: FieldDescriptor, context: Context, place: Place
) -> Convert | None:
    """The conversion from a reply's field to a request's field. Raises Wrong."""
    values = integers(origin)
    if slot.conversion in context.tables:
        return conversion(slot, Kind.TEXT, field, context, place)
    if slot.conversion:
        raise place.wrong(f"{slot}: the conversion {unknown_name(slot.conversion, list(context.tables), 'a table')}")
    if values is not None:
        return fitting(slot, field, values, place)
    if origin.type == FieldDescriptor.TYPE_STRING:
        return conversion(slot, Kind.TEXT, field, context, place)
    same = origin.type == field.type and origin.enum_type is field.enum_type and not field.is_repeated
    if same and origin.message_type is None:
        return None
    raise place.wrong(f"{slot} is a {type_name(origin)} and does not fit {field.name}, which is a {type_name(field)}")


def metadata_plan(place: Place, context: Context) -> Compute:
    """The text of a metadata key. Raises Wrong; at a call, NotSayable for a text that metadata cannot hold."""
    template = template_at(place)
    if template is None:
        template = (place.text(),)
    return partial(_printable, composed(template, context, place), place.path.rpartition(".")[2])


def _printable(compose: Callable[[Any, Found], str], name: str, callback: Any, found: Found) -> str:
    text = compose(callback, found)
    if not text.isascii() or not text.isprintable() or text != text.strip(" "):
        raise NotSayable(f"the metadata {name} would hold a character that metadata cannot")
    return text

"""
Compiles a command's request from the mapping file to one function.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from ruamel.yaml.nodes import Node, ScalarNode

from walletbridge.wallet.mapping.fields import ABSENT, find_field, integers, is_map, message_of, type_name
from walletbridge.wallet.mapping.request.context import Context, Found
from walletbridge.wallet.mapping.request.values import (
    Attribute,
    Compute,
    Computed,
    Constant,
    Plan,
    as_compute,
    slot_plan,
    template_at,
    value_plan,
)
from walletbridge.wallet.mapping.templates import Slot
from walletbridge.wallet.mapping.yaml_places import Place, Wrong
from walletbridge.wallet.proto.schema import message_class

type Build = Callable[[Any, Found], Message]
"""Takes the callback and a look-up's values. Raises NotSayable, or protobuf's ValueError or TypeError."""

MONEY = ("units", "nanos")


@dataclass(slots=True)
class Tree:
    """The mapping's entries for one message, with dotted paths resolved."""

    place: Place
    leaves: dict[str, Place] = field(default_factory=dict)
    branches: dict[str, "Tree"] = field(default_factory=dict)


def compile_request(place: Place, message: Descriptor, context: Context) -> Build:
    """The function that builds a `message` from `place`. Notes the mistakes there."""
    plans = _plans(_tree([place]), message, context)
    return _builder(message_class(message), plans)


def _tree(places: Iterable[Place]) -> Tree:
    """The tree of keys and values, several of which may belong to one message."""
    tree: Tree | None = None
    for place in places:
        tree = tree or Tree(place)
        for name, value in place.entries().items():
            with place.notes.noting():
                _grow(tree, name, value)
    assert tree is not None  # noqa: S101 - there is always one
    return tree


def _grow(tree: Tree, name: str, value: Place) -> None:
    first, _, rest = name.partition(".")
    if rest:
        _grow(tree.branches.setdefault(first, Tree(value)), rest, value)
    elif first in tree.leaves:
        raise value.wrong(f"{first} stands twice, first in line {tree.leaves[first].line}")
    else:
        tree.leaves[first] = value


def _plans(tree: Tree, message: Descriptor, context: Context) -> dict[str, Plan]:
    """A plan for each named field. Notes mistakes."""
    plans: dict[str, Plan] = {}
    chosen: dict[str, str] = {}
    for name in dict.fromkeys([*tree.leaves, *tree.branches]):
        place = tree.leaves[name] if name in tree.leaves else tree.branches[name].place
        with place.notes.noting():
            _hint_at_quotes(place, message, name)
            found = find_field(message, name, place)
            oneof = found.containing_oneof
            if oneof is not None and chosen.setdefault(oneof.name, name) != name:
                raise place.wrong(f"{name} and {chosen[oneof.name]} are both of the oneof {oneof.name}; expected one")
            plans[name] = _field_plan(tree, name, place, found, context)
    for found in message.fields:
        with tree.place.notes.noting():
            if found.is_required and found.name not in tree.leaves and found.name not in tree.branches:
                raise tree.place.wrong(f"{message.full_name} requires the field {found.name}")
    return plans


def _field_plan(tree: Tree, name: str, place: Place, found: FieldDescriptor, context: Context) -> Plan:
    branch = tree.branches.get(name)
    leaf = tree.leaves.get(name)
    if found.is_repeated and branch is None:
        return _map_plan(place, found, context) if is_map(found) else _repeated_plan(place, found, context)
    if found.is_repeated:
        raise place.wrong(f"{name} is a {type_name(found)}, which has no fields")
    if leaf is not None and leaf.is_mapping and found.message_type is not None:
        inner = _tree([leaf])
        if branch is not None:
            _merge(inner, branch)
        return _nested(inner, found.message_type, context, {})
    money = leaf and _money(leaf, found, context)
    if money:
        return _nested(branch or Tree(place), message_of(found), context, money)
    if branch is None:
        return value_plan(place, found, context)
    if leaf is not None or found.message_type is None:
        raise place.wrong(f"{name} is a {type_name(found)}, which has no fields")
    return _nested(branch, found.message_type, context, {})


def _merge(tree: Tree, other: Tree) -> None:
    for name, place in other.leaves.items():
        _grow(tree, name, place)
    for name, branch in other.branches.items():
        if name in tree.branches:
            _merge(tree.branches[name], branch)
        else:
            tree.branches[name] = branch


def _nested(tree: Tree, message: Descriptor, context: Context, more: dict[str, Plan]) -> Plan:
    plans = {**more, **_plans(tree, message, context)}
    if all(isinstance(plan, Constant) for plan in plans.values()):
        return Constant(_builder(message_class(message), plans)(None, {}))
    return Computed(_builder(message_class(message), plans))


def _money(place: Place, found: FieldDescriptor, context: Context) -> dict[str, Plan]:
    """Plans for `units` and `nanos` where `{amount:money}` stands; else empty."""
    template = template_at(place) or ()
    slot = template[0] if len(template) == 1 else None
    if not isinstance(slot, Slot) or slot.conversion != "money":
        return {}
    fields = [find_money_field(found, name, place) for name in MONEY]
    return {each.name: slot_plan(Slot(slot.source, each.name), each, context, place) for each in fields}


def find_money_field(money: FieldDescriptor, name: str, place: Place) -> FieldDescriptor:
    """`units` or `nanos` of a money message. Raises Wrong where it is no integer field."""
    if money.message_type is None:
        raise place.wrong(f"{money.name} is a {type_name(money)}; money expects a message with units and nanos")
    part: FieldDescriptor | None = money.message_type.fields_by_name.get(name)
    if part is None or part.is_repeated or integers(part) is None:
        raise place.wrong(f"{money.message_type.full_name} has no integer field {name}, which money expects")
    return part


def _map_plan(place: Place, found: FieldDescriptor, context: Context) -> Plan:
    key_field, value_field = (message_of(found).fields_by_name[name] for name in ("key", "value"))
    computes: dict[Any, Compute] = {}
    for name, value in place.entries().items():
        with place.notes.noting():
            computes[_map_key(name, key_field, value)] = _item(value, value_field, context)

    def compute(callback: Any, values: Found) -> dict[Any, Any]:
        made = {key: each(callback, values) for key, each in computes.items()}
        return {key: value for key, value in made.items() if value is not ABSENT}

    return Computed(compute)


def _map_key(text: str, key_field: FieldDescriptor, place: Place) -> object:
    held = integers(key_field)
    if held is None and key_field.type == FieldDescriptor.TYPE_STRING:
        return text
    if held is None or not (text.isascii() and text.isdecimal()) or int(text) not in held:
        raise place.wrong(f"expected a key of the type {type_name(key_field)}")
    return int(text)


def _repeated_plan(place: Place, found: FieldDescriptor, context: Context) -> Plan:
    if not place.is_list:
        if place.is_mapping:
            raise place.wrong(f"{found.name} is a {type_name(found)}; expected a list")
        return value_plan(place, found, context)
    computes = [_item(item, found, context) for item in place.items()]

    def compute(callback: Any, values: Found) -> list[Any]:
        return [value for each in computes if (value := each(callback, values)) is not ABSENT]

    return Computed(compute)


def _item(place: Place, found: FieldDescriptor, context: Context) -> Compute:
    """One item of a list or map."""
    if place.is_mapping and found.message_type is not None:
        return as_compute(_nested(_tree([place]), found.message_type, context, {}))
    return as_compute(
        value_plan(place, cast("FieldDescriptor", _Item(found)), context)
        if found.is_repeated
        else value_plan(place, found, context)
    )


class _Item:
    """A repeated field seen as one of its items."""

    def __init__(self, found: FieldDescriptor) -> None:
        self._found = found
        self.is_repeated = False
        self.has_presence = True
        self.is_required = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)


def _nothing(_callback: object) -> tuple[()]:
    return ()


def _builder(message: Callable[..., Message], plans: dict[str, Plan]) -> Build:
    """One function of the plans; each call does as little as possible."""
    constants = {name: plan.value for name, plan in plans.items() if isinstance(plan, Constant)}
    names = [name for name, plan in plans.items() if isinstance(plan, Attribute)]
    # A getter gives a tuple only for two names or more; `zip` drops the surplus values.
    attributes = [plan.name for plan in plans.values() if isinstance(plan, Attribute)]
    get = attrgetter(*attributes, "account", "account") if names else _nothing
    computes = [(name, plan.compute) for name, plan in plans.items() if isinstance(plan, Computed)]

    def build(callback: Any, found: Found) -> Message:
        values = dict(zip(names, get(callback)))  # noqa: B905 - drops the surplus; called for each callback
        for name, compute in computes:
            value = compute(callback, found)
            if value is not ABSENT:
                values[name] = value
        return message(**values, **constants)

    return build


def _hint_at_quotes(place: Place, message: Descriptor, name: str) -> None:
    """Raises Wrong for a slot without quotes, which YAML reads as a key without a value."""
    if place.is_mapping:
        pairs: list[tuple[Node, Node]] = place.node.value
        if len(pairs) == 1 and isinstance(pairs[0][1], ScalarNode) and pairs[0][1].value in {"", None}:
            inner = message.fields_by_name.get(name)
            key = str(pairs[0][0].value)
            if (
                inner is None
                or inner.message_type is None
                or key.partition(".")[0] not in inner.message_type.fields_by_name
            ):
                raise Wrong(place.wrong(f'a slot is written in quotes: "{{{key}}}"').mistake)

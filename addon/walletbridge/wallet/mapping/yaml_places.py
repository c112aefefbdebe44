"""
The mapping file as places: YAML nodes with their path and line, and the mistakes and cautions found there.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from walletbridge.settings import yaml_nodes
from walletbridge.settings.mistakes import Mistake, dotted, unknown_key

_LISTED_MAX = 12
_READABLE = re.compile(r"[\w./:*-]{1,80}")


class Wrong(Exception):
    """Raised for a mistake at a place. A reader of several places notes it and goes on with the next."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


class Notes:
    """The mistakes and cautions of one file."""

    def __init__(self) -> None:
        self._mistakes: dict[Mistake, None] = {}
        self._cautions: dict[Mistake, None] = {}

    @property
    def mistakes(self) -> list[Mistake]:
        """In the order of the file. A node with an anchor is read at each use, but its mistake stands here once."""
        return sorted({(each.line, each.problem): each for each in reversed(self._mistakes)}.values())

    @property
    def cautions(self) -> list[Mistake]:
        """Allowed, but the operator should know of it."""
        return sorted({(each.line, each.problem): each for each in reversed(self._cautions)}.values())

    def caution(self, mistake: Mistake) -> None:
        """Notes a caution."""
        self._cautions[mistake] = None

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Notes the mistake that ends the block, if one does."""
        try:
            yield
        except Wrong as wrong:
            self._mistakes[wrong.mistake] = None


class Place:
    """A node of the file."""

    def __init__(self, node: Node, path: str, line: int, notes: Notes) -> None:
        self.node = node
        self.path = path
        """Dotted, such as `commands.bet.request.amount`."""
        self.line = line
        self.notes = notes

    @property
    def is_mapping(self) -> bool:
        """Whether it holds keys and values."""
        return isinstance(self.node, MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list of nodes."""
        return isinstance(self.node, SequenceNode)

    def wrong(self, problem: str) -> Wrong:
        """The mistake to raise."""
        return Wrong(Mistake(self.line, self.path, problem))

    def expected(self, what: str) -> Wrong:
        """The mistake that something else stands here."""
        return self.wrong(f"expected {what}, got {yaml_nodes.shown(self.node)}")

    def caution(self, problem: str) -> None:
        """Notes a caution."""
        self.notes.caution(Mistake(self.line, self.path, problem))

    def entries(self) -> dict[str, "Place"]:
        """Each key with its value's place. Raises Wrong for anything but keys and values; notes a repeated key."""
        if not isinstance(self.node, MappingNode):
            raise self.expected("keys and values")
        found: dict[str, Place] = {}
        for name, line, node in yaml_nodes.entries(self.node):
            place = Place(node, dotted(self.path, name), line, self.notes)
            with self.notes.noting():
                if name in found:
                    raise place.wrong(f"stands twice, first in line {found[name].line}")
                found[name] = place
        return found

    def keys(self, names: Sequence[str], *, required: Collection[str] = ()) -> dict[str, "Place"]:
        """
        The entries whose keys are in `names`. Notes all other keys.

        Raises Wrong where a required key is missing, and for anything but keys and values.
        """
        entries = self.entries()
        for name, place in entries.items():
            with self.notes.noting():
                if name not in names:
                    raise place.wrong(unknown_key(name, self.path, names, ()))
        missing = [name for name in required if name not in entries]
        if missing:
            raise self.wrong(f"lacks {', '.join(missing)}")
        return {name: place for name, place in entries.items() if name in names}

    def items(self) -> list["Place"]:
        """The nodes of a list. Raises Wrong for anything else."""
        if not isinstance(self.node, SequenceNode):
            raise self.expected("a list")
        return [
            Place(node, f"{self.path}[{index}]", yaml_nodes.line_of(node), self.notes)
            for index, node in enumerate(yaml_nodes.items(self.node))
        ]

    def items_or_one(self) -> list["Place"]:
        """The nodes of a list, or this node alone."""
        return self.items() if self.is_list else [self]

    def scalar(self) -> bool | float | str:
        """A plain value by its YAML type. Raises Wrong for anything else."""
        value = yaml_nodes.scalar(self.node)
        if value is None:
            raise self.expected("a plain value")
        return value

    def text(self) -> str:
        """A plain value as written. Raises Wrong for anything else."""
        self.scalar()
        assert isinstance(self.node, ScalarNode)  # noqa: S101 - for the type checker: `scalar` has made sure
        return str(self.node.value)

    def choice(self, names: Sequence[str]) -> str:
        """One of `names`. Raises Wrong for anything else."""
        text = self.text()
        if text not in names:
            raise self.wrong(unknown_name(text, names, "expected one of"))
        return text

    def boolean(self) -> bool:
        """Raises Wrong for anything but true or false."""
        value = yaml_nodes.scalar(self.node)
        if not isinstance(value, bool):
            raise self.expected("true or false")
        return value

    def whole(self, lowest: int, highest: int) -> int:
        """Raises Wrong for anything but a whole number in these bounds."""
        value = yaml_nodes.scalar(self.node)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.expected(f"a whole number from {lowest} to {highest}")
        return value


def unknown_name(name: str, names: Collection[str], expected: str) -> str:
    """The message for a name that is none of `names`: it gives the nearest right name, or lists `names`."""
    shown = name if _READABLE.fullmatch(name) else dotted("", name)
    near = get_close_matches(name, names, n=1) or [right for right in names if right.lower() == name.lower()]
    if near:
        return f"{shown} is not known; did you mean {near[0]}?"
    listed = list(names)[:_LISTED_MAX]
    more = ", ..." if len(names) > _LISTED_MAX else ""
    return f"{shown} is not known; {expected} {', '.join(listed)}{more}" if listed else f"{shown} is not known"

"""
Reads the settings file, and reports all its mistakes at once, each with its line and key.
"""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import cross_checks, yaml_nodes
from walletbridge.settings.addresses import (
    ADDRESS_ACCEPTED,
    UPSTREAM_ACCEPTED,
    Address,
    Upstream,
    parse_address,
    parse_upstream,
)
from walletbridge.settings.mistakes import Mistake, dotted, unknown_key
from walletbridge.settings.sections import Network, Section, Settings
from walletbridge.settings.small_files import read_small

_NEVER_SHOWN = frozenset({"callback.token_env", "callback.token_file"})
"""People put the token itself here by mistake."""


def load(path: Path, content: bytes | None = None) -> Settings:
    """
    Reads the settings from `path`, or from its earlier `content`. Relative paths are relative to its folder.

    Raises SettingsError, one line per mistake: `FILE:LINE: KEY: what is accepted, and what was found`.
    """
    try:
        root = yaml_nodes.parse((read_small(path) if content is None else content).decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    except yaml_nodes.NotYaml as error:
        raise SettingsError(f"{path}:{error}") from None
    reader = _Reader(path.absolute().parent)
    settings = reader.section(Settings, root, "")
    reader.apply_rules(settings)
    if reader.mistakes:
        raise SettingsError("\n".join(f"{path}:{mistake}" for mistake in sorted(reader.mistakes)))
    return settings


class _Reader:
    """
    Reads a file by the types of the settings, and collects the mistakes.

    A mistaken key gets its default, so that reading can go on; the result is valid only if there are no mistakes.
    """

    def __init__(self, folder: Path) -> None:
        self.mistakes: list[Mistake] = []
        self._folder = folder
        self._lines = {"": 1}
        self._texts: dict[Any, tuple[str, Callable[[str], object]]] = {
            Address: (ADDRESS_ACCEPTED, parse_address),
            Upstream: (UPSTREAM_ACCEPTED, parse_upstream),
            Network: ("a network, such as 192.0.2.0/24", ip_network),
            Path: ("a path", self._path),
        }

    def section[S: Section](self, kind: type[S], node: Node | None, key: str) -> S:
        """Reads a section; without a node, it has its defaults."""
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        nodes = self._nodes(node, key, list(fields))
        return kind(**{name: self._field(field, nodes.get(name), dotted(key, name)) for name, field in fields.items()})

    def apply_rules(self, settings: Settings) -> None:
        """Checks the rules between several keys, except rules with a mistaken key."""
        for breach in cross_checks.breaches(settings):
            if not any(self._is_mistaken(key) for key in breach.keys):
                self._add(breach.keys[0], breach.problem)

    def _nodes(self, node: Node | None, key: str, names: Sequence[str]) -> dict[str, Node]:
        """The value of each known key of a section."""
        if node is None:
            return {}
        if not isinstance(node, MappingNode):
            self._add(key, f"expected keys and values ({', '.join(names)}), got {yaml_nodes.kind_of(node)}")
            return {}
        nodes: dict[str, Node] = {}
        for name, line, value in yaml_nodes.entries(node):
            path = dotted(key, name)
            if name in nodes:
                self.mistakes.append(Mistake(line, path, f"stands twice, first in line {self._lines[path]}"))
            elif name in names:
                self._lines[path] = line
                nodes[name] = value
            else:
                self.mistakes.append(Mistake(line, path, unknown_key(name, key, names, _keys(Settings, ""))))
        return nodes

    def _field(self, field: FieldInfo, node: Node | None, key: str) -> object:
        kind = _without_none(field.type)
        if _is_section(kind) and (node is not None or kind is field.type):
            return self.section(kind, node, key)
        if node is not None:
            value = self._value(kind, node, key)
            return self._default(field) if value is None else value
        if field.required and not self._is_mistaken(key):
            self._add(key, f"is missing; expected {self._accepted(kind)}")
        return self._default(field)

    def _default(self, field: FieldInfo) -> object:
        if field.required:
            return None
        return self._folder / field.default if isinstance(field.default, Path) else field.default

    def _value(self, kind: Any, node: Node, key: str) -> object | None:
        """The value of `node`, as a `kind`; None if it is a mistake."""
        if get_origin(kind) is tuple:
            return self._tuple(get_args(kind)[0], node, key)
        value = yaml_nodes.scalar(node)
        try:
            if kind in self._texts:
                return self._texts[kind][1](msgspec.convert(value, str))
            converted: object = msgspec.convert(value, kind)
        except (ValueError, msgspec.ValidationError):
            found = "something else, which is not shown" if key in _NEVER_SHOWN else yaml_nodes.shown(node)
            self._add(key, f"expected {self._accepted(kind)}, got {found}")
            return None
        return converted

    def _tuple(self, kind: Any, node: Node, key: str) -> tuple[object, ...] | None:
        if not isinstance(node, SequenceNode):
            self._add(key, f"expected a list, each item {self._accepted(kind)}, got {yaml_nodes.shown(node)}")
            return None
        values = []
        for index, item in enumerate(yaml_nodes.items(node)):
            self._lines[f"{key}[{index}]"] = yaml_nodes.line_of(item)
            values.append(self._value(kind, item, f"{key}[{index}]"))
        return tuple(values)

    def _path(self, text: str) -> Path:
        if not text or "\0" in text:
            raise ValueError("not a path")
        return self._folder / text

    def _accepted(self, kind: Any) -> str:
        if kind in self._texts:
            return self._texts[kind][0]
        if kind is bool:
            return "true or false"
        return next(meta.description for meta in get_args(kind) if isinstance(meta, msgspec.Meta) and meta.description)

    def _is_mistaken(self, key: str) -> bool:
        """Whether `key` or a section around it has a mistake."""
        mistaken = {mistake.key for mistake in self.mistakes}
        while key and key not in mistaken:
            key = key.rpartition(".")[0]
        return key in mistaken

    def _add(self, key: str, problem: str) -> None:
        """Adds a mistake at the line of `key`, or of the section that lacks it."""
        given = key
        while given not in self._lines:
            given = given.rpartition(".")[0]
        self.mistakes.append(Mistake(self._lines[given], key, problem))


def _keys(kind: type[Section], section: str) -> Iterator[str]:
    """The dotted paths of all keys of a section that hold a value."""
    for field in msgspec.structs.fields(kind):
        inner, key = _without_none(field.type), dotted(section, field.name)
        if _is_section(inner):
            yield from _keys(inner, key)
        else:
            yield key


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _without_none(kind: Any) -> Any:
    """The `X` of `X | None`; any other type unchanged."""
    choices = get_args(kind)
    return choices[0] if NoneType in choices else kind

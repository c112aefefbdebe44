"""
Reads the settings file as YAML nodes with their lines. Knows no setting.
"""

import json
import re

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

_NULL = "tag:yaml.org,2002:null"
_NUMBERS_AND_BOOLEANS = frozenset({"tag:yaml.org,2002:bool", "tag:yaml.org,2002:float", "tag:yaml.org,2002:int"})
_READABLE = _NUMBERS_AND_BOOLEANS | {"tag:yaml.org,2002:str"}
_QUOTED = re.compile(r"'(?P<text>[^']*)'")
_TELLING = re.compile(r".{0,2}|<[a-z ]+>")
"""A character or the kind of a token. Anything longer, such as an anchor's name, may be part of a secret."""
_BARE = re.compile(r"[\w.+-]+", re.ASCII)
_SHOWN_CHARACTERS_MAX = 60


class NotYaml(ValueError):
    """Raised by `parse`; the text is `LINE:COLUMN: problem`."""


def parse(text: str) -> Node | None:
    """The root of the one document in `text`; None if it is empty. Raises NotYaml."""
    try:
        return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        mark = error.problem_mark
        problem = ", ".join(filter(None, (error.context, error.problem)))
        problem = _QUOTED.sub(lambda quoted: quoted[0] if _TELLING.fullmatch(quoted["text"]) else "...", problem)
        raise NotYaml(f"{mark.line + 1}:{mark.column + 1}: not YAML: {problem}") from None
    except ReaderError as error:
        before = text[: error.position]
        place = f"{before.count('\n') + 1}:{error.position - before.rfind('\n')}"
        raise NotYaml(f"{place}: not YAML: found a character that YAML does not allow") from None
    except (AssertionError, LookupError, RecursionError):
        raise NotYaml("1:1: not YAML: its version is unknown, or it is nested too deeply") from None


def entries(mapping: MappingNode) -> list[tuple[str, int, Node]]:
    """Each key with its line, counted from 1, and its value's node. Keeps duplicate keys."""
    return [
        (str(key.value) if isinstance(key, ScalarNode) else "?", line_of(key), value) for key, value in mapping.value
    ]


def items(sequence: SequenceNode) -> list[Node]:
    """The nodes of a list."""
    return list(sequence.value)


def line_of(node: Node) -> int:
    """The line on which `node` begins, counted from 1."""
    return int(node.start_mark.line) + 1


def scalar(node: Node) -> bool | float | str | None:
    """The value of a plain node; None if no setting takes the node."""
    if not isinstance(node, ScalarNode) or node.tag not in _READABLE:
        return None
    try:
        return YAML(typ="safe", pure=True).constructor.construct_object(node)  # type: ignore[no-any-return]
    except (LookupError, ValueError, YAMLError):
        return None


def kind_of(node: Node) -> str:
    """Names the kind of `node`, never its value."""
    if isinstance(node, MappingNode):
        return "keys and values"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == _NULL else "a plain value"


def shown(node: Node) -> str:
    """Describes a value for an error, shortened and as it stands in the file."""
    if not isinstance(node, ScalarNode) or node.tag == _NULL:
        return kind_of(node)
    text = str(node.value)
    if "@" in text:
        return "a text with an @, which is not shown: it may hold a password"
    more = "..." if len(text) > _SHOWN_CHARACTERS_MAX else ""
    text = text[:_SHOWN_CHARACTERS_MAX]
    is_bare = node.tag in _NUMBERS_AND_BOOLEANS and _BARE.fullmatch(text)
    return f"{text if is_bare else json.dumps(text)}{more}"

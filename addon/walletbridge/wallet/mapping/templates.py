"""
Texts of the mapping file with slots in them, such as `bet:{trans_id}` or `{amount:decimal}`.
"""

import re
from typing import NamedTuple

_PART = re.compile(r"\{\{|\}\}|\{(?P<source>[\w.]+)(?::(?P<conversion>\w+))?\}|[{}]", re.ASCII)


class Slot(NamedTuple):
    """The place of a value in a text."""

    source: str
    conversion: str
    """Empty for the default."""

    def __str__(self) -> str:
        return f"{{{self.source}:{self.conversion}}}" if self.conversion else f"{{{self.source}}}"


type Template = tuple[str | Slot, ...]


def parse(text: str) -> Template:
    """
    The texts and slots of `text`, in order; no text is empty. `{{` and `}}` stand for braces.

    Raises ValueError for a single brace outside a slot.
    """
    parts: list[str | Slot] = []
    literal = ""
    end = 0
    for match in _PART.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        if match["source"]:
            parts += [literal] if literal else []
            parts.append(Slot(match["source"], match["conversion"] or ""))
            literal = ""
        elif len(match[0]) == 1:
            raise ValueError("expected {source} or {source:conversion}; a brace itself is written twice")
        else:
            literal += match[0][0]
    literal += text[end:]
    return (*parts, literal) if literal else tuple(parts)

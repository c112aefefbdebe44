"""
Finds the differences between two settings.
"""

from collections.abc import Iterator

import msgspec

from walletbridge.settings.mistakes import dotted
from walletbridge.settings.sections import Section


def changed_keys(old: Section, new: Section, section: str = "") -> Iterator[str]:
    """The dotted keys whose values differ, in the order of the file."""
    for field in msgspec.structs.fields(type(old)):
        before, after, key = getattr(old, field.name), getattr(new, field.name), dotted(section, field.name)
        if isinstance(before, Section) and isinstance(after, Section):
            yield from changed_keys(before, after, key)
        elif before != after:
            yield key

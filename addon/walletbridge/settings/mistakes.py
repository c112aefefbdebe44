"""
Describes a mistake in the settings file: with its line and its key, never with a secret.
"""

import json
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

_NAME_CHARACTERS_MAX = 40
_REPLACED = {"journal.tries": "journal.give_up_after, which counts seconds and not tries"}
"""Keys of earlier versions."""
_SECRETS = frozenset({"token", "tokens", "secret", "password"})


class Mistake(NamedTuple):
    """One mistake. Sorted mistakes are in the order of the file."""

    line: int
    key: str
    """The dotted path, such as `callback.token_env`; empty for the whole file."""
    problem: str

    def __str__(self) -> str:
        return f"{self.line}: {self.key}: {self.problem}" if self.key else f"{self.line}: {self.problem}"


def dotted(section: str, name: str) -> str:
    """The path of a key; a long or unusual name is shortened, so that a message stays readable."""
    shown = (
        name if name.isidentifier() and len(name) <= _NAME_CHARACTERS_MAX else json.dumps(name[:_NAME_CHARACTERS_MAX])
    )
    return f"{section}.{shown}" if section else shown


def unknown_key(name: str, section: str, names: Sequence[str], keys: Iterable[str]) -> str:
    """
    Describes an unknown key in `section`, without its value, which may be a secret.

    `names` are the keys of the section, `keys` the dotted paths of all keys of the file.
    """
    if name in _SECRETS:
        return (
            "secrets do not stand in this file: name an environment variable in callback.token_env, "
            "or a file in callback.token_file"
        )
    if (now := _REPLACED.get(dotted(section, name))) is not None:
        return f"replaced by {now}"
    near = [key for key in keys if key.rpartition(".")[2] == name]
    near = near or [dotted(section, right) for right in get_close_matches(name, names, n=1)]
    if near:
        return f"unknown key; did you mean {' or '.join(near)}?"
    return f"unknown key; expected one of {', '.join(names)}"

"""
Replaces tokens in any text by `***`: plain, percent-encoded, escaped as in JSON, or inside of base64 (Basic
credentials). Pure.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cached_property

HIDDEN = "***"
_ANYWHERE_FROM = 8
"""A shorter token is hidden only as a word by itself: any text may hold a few characters."""
_BASE64 = "[A-Za-z0-9+/_-]?"
_BASE64_MIN = 8
"""Any text may hold a shorter part of a token in base64."""


class Hiding:
    """Hides tokens. Neither its `repr` nor a pickle of it shows one."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """`tokens` are ASCII, and none is empty."""
        # The longest first: a token may begin with another.
        self._tokens = sorted(set(tokens), key=len, reverse=True)
        self._cores = [core for token in self._tokens for core in _cores(token.encode())]
        self._looked_for = [*self._tokens, *self._cores, *(_for_urls(core) for core in self._cores)]

    def __repr__(self) -> str:
        return "Hiding(***)"

    def __reduce__(self) -> tuple[type["Hiding"], tuple[tuple[str, ...]]]:
        return Hiding, ((),)

    def text(self, text: str) -> str:
        """Hides the tokens in a text."""
        for word in self._looked_for:  # not any(), which is slower: every log line passes here
            if word in text:
                text = self._plain.sub(HIDDEN, text)
                break
        if self._tokens and ("%" in text or "\\" in text):
            text = self._escaped.sub(HIDDEN, text)
        return text

    def octets(self, octets: bytes) -> bytes:
        """Hides the tokens in bytes."""
        return self.text(octets.decode("latin-1")).encode("latin-1")

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        tokens = [_bounded(token, re.escape(token)) for token in self._tokens]
        cores = [re.escape(core) for core in (*self._cores, *map(_for_urls, self._cores))]
        # The characters beside a core hold some bits of the token.
        return re.compile("|".join([*tokens, *(f"{_BASE64}{core}{_BASE64}=*" for core in cores)]))

    @cached_property
    def _escaped(self) -> re.Pattern[str]:
        return re.compile("|".join(_bounded(token, "".join(map(_spelled, token))) for token in self._tokens))


def _bounded(token: str, pattern: str) -> str:
    if len(token) >= _ANYWHERE_FROM:
        return pattern
    # A word also begins behind an escape of `repr`, such as \n.
    return rf"(?:(?<![A-Za-z0-9])|(?<=\\[rnt])){pattern}(?![A-Za-z0-9])"


def _spelled(character: str) -> str:
    code = f"{ord(character):02x}"
    digits = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in code)
    escape = "" if character.isalnum() else r"\\*"
    return rf"(?:{escape}{re.escape(character)}|%(?:25)*{digits}|\\+u00{digits}|\\+x{digits})"


def _cores(token: bytes) -> Iterable[str]:
    """The part of a token's base64 that no text around it changes, for each of three positions."""
    for before in range(3):
        encoded = b64encode(bytes(before) + token).decode()
        core = encoded[-(-before * 8 // 6) : (before + len(token)) * 8 // 6]
        if len(core) >= _BASE64_MIN:
            yield core


def _for_urls(core: str) -> str:
    return core.replace("+", "-").replace("/", "_")

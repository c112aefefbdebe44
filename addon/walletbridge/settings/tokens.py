"""
Fetches the callback's tokens from the source in the settings. No error here ever shows a token.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings.sections import TOKEN_ENV_DEFAULT, Callback
from walletbridge.settings.small_files import read_small

TEXT_BYTES_MAX = 65536
"""The most for all tokens together."""
TOKENS_MAX = 100
"""A rotation needs two. Each request is compared with all."""
TOKEN_CHARACTERS_MAX = 1024
"""The most for one token, which must fit into a request's head (`limits.header_bytes`)."""

_SEPARATOR = re.compile(r"[,\r\n]")


def read_tokens(callback: Callback, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """
    Reads the accepted tokens, at least one; several (for a rotation) stand one a line or comma-separated.

    Raises SettingsError if there is no token, if there are too many, or if one is too long, or not printable ASCII
    without blanks.
    """
    if callback.token_file:
        source, text = _from_file(callback.token_file)
    else:
        source, text = _from_environment(callback.token_env or TOKEN_ENV_DEFAULT, environ)
    tokens = [token for item in _SEPARATOR.split(text) if (token := item.strip(" \t"))]
    if not tokens:
        raise SettingsError(f"{source} holds no token")
    if len(tokens) > TOKENS_MAX:
        raise SettingsError(f"{source} holds {len(tokens)} tokens, of at most {TOKENS_MAX}: is it the right one?")
    for number, token in enumerate(tokens, start=1):
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise SettingsError(
                f"{source}: token {number} of {len(tokens)} (not shown) is longer than {TOKEN_CHARACTERS_MAX} "
                "characters"
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise SettingsError(
                f"{source}: token {number} of {len(tokens)} (not shown) holds a blank or a character that is not "
                "printable ASCII"
            )
    return tuple(token.encode("ascii") for token in tokens)


def _from_environment(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    source = f"callback.token_env: the environment variable {name}"
    if name not in environ:
        raise SettingsError(f"{source} is not set; expected it to hold the callback's token")
    if len(environ[name]) > TEXT_BYTES_MAX:
        raise SettingsError(f"{source} is longer than {TEXT_BYTES_MAX} characters")
    return source, environ[name]


def _from_file(path: Path) -> tuple[str, str]:
    source = f"callback.token_file: the file {path}"
    try:
        # Latin-1 has a character for any byte; `read_tokens` refuses those beyond ASCII.
        return source, read_small(path, bytes_max=TEXT_BYTES_MAX).decode("latin-1")
    except OSError as error:
        raise SettingsError(f"{source} cannot be read: {error.strerror}") from None

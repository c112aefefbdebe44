"""
Recognizes paths that are nearly the callback path: the provider's settings hold a typing mistake. Pure.
"""

import re
from urllib.parse import unquote

SHOWN_MAX = 200
"""The most characters of a path that are shown."""
_SLASHES = re.compile(r"/{2,}")


def is_near(target: str, path: str) -> bool:
    """Whether a request's target differs from `path` only in case, slashes or percent-encoding."""
    asked = target.partition("?")[0]
    return len(asked) <= 3 * len(path) + SHOWN_MAX and asked != path and _plain(asked) == _plain(path)


def _plain(path: str) -> str:
    return _SLASHES.sub("/", unquote(path)).rstrip("/").lower()

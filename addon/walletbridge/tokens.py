"""
The provider's token: is this request from the provider? PROTOCOL: Transport.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import unquote_to_bytes

HIDDEN = b"***"
_WORD = re.compile(rb"[^\s\"'=,;:&?/<>(){}\[\]]+")
"""What stands between the signs that part a header, a path or a query."""


class Tokens:
    """
    The accepted tokens; several at a time, so that a token can be replaced without an outage.

    Only digests are kept, so that no dump of this object shows a token.
    """

    def __init__(self, tokens: Iterable[bytes]) -> None:
        """Raises ValueError where there is no token, or an empty one: nobody may come in without."""
        self._digests = _digests(tokens)

    def replace(self, tokens: Iterable[bytes]) -> bool:
        """From now on these are accepted and no others; says whether they differ. Raises ValueError as above."""
        digests = _digests(tokens)
        is_new = set(digests) != set(self._digests)
        self._digests = digests
        return is_new

    def hide(self, text: bytes) -> bytes:
        """The text with `***` for each accepted token that is a word of it or the whole, percent-encoded as well."""
        if self._is_known(text):
            return HIDDEN
        return _WORD.sub(lambda found: HIDDEN if self._is_known(found[0]) else found[0], text)

    def _is_known(self, word: bytes) -> bool:
        return bool({sha256(word).digest(), sha256(unquote_to_bytes(word)).digest()} & set(self._digests))

    def accept(self, headers: Sequence[bytes]) -> bool:
        """
        Whether the values of all `Callback-Token` headers of a request are one accepted token.

        Takes the same time whatever token is near to right, and whichever of several it is.
        """
        if len(headers) != 1:
            return False
        digest = sha256(headers[0]).digest()
        accepted = False
        for known in self._digests:
            accepted |= compare_digest(digest, known)
        return accepted


def _digests(tokens: Iterable[bytes]) -> tuple[bytes, ...]:
    known = tuple(tokens)
    if not known or not all(known):
        raise ValueError("expected at least one token, and none that is empty")
    return tuple(sha256(token).digest() for token in known)

"""
The provider's tokens, which prove that a request is the provider's. PROTOCOL: Transport.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

from walletbridge.observe.hiding import Hiding


class Tokens:
    """
    The accepted tokens; several at a time, so that a token can be replaced without an outage.

    Compares digests. No dump of this object shows a token.
    """

    def __init__(self, tokens: Iterable[bytes]) -> None:
        """Raises ValueError if there is no token or an empty one: no request may pass without a token."""
        known = tuple(tokens)
        self._digests = _digests(known)
        self._hiding = _hiding(known)

    def replace(self, tokens: Iterable[bytes]) -> bool:
        """Accepts these tokens from now on and no others. Returns whether they differ. Raises ValueError as above."""
        known = tuple(tokens)
        digests = _digests(known)
        is_new = set(digests) != set(self._digests)
        self._digests, self._hiding = digests, _hiding(known)
        return is_new

    def hide(self, octets: bytes) -> bytes:
        """The bytes with `***` for each accepted token; see `hiding`."""
        return self._hiding.octets(octets)

    def hide_text(self, text: str) -> str:
        """The same for text."""
        return self._hiding.text(text)

    def accept(self, headers: Sequence[bytes]) -> bool:
        """
        Whether the values of all `Callback-Token` headers of a request are one accepted token.

        Takes the same time however close a token is to an accepted one, and whichever of them it matches.
        """
        if len(headers) != 1:
            return False
        digest = sha256(headers[0]).digest()
        accepted = False
        for known in self._digests:
            accepted |= compare_digest(digest, known)
        return accepted


def _digests(known: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if not known or not all(known):
        raise ValueError("expected at least one token, and none that is empty")
    return tuple(sha256(token).digest() for token in known)


def _hiding(known: tuple[bytes, ...]) -> Hiding:
    return Hiding(token.decode("latin-1") for token in known)

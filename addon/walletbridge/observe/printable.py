"""
Makes text from outside (accounts, the wallet's messages, certificates, files) safe to show. Pure.

A terminal obeys control characters. Characters that turn the direction of writing, or have no width, deceive readers. A
line end forges a log line. Unicode counts them all as not printable; they are shown as escapes.
"""


def printable(text: str) -> str:
    r"""Escapes each character that is not printable, as `\x1b` or `\u202e`; the result is one line."""
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Escapes text of several lines, and keeps the line ends."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")

"""
Text that comes from outside (accounts, the wallet's words, certificates, files), made safe to show. Pure.

A terminal obeys control characters, a reader is deceived by those that turn the direction of writing or that have no
width, and a line of a log is forged by whatever ends a line. All of them are what Unicode calls not printable, and are
shown as escapes.
"""


def printable(text: str) -> str:
    r"""The text with an escape such as `\x1b` or `\u202e` for each character that is not printable; in one line."""
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """The same for text of several lines, which it keeps."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")

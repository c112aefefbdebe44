"""
What the commands write for people: everything goes through here, and nothing of it is obeyed by a terminal.
"""

import os
import sys
from typing import Any

import click

from walletbridge.observe.printable import printable, printable_lines


def say(line: str, *, err: bool = False) -> None:
    """Prints one line."""
    click.echo(printable(line), err=err)


def say_lines(lines: str, *, err: bool = False) -> None:
    """Prints several lines."""
    click.echo(printable_lines(lines), err=err)


def lacks_terminal() -> str:
    """Why nothing can be drawn here; empty where a person sits at a terminal."""
    # A stream that was closed before the start is None.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        return "stdin and stdout are not a terminal"
    kind = os.environ.get("TERM", "")
    return f"TERM={kind or '(not set)'} names no terminal that can be drawn on" if kind in {"", "dumb"} else ""


class Group(click.Group):
    """A group of commands whose errors hold nothing that a terminal obeys, either."""

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group.invoke`."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            # Of a UsageError, which has more to show than its message, nothing else comes from outside.
            error.message = printable_lines(error.message)  # type: ignore[misc]
            raise

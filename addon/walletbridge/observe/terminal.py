"""
Writes all output of the commands for people, without any character that a terminal obeys.
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
    """Why nothing can be drawn here; empty on a terminal that can be drawn on."""
    # A stream that was closed before the start is None.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        return "stdin and stdout are not a terminal"
    kind = os.environ.get("TERM", "")
    return f"TERM={kind or '(not set)'} names no terminal that can be drawn on" if kind in {"", "dumb"} else ""


class Group(click.Group):
    """A group of commands whose errors are printable as well."""

    def invoke(self, ctx: click.Context) -> Any:
        """Makes the message of an error printable."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            # A UsageError shows more than its message, but only the message holds text from outside.
            error.message = printable_lines(error.message)  # type: ignore[misc]
            raise

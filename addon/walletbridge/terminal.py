"""
What the commands write for people: everything goes through here, and nothing of it is obeyed by a terminal.
"""

from typing import Any

import click

from walletbridge.printable import printable, printable_lines


def say(line: str, *, err: bool = False) -> None:
    """Prints one line."""
    click.echo(printable(line), err=err)


def say_lines(lines: str, *, err: bool = False) -> None:
    """Prints several lines."""
    click.echo(printable_lines(lines), err=err)


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

"""What the commands print is obeyed by no terminal, wherever it came from."""

import click
import pytest
from click.testing import CliRunner

from walletbridge.terminal import Group, say, say_lines

ESCAPES = "\x1b[2J\u202e"


def test_lines_are_printed_without_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"account: {ESCAPES}\nforged: yes")
    say_lines(f"one {ESCAPES}\ntwo", err=True)

    assert capsys.readouterr() == ("account: \\x1b[2J\\u202e\\nforged: yes\n", "one \\x1b[2J\\u202e\ntwo\n")


def test_errors_of_commands_are_cleaned_in_one_place() -> None:
    @click.group(cls=Group)
    def commands() -> None:
        pass

    @commands.command()
    def fail() -> None:
        raise click.ClickException(f"one {ESCAPES}\ntwo")

    result = CliRunner().invoke(commands, ["fail"])

    assert result.exit_code == 1
    assert "Error: one \\x1b[2J\\u202e\ntwo" in result.output

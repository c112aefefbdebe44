"""What the commands print is obeyed by no terminal, wherever it came from."""

import asyncio
import os
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.support.processes import end_of, environment, write_settings

from walletbridge.observe.terminal import Group, say, say_lines

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


INSTEAD = "use `walletbridge web` or `walletbridge serve` instead"


async def test_the_console_without_a_terminal_says_what_to_do(tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=9)
    command = [sys.executable, "-m", "walletbridge", "tui", "--config", str(config)]

    said = f"Error: tui: stdin and stdout are not a terminal; {INSTEAD}\n"
    assert await end_of(command, tmp_path) == (1, said)
    closed = ["/bin/sh", "-c", 'exec 2>&1 "$@" <&- 1>&-', "sh", *command]
    assert (await end_of(closed, tmp_path))[0] == 1


@pytest.mark.parametrize("term", ["", "dumb"])
async def test_the_console_on_a_terminal_that_cannot_draw_says_so(tmp_path: Path, term: str) -> None:
    config = write_settings(tmp_path, wallet_port=9)
    master, slave = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "walletbridge", "tui", "--config", str(config)),
            stdin=slave,
            stdout=slave,
            stderr=asyncio.subprocess.PIPE,
            env=environment(tmp_path, TERM=term),
        )
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        os.close(master)
        os.close(slave)

    said = f"Error: tui: TERM={term or '(not set)'} names no terminal that can be drawn on; {INSTEAD}\n"
    assert (process.returncode, errors.decode()) == (1, said)

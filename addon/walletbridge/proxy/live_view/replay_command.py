"""
`walletbridge replay`: a dry run of a saved file's callbacks through other settings, with a diff of the answers.
"""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

import click
from mitmproxy import exceptions, io

from walletbridge.observe.terminal import say, say_lines
from walletbridge.protocol.errors import SettingsError
from walletbridge.proxy.live_view.dry_run import Compared, DryRun, PassedOver
from walletbridge.settings import Settings, load
from walletbridge.settings.small_files import open_regular

_DIFFERENT, _NOT_RUN = 1, 2


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file with the new settings.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 also where a request to the wallet would differ.")
def replay(file: Path, config: Path, *, strict: bool) -> None:
    """
    Take the callbacks of a saved flow FILE through these settings, and show how the answers differ.

    Nothing is sent: the wallet's part is played by what it said then. The exit code is 0 if all answers are the same,
    1 if not, 2 if there was nothing to compare.
    """
    try:
        settings = load(config)
    except SettingsError as error:
        _end(str(error))
    try:
        compared, passed_over = asyncio.run(_run(file, settings))
    except SettingsError as error:
        _end(str(error))
    except OSError as error:
        _end(f"{file}: {error.strerror or error}")
    except exceptions.FlowReadException as error:
        _end(f"{file}: {error}")
    different = [one for one in compared if not one.is_same]
    requests = [one for one in compared if one.request_diff]
    for one in compared:
        _show(one)
    click.echo(f"{len(compared)} callbacks: {len(different)} answered differently, {len(requests)} asked differently")
    for reason, count in passed_over.items():
        say(f"passed over: {count}: {reason}")
    if not compared:
        _end("there is no callback to compare")
    sys.exit(_DIFFERENT if different or (strict and requests) else 0)


async def _run(file: Path, settings: Settings) -> tuple[list[Compared], Counter[str]]:
    dry_run = DryRun(settings)
    compared: list[Compared] = []
    passed_over: Counter[str] = Counter()
    with open_regular(file) as saved:
        for flow in io.FlowReader(saved).stream():
            result = await dry_run.compare(flow)
            if isinstance(result, PassedOver):
                passed_over[result.reason] += 1
            else:
                compared.append(result)
    return compared, passed_over


def _show(one: Compared) -> None:
    if one.is_same and not one.request_diff:
        return
    say(one.what)
    if not one.is_same:
        for sign, (status, body) in (("-", one.then), ("+", one.now)):
            say_lines(f"  {sign} {status} {body.decode(errors='replace')}")
    for line in one.request_diff:
        say(f"  {line[0]} to the wallet: {line[1:]}")


def _end(problem: str) -> NoReturn:
    say_lines(f"Error: {problem}", err=True)
    sys.exit(_NOT_RUN)

"""
The command `walletbridge simulate`.

It imports aiohttp and rich when it runs, so that the other commands start without them.
"""

import asyncio
import os
import re
import sys
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import click

from walletbridge.observe.terminal import say_lines

if TYPE_CHECKING:
    from rich.console import Console

    from walletbridge.simulator.plan import Plan
    from walletbridge.simulator.report.report import Report

CONFORMING, NOT_CONFORMING, COULD_NOT_RUN = 0, 1, 2

_DURATION = 20.0
_ROUNDS = 20
_TOKEN = re.compile(r"[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*", re.ASCII)
"""Characters that every HTTP header can carry."""


@click.command()
@click.option("--url", required=True, help="The callback URL.")
@click.option("--token-env", required=True, metavar="NAME", help="The environment variable with the callback token.")
@click.option("--account", "accounts", multiple=True, default=["test1234"], show_default=True, help="May be repeated.")
@click.option("--inactive-account", metavar="NAME", help="An account that is not active, to see check 22.")
@click.option(
    "--duration",
    type=click.FloatRange(min=1),
    help=f"Play on and end within so many seconds. Otherwise a run is short, and {_DURATION:g} s at most.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed plays the same run again.")
@click.option("--decimals", type=click.IntRange(0, 8), default=0, show_default=True, help="Decimals of the amounts.")
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How often an unanswered win or cancel is sent again; 50 with some providers.",
)
@click.option(
    "--time-scale",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Divides the protocol's limits and waits.",
)
@click.option("--insecure", is_flag=True, help="Accept any TLS certificate.")
@click.option("--all", "shows_all", is_flag=True, help="Show each violation that --json holds, not one of each rule.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def simulate(  # noqa: PLR0913 - one parameter for each option
    *,
    url: str,
    token_env: str,
    accounts: tuple[str, ...],
    inactive_account: str | None,
    duration: float | None,
    seed: int,
    decimals: int,
    retries: int,
    time_scale: float,
    insecure: bool,
    shows_all: bool,
    as_json: bool,
) -> None:
    """
    Play the game provider against a callback URL, and report where its answers break the protocol.

    Give it test accounts that nothing else plays on. The exit code is 0 if the answers conform, 1 if they do not, and 2
    if that could not be found out.
    """
    from walletbridge.simulator.plan import Plan  # noqa: PLC0415 - see the module's docstring

    try:
        plan = Plan(
            url=_url(url),
            token=_token(token_env),
            accounts=tuple(dict.fromkeys(accounts)),
            inactive_account=inactive_account,
            duration=_DURATION if duration is None else duration,
            rounds=_ROUNDS if duration is None else None,
            seed=seed,
            decimals=decimals,
            deposit_retries=retries,
            time_scale=time_scale,
            verify_tls=not insecure,
        )
    except ValueError as error:
        _end_without_report(str(error), as_json=as_json)
    sys.exit(_simulate(plan, shows_all=shows_all, as_json=as_json))


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("--url takes a callback URL such as http://127.0.0.1:8080/callback.")
    return url


def _token(name: str) -> str:
    token = os.environ.get(name, "").strip()
    if not token:
        raise ValueError(f"--token-env: the environment variable {name} is not set, or empty.")
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"--token-env: {name} holds characters that no HTTP header can carry.")
    return token


def _simulate(plan: "Plan", *, shows_all: bool, as_json: bool) -> int:
    """Runs the plan, prints the report, and returns the exit code."""
    from rich.console import Console  # noqa: PLC0415 - see the module's docstring

    from walletbridge.simulator.play.accounts import CouldNotRun  # noqa: PLC0415 - see the module's docstring
    from walletbridge.simulator.report.rendering import render  # noqa: PLC0415 - see the module's docstring

    try:
        report = _run(plan, Console(stderr=True))
    except CouldNotRun as error:
        _end_without_report(str(error), as_json=as_json)
    except KeyboardInterrupt:
        _end_without_report("interrupted.", as_json=as_json)
    if as_json:
        click.echo(report.to_json())
    else:
        render(report, Console(), shows_all=shows_all)
    if report.violations_total:
        return NOT_CONFORMING
    return CONFORMING if report.complete else COULD_NOT_RUN


def _run(plan: "Plan", errors: "Console") -> "Report":
    """Runs the plan, with a progress bar on a terminal."""
    from rich.progress import Progress as Bar  # noqa: PLC0415 - see the module's docstring

    from walletbridge.simulator.simulation import Progress, run  # noqa: PLC0415 - see the module's docstring

    with Bar(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("playing", total=1.0)

        def show(progress: Progress) -> None:
            words = f"playing: {progress.calls} calls, {progress.violations} violations"
            bar.update(task, completed=progress.share, description=words)

        return asyncio.run(run(plan, show))


def _end_without_report(problem: str, *, as_json: bool) -> NoReturn:
    if as_json:
        from walletbridge.simulator.report.report import could_not_run  # noqa: PLC0415 - see the module's docstring

        click.echo(could_not_run(problem))
    say_lines(f"Could not run: {problem}", err=True)
    sys.exit(COULD_NOT_RUN)

"""
The command `walletbridge`.

Each command imports its modules when it runs: importing mitmproxy alone takes most of a second.
"""

import asyncio
import os
import sqlite3
import sys
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from walletbridge.observe.terminal import Group, lacks_terminal, say_lines
from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.signals import ignore_further

if TYPE_CHECKING:
    from walletbridge.settings import Settings

_CONFIG = click.option(
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file with the settings.",
)


class _Group(Group):
    """A group that imports some of its commands only when they are needed."""

    modules: ClassVar = {
        "addon": "walletbridge.connect.shipped",
        "examples": "walletbridge.connect.shipped",
        "health": "walletbridge.connect.health",
        "journal": "walletbridge.journal.command",
        "replay": "walletbridge.proxy.live_view.replay_command",
        "settings": "walletbridge.connect.shipped",
        "simulate": "walletbridge.simulator.command",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.modules])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(self.modules[cmd_name]), cmd_name)
        return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="walletbridge")
def main() -> None:
    """Answers game providers' HTTP callbacks from a gRPC wallet, inside mitmproxy."""
    if isinstance(sys.stdout, TextIOWrapper):
        # An output that lacks a character must not turn a passed check into a failed one.
        sys.stdout.reconfigure(errors="backslashreplace")


@main.command()
@_CONFIG
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Serve with N processes that are watched over, and replaced one by one upon SIGHUP. By default with one that "
    "is not.",
)
def serve(config: Path, workers: int | None) -> None:
    """The gateway without a UI."""
    from walletbridge.gateway.needs import expect_all  # noqa: PLC0415 - see the module's docstring
    from walletbridge.settings import load  # noqa: PLC0415 - see above

    try:
        settings = load(config)
        expect_all(settings)
        _warn_of_root(settings)
        if workers:
            from walletbridge.serve.workers.supervisor import supervise  # noqa: PLC0415 - see the module's docstring

            code = asyncio.run(supervise(config.absolute(), settings, workers))
            ignore_further()
            sys.exit(code)
        from walletbridge.proxy.patches.import_addons_singly import import_addons_singly  # noqa: PLC0415 - see above

        import_addons_singly()
        from walletbridge.serve.single import serve as serve_alone  # noqa: PLC0415 - see above

        serve_alone(config.absolute(), settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@_CONFIG
def web(config: Path) -> None:
    """The gateway inside mitmweb."""
    _launch("web", config)


@main.command()
@_CONFIG
def tui(config: Path) -> None:
    """The gateway inside the mitmproxy console."""
    _launch("tui", config)


@main.command()
@_CONFIG
@click.option("--live", is_flag=True, help="Ask the wallet more: each method that changes nothing, and what it serves.")
@click.option(
    "--explain",
    metavar="COMMAND",
    type=click.Choice(["authenticate", "balance", "bet", "win", "cancel", "status"]),
    help="Show the request for a sample callback, and the answer to each reply, and ask nobody.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: schema, config, works and findings.")
def check(config: Path, *, live: bool, explain: str | None, as_json: bool) -> None:
    """
    Read the settings and the mapping, ask the wallet if it is there, and say what is wrong.

    Exit code: 0 if nothing is wrong, 1 if something is, 2 for a command that is not understood.
    """
    if explain is not None and as_json:
        raise click.UsageError("expected either --explain or --json")
    if explain is not None:
        from walletbridge.connect.explain import explain as lines  # noqa: PLC0415 - grpc only where it is used

        try:
            for line in lines(config, explain):
                say_lines(line)
        except SettingsError as error:
            raise click.ClickException(str(error)) from None
        return
    from walletbridge.connect import check as checking  # noqa: PLC0415 - grpc only where it is used

    findings = checking.check(config, live=live)
    if as_json:
        found = list(findings)
        click.echo(checking.as_json(config, found))
        sys.exit(0 if all(finding.is_right for finding in found) else 1)
    wrong = 0
    for finding in findings:
        say_lines(f"{'-' if finding.is_note else '✓' if finding.is_right else '✗'} {finding.text}")
        wrong += not finding.is_right
    sys.exit(1 if wrong else 0)


@main.command()
@click.option("--target", metavar="HOST:PORT", help="A running wallet that has server reflection.")
@click.option(
    "--proto",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The wallet's .proto file; what it imports lies below its folder.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=30,
    show_default=True,
    help="How long all answers of --target's reflection together may take.",
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of mapping files, for editors, instead.")
def init(target: str | None, proto: Path | None, *, seconds: float, schema: bool) -> None:
    """Print a first mapping for a wallet, with what is guessed and what is open."""
    if schema:
        from walletbridge.connect.editor_schema import schema_text  # noqa: PLC0415 - see the module's docstring

        click.echo(schema_text(), nl=False)
        return
    from walletbridge.connect.init import draft  # noqa: PLC0415 - grpc only where it is used

    if (target is None) == (proto is None):
        raise click.UsageError("expected either --target or --proto")
    try:
        click.echo(draft(target=target, proto=proto, seconds=seconds), nl=False)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--once", is_flag=True, help="Run every documented callback once, print what came of it, and end.")
def demo(*, once: bool) -> None:
    """A wallet, the gateway under mitmweb, and gentle traffic."""
    if once:
        from walletbridge.demo.once import run_once  # noqa: PLC0415 - see the module's docstring

        sys.exit(asyncio.run(run_once()))
    from walletbridge.demo.live import run_live  # noqa: PLC0415 - see the module's docstring

    try:
        run_live()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@main.command("demo-wallet")
@click.option("--listen", default="127.0.0.1:50051", show_default=True, metavar="HOST:PORT", help="Where to listen.")
@click.option("--db", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The SQLite file.")
def demo_wallet(listen: str, db: Path) -> None:
    """The demo's wallet alone: wallet.v1 on an SQLite file, with seeded players."""
    from walletbridge.demo.wallet import serve as serve_wallet  # noqa: PLC0415 - see the module's docstring

    host = listen.rpartition(":")[0]
    try:
        asyncio.run(serve_wallet(listen, db, ready=lambda port: click.echo(f"wallet: {host}:{port}")))
    except sqlite3.Error as error:
        raise click.ClickException(f"{db}: {error}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _warn_of_root(settings: "Settings") -> None:
    """Warns once about running as root, before workers start that would repeat it."""
    if os.geteuid() == 0:
        from walletbridge.observe.log import open_log  # noqa: PLC0415 - see the module's docstring

        log = open_log(lines_max=settings.limits.log_lines, stream=sys.stderr, kept=settings.log)
        log.warning("runs as root: give it a user of its own that can write nothing but its journal")
        log.close()


def _launch(kind: str, config: Path) -> None:
    from walletbridge.gateway.needs import expect_all  # noqa: PLC0415 - see the module's docstring
    from walletbridge.serve.sockets import expect_free  # noqa: PLC0415 - see above
    from walletbridge.settings import load  # noqa: PLC0415 - see above

    try:
        settings = load(config)
        expect_all(settings)
        # mitmproxy would print a page of text and suggest options that this command does not have.
        expect_free(settings.listen, key="listen")
        if kind == "web":
            expect_free(settings.ui.listen, key="ui.listen")
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if kind == "tui" and (lack := lacks_terminal()):
        # Without a terminal, mitmproxy would end with a traceback.
        raise click.ClickException(f"tui: {lack}; use `walletbridge web` or `walletbridge serve` instead")
    _warn_of_root(settings)
    from walletbridge.serve.launch import Kind, launch  # noqa: PLC0415 - only once it is known to be needed

    launch(Kind(kind), config.absolute(), settings)

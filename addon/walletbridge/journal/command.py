"""
`walletbridge journal`: shows unsettled transactions and why they are, and settles them by hand.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import click
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table

from walletbridge.journal import reading
from walletbridge.journal.clock import journal_clock
from walletbridge.journal.columns import Numbered
from walletbridge.journal.port import Busy, Change, Found
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import user_name, worker_name
from walletbridge.observe.printable_tables import Printable
from walletbridge.observe.terminal import say, say_lines
from walletbridge.protocol.errors import SettingsError
from walletbridge.protocol.money import format_minor
from walletbridge.rules.by_hand import SETTLED, Decision, consequence, decide, state
from walletbridge.rules.row import Row
from walletbridge.rules.words import Word
from walletbridge.settings import Settings, load
from walletbridge.settings.small_files import expect_regular

ROWS_MAX = 1000
_WIDTH = 150
_CONFIG = click.option(
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file with the settings.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.group()
def journal() -> None:
    """What is not settled, and settling it by hand."""


@journal.command("list")
@_CONFIG
@_JSON
@click.option("--limit", default=ROWS_MAX, show_default=True, help="At most so many transactions.")
@click.option("--all", "shows_all", is_flag=True, help="All of them, however many, by the page.")
def list_(config: Path, *, as_json: bool, limit: int, shows_all: bool) -> None:
    """Transactions that are not settled: number, account, transaction, amount, and where they stand."""
    with _looked(config) as (settings, path):
        if shows_all:
            pages = reading.all_listed(path, rows=ROWS_MAX)
        else:
            found, total = reading.listed(path, limit=limit)
            pages = iter([found])
            if total > len(found):
                click.echo(f"only the first {len(found)} of {total}; --all shows all", err=True)
        to_see = ([row for row in page if row.row.is_listed or row.row.call is not None] for page in pages)
        if not _print(to_see, settings, as_json=as_json) and not as_json:
            click.echo("nothing is open")


@journal.command()
@_CONFIG
@_JSON
def recovered(config: Path, *, as_json: bool) -> None:
    """Transactions that a restored journal must not settle by itself, and what to do about them."""
    with _looked(config) as (settings, path):
        rows = _print(reading.recovered(path, rows=ROWS_MAX), settings, as_json=as_json)
    if as_json:
        return
    if not rows:
        click.echo("nothing was left to a person by a restored journal")
        return
    click.echo(
        f"{rows} transactions were under way, or owed, when the copy was made from which this journal was "
        "restored. What became of them since is not known here. Look each up in the wallet's books, then settle it "
        "with `walletbridge journal resolve ID --as applied|cancelled|retry`."
    )


@journal.command()
@click.argument("file", type=click.Path(path_type=Path))
@_CONFIG
def backup(file: Path, config: Path) -> None:
    """Copy the journal into a new FILE, consistent and while gateways write it."""
    with _looked(config) as (_, path):
        try:
            reading.back_up(path, file)
        except FileExistsError:
            raise click.ClickException(f"{file} is there already; name a file that is not") from None
        except OSError as error:
            raise click.ClickException(f"{file}: {error.strerror or error}") from None
    click.echo(f"written: {file}")


@journal.command()
@click.argument("number", metavar="ID", type=int)
@_CONFIG
@_JSON
def show(number: int, config: Path, *, as_json: bool) -> None:
    """All that is known of one transaction."""
    with _looked(config) as (_, path):
        fields = _fields(_expected(reading.by_number(path, number), number))
    if as_json:
        click.echo(json.dumps(fields, indent=2))
        return
    for name, value in fields.items():
        say(f"{name}: {value}")


@journal.command()
@click.argument("number", metavar="ID", type=int)
@_CONFIG
@click.option(
    "--as",
    "decision",
    required=True,
    type=click.Choice([decision.value for decision in Decision]),
    help="applied: it stands. cancelled: it does not. retry: the gateway shall try again.",
)
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask; for scripts.")
@click.option("--force", "is_forced", is_flag=True, help="Also a transaction that is settled. This is recorded.")
@click.option("--by", "name", default=user_name, show_default="the user that runs this", help="Who decides; recorded.")
@click.option("--reason", default="", help="Why; recorded.")
def resolve(  # noqa: PLR0913 - one for each option
    number: int, config: Path, decision: str, *, is_sure: bool, is_forced: bool, name: str, reason: str
) -> None:
    """
    Settle one transaction by hand: one that `journal list` shows, unless --force says otherwise.

    What you say is believed, and no wallet call is made for it: look into the wallet's books first. It stands in the
    transaction with your name, the time and the reason.
    """
    word = Word(decision=decision, name=name, at=int(time.time()), reason=reason, is_forced=is_forced)
    with _opened(config) as (settings, store):
        one = _numbered(store, number)
        row = one.row
        try:
            decide(row, word)
        except ValueError as error:
            raise click.ClickException(_refusal(str(error))) from None
        say_lines(_preview(one, Decision(decision), settings.wallet.currency_decimals), err=True)
        if not is_sure:
            click.confirm("Is that so?", abort=True, err=True)

        def step(found: Found) -> Change[Row]:
            if found.row is None or (found.row.kind, found.row.amount) != (row.kind, row.amount):
                raise ValueError("the transaction has changed meanwhile")
            settled = decide(found.row, word)
            return Change(settled, takes_turn=False, value=settled)

        try:
            with store.transaction():
                settled = store.look(row.account, row.trans_id, step, seconds=0, needs_round=False)
        except ValueError as error:
            raise click.ClickException(_refusal(str(error))) from None
    if isinstance(settled, Busy):
        raise click.ClickException("a call for this transaction is under way; try again in some seconds")
    click.echo(f"{number}: {state(settled)}")


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Settings, Store]]:
    with _looked(config) as (settings, path):
        try:
            store = Store(path, worker_name(), journal_clock(), may_create=False, is_guest=True)
        except ValueError as error:
            raise click.ClickException(f"{path}: {error}") from None
        try:
            yield settings, store
        finally:
            store.close()


@contextmanager
def _looked(config: Path) -> Iterator[tuple[Settings, Path]]:
    """The settings and the journal's path, for reading: changes nothing in the journal and makes no file."""
    try:
        settings = load(config)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    path = settings.journal.path
    try:
        expect_regular(path)
        if reading.is_older(path):
            say(
                f"{path} is older than what was answered: it was restored, and no gateway has started on it since",
                err=True,
            )
        yield settings, path
    except FileNotFoundError as error:
        if path.exists():
            raise click.ClickException(f"{path}: {error}") from None
        raise click.ClickException(f"there is no journal at {path}") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from None
    except apsw.Error as error:
        raise click.ClickException(f"{path}: {error}") from None


def _numbered(store: Store, number: int) -> Numbered:
    return _expected(store.numbered_row(number), number)


def _expected(found: Numbered | None, number: int) -> Numbered:
    if found is None:
        raise click.ClickException(f"there is no transaction with the ID {number}")
    return found


def _preview(one: Numbered, decision: Decision, decimals: int) -> str:
    """A preview of the decision: a person may have mistyped a number."""
    row = one.row
    amount = "unknown amount" if row.amount is None else format_minor(row.amount, decimals)
    what = f"{row.kind or 'cancel'} of {amount}, account {row.account}, transaction {row.trans_id}"
    return f"{one.number}: {what}\n  now: {state(row)}\n  {decision}: {consequence(row, decision)}"


def _refusal(problem: str) -> str:
    return f"{problem}. --force overrules that, and is recorded" if problem.startswith(SETTLED) else problem


def _cells(one: Numbered, decimals: int) -> list[str]:
    row = one.row
    return [
        str(one.number),
        row.account,
        row.trans_id,
        row.kind or "?",
        "?" if row.amount is None else format_minor(row.amount, decimals),
        _utc(one.created_wall),
        state(row),
    ]


def _fields(one: Numbered) -> dict[str, Any]:
    fields = asdict(one.row)
    fields["request"] = json.loads(one.row.request)
    fields["word"] = json.loads(one.row.word) if one.row.word else None
    about = {
        "id": one.number,
        "state": state(one.row),
        "created": _utc(one.created_wall),
        "updated": _utc(one.updated_wall),
    }
    return {**about, **{name: value for name, value in fields.items() if value not in (None, "")}}


def _utc(wall: int) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _print(pages: Iterable[Sequence[Numbered]], settings: Settings, *, as_json: bool) -> int:
    """Prints rows as they are read: one JSON list, or a table for each page. Returns the number of rows."""
    count = 0
    for page in pages:
        if as_json:
            for row in page:
                click.echo(("," if count else "[") + f"\n{json.dumps(_fields(row), indent=2)}", nl=False)
                count += 1
        elif page:
            _print_table(page, settings.wallet.currency_decimals)
            count += len(page)
    if as_json:
        click.echo("\n]" if count else "[]")
    return count


def _print_table(rows: Sequence[Numbered], decimals: int) -> None:
    table = Table("ID", "account", "trans_id", "kind", "amount", "since (UTC)", "where it stands")
    for one in rows:
        table.add_row(*_cells(one, decimals))
    console = Console()
    console = console if console.is_terminal else Console(width=_WIDTH)
    console.print(Printable(table))

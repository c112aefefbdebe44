"""`walletbridge journal` and its commands, on a real file."""

import json
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from walletbridge.cli import main
from walletbridge.journal import command
from walletbridge.journal.clock import JournalClock, journal_clock
from walletbridge.journal.port import Change, Found
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.rules.row import CancelState, Kind, Row

UNRESOLVED = Row(
    account="test1234",
    trans_id="1676358190",
    kind=Kind.BET,
    amount=1050,
    request='{"command":"bet"}',
    movement_unresolved_since=5.0,
)
SETTLED = replace(UNRESOLVED, trans_id="2", movement_unresolved_since=None, cancel=CancelState.DONE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "walletbridge.yaml"
    path.write_text("wallet: {target: 'w:1'}\njournal: {path: journal.db}\n")
    return path


@pytest.fixture
def journal(tmp_path: Path, config: Path) -> Path:
    """A journal with one open row and one at rest."""
    write(tmp_path / "journal.db", UNRESOLVED, SETTLED)
    return config


def write(path: Path, *rows: Row, call_seconds: float = 0) -> None:
    store = Store(path, worker_name(), journal_clock())
    for row in rows:

        def step(_: Found, row: Row = row) -> Change[None]:
            return Change(row, takes_turn=bool(call_seconds), value=None)

        with store.transaction():
            store.look(row.account, row.trans_id, step, seconds=call_seconds, needs_round=False)
    store.close()


def run(*arguments: str | Path, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["journal", *map(str, arguments)], input=answer)


def shown(config: Path, number: int) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(run("show", str(number), "--config", config, "--json").output)
    return fields


def test_the_list_shows_what_is_not_settled_and_why(journal: Path) -> None:
    done = run("list", "--config", journal)

    assert done.exit_code == 0
    assert all(word in done.output for word in ("test1234", "1676358190", "bet", "10.5"))
    assert "nobody knows whether the bet was made" in done.output
    assert "cancelled" not in done.output


def test_the_list_for_scripts(journal: Path) -> None:
    (row,) = json.loads(run("list", "--config", journal, "--json").output)

    assert (row["id"], row["account"], row["trans_id"], row["amount"]) == (1, "test1234", "1676358190", 1050)
    assert row["state"] == "nobody knows whether the bet was made"
    assert row["request"] == {"command": "bet"}


def test_a_list_that_is_cut_off_says_so(tmp_path: Path, journal: Path) -> None:
    write(tmp_path / "journal.db", *(replace(UNRESOLVED, trans_id=str(number)) for number in range(2)))

    done = run("list", "--config", journal, "--json", "--limit", "2")

    assert len(json.loads(done.stdout)) == 2
    assert done.stderr == "only the first 2 of 3; --all shows all\n"
    assert run("list", "--config", journal, "--limit", "3").stderr == ""


def write_many(path: Path, rows: int) -> None:
    """So many open rows beside the one that is there, in one transaction."""
    with closing(Store(path, worker_name(), journal_clock())) as store, store.transaction():
        for number in range(rows):
            row = replace(UNRESOLVED, trans_id=f"many {number}")
            store.note(row.account, row.trans_id, lambda _, row=row: Change(row, takes_turn=False, value=None))  # type: ignore[misc]


def test_a_list_of_all_comes_in_pages(tmp_path: Path, journal: Path) -> None:
    write_many(tmp_path / "journal.db", 1199)

    few = run("list", "--config", journal, "--json")
    assert len(json.loads(few.stdout)) == command.ROWS_MAX
    assert few.stderr == "only the first 1000 of 1200; --all shows all\n"

    rows = json.loads(run("list", "--config", journal, "--json", "--all").output)
    # Row 2 is at rest.
    assert [row["id"] for row in rows] == [1, *range(3, 1202)]
    table = run("list", "--config", journal, "--all").output
    assert all(f"many {number} " in table for number in (0, 997, 998, 1198))
    assert table.count("where it stands") == 2


def test_no_read_is_open_while_a_page_of_all_is_printed(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at it at leisure must not make the log of the journal grow."""
    path = tmp_path / "journal.db"
    write_many(path, 1199)
    logs: list[int] = []
    with closing(Store(path, worker_name(), journal_clock())) as store:

        def print_table(*_: object) -> None:
            write_many(path, 1)
            store._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            logs.append(path.with_name("journal.db-wal").stat().st_size)

        monkeypatch.setattr(command, "_print_table", print_table)
        run("list", "--config", journal, "--all")

    assert logs == [0, 0]


def test_an_empty_list_says_so(journal: Path) -> None:
    run("resolve", "1", "--as", "applied", "--yes", "--config", journal)

    assert run("list", "--config", journal).output == "nothing is open\n"
    assert json.loads(run("list", "--config", journal, "--json").output) == []
    assert run("list", "--config", journal, "--all").output == "nothing is open\n"
    assert json.loads(run("list", "--config", journal, "--json", "--all").output) == []


def test_show_tells_all_that_is_known_of_any_row(journal: Path) -> None:
    assert "cancel: done" in run("show", "2", "--config", journal).output
    assert json.loads(run("show", "1", "--config", journal, "--json").output)["kind"] == "bet"


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ("applied", "1: the bet was made; anna called it applied\n"),
        ("cancelled", "1: cancelled: the wallet did not know the bet; anna called it cancelled\n"),
        ("retry", "1: nobody knows whether the bet was made\n"),
    ],
)
def test_a_person_settles_a_row(journal: Path, decision: str, sentence: str) -> None:
    done = run("resolve", "1", "--as", decision, "--yes", "--by", "anna", "--config", journal)

    assert (done.exit_code, done.stdout) == (0, sentence)
    assert f"1: {shown(journal, 1)['state']}\n" == sentence


@pytest.mark.parametrize("answer", ["n\n", "", "nonsense\n"])
def test_nothing_is_decided_before_the_person_has_seen_what_and_agreed(journal: Path, answer: str) -> None:
    before = shown(journal, 1)
    done = run("resolve", "1", "--as", "applied", "--config", journal, answer=answer)

    assert done.exit_code == 1
    assert all(words in done.output for words in ("test1234", "1676358190", "bet of 10.5", "the stake was taken"))
    assert shown(journal, 1) == before


def test_what_the_person_agreed_to_is_recorded_with_name_time_and_reason(journal: Path) -> None:
    words = ("--as", "applied", "--by", "anna", "--reason", "in the books of the wallet")
    done = run("resolve", "1", *words, "--config", journal, answer="y\n")

    word = shown(journal, 1)["word"]
    assert done.exit_code == 0
    assert (word["name"], word["reason"], word["decision"]) == ("anna", "in the books of the wallet", "applied")
    assert abs(word["at"] - time.time()) < 60
    assert not word["is_forced"]


def test_a_settled_row_is_left_alone_by_a_mistyped_number(journal: Path) -> None:
    before = shown(journal, 2)
    done = run("resolve", "2", "--as", "applied", "--yes", "--config", journal)

    assert done.exit_code == 1
    assert "it is settled: the bet was cancelled. --force overrules that" in done.output
    assert shown(journal, 2) == before


def test_force_settles_it_all_the_same_and_is_recorded(journal: Path) -> None:
    done = run("resolve", "2", "--as", "applied", "--yes", "--force", "--config", journal)

    assert done.exit_code == 0
    assert shown(journal, 2)["word"]["is_forced"]


def test_a_row_whose_call_is_under_way_is_left_alone(config: Path, tmp_path: Path) -> None:
    write(tmp_path / "journal.db", replace(UNRESOLVED, call=Kind.BET, call_ends_at=1e12), call_seconds=60)

    done = run("resolve", "1", "--as", "cancelled", "--yes", "--config", config)

    assert done.exit_code == 1
    assert "a call for this transaction is under way" in done.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("show", "9"), "there is no transaction with the ID 9"),
        (("resolve", "9", "--as", "retry"), "there is no transaction with the ID 9"),
        (("resolve", "1", "--as", "paid"), "is not one of 'applied', 'cancelled', 'retry'"),
    ],
)
def test_a_mistake_is_told_in_one_line(journal: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = run(*arguments, "--config", journal)

    assert done.exit_code != 0
    assert problem in done.output
    assert "Traceback" not in done.output


def test_without_a_journal_there_is_nothing_to_list(config: Path) -> None:
    done = run("list", "--config", config)

    assert (done.exit_code, "there is no journal at" in done.output) == (1, True)


def test_a_file_that_is_no_journal_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is no database, whatever its name says" * 100)

    done = run("list", "--config", config)

    assert (done.exit_code, "file is not a database" in done.output) == (1, True)


# Backups


def test_a_backup_is_whole_while_the_journal_is_open_and_its_restore_is_known(journal: Path, tmp_path: Path) -> None:
    open_one = Store(tmp_path / "journal.db", worker_name(), journal_clock())
    try:
        result = run("backup", tmp_path / "copy.db", "--config", journal)
    finally:
        open_one.close()
    assert (result.exit_code, result.output) == (0, f"written: {tmp_path / 'copy.db'}\n")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    assert run("recovered", "--config", journal).output == "nothing was left to a person by a restored journal\n"

    write(tmp_path / "journal.db", replace(SETTLED, trans_id="3"))
    (tmp_path / "copy.db").replace(tmp_path / "journal.db")
    Store(tmp_path / "journal.db", worker_name(), journal_clock()).close()

    result = run("recovered", "--config", journal)
    assert result.exit_code == 0
    assert "1676358190" in result.output
    assert "1 transactions were under way, or owed, when the copy was made" in result.output
    [row] = json.loads(run("recovered", "--config", journal, "--json").output)
    assert row["trans_id"] == "1676358190"


def test_a_backup_overwrites_nothing(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    result = run("backup", tmp_path / "mine", "--config", journal)

    assert result.exit_code == 1
    assert f"{tmp_path / 'mine'} is there already" in result.output
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_backup_that_cannot_be_written_says_why(journal: Path, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "nowhere" / "copy.db", "--config", journal)

    assert result.exit_code == 1
    assert "nowhere/copy.db: No such file or directory" in result.output


def test_a_backup_for_which_there_is_no_room_says_so_and_leaves_nothing(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.db"
    connect = apsw.Connection

    def small(name: str, **options: Any) -> apsw.Connection:
        db = connect(name, **options)
        if name == str(copy):
            db.pragma("max_page_count", 1)
        return db

    monkeypatch.setattr(apsw, "Connection", small)
    result = run("backup", copy, "--config", journal)

    assert result.exit_code == 1
    assert f"{copy}: cannot be written: the disk is full" in result.output
    assert list(tmp_path.glob("copy.db*")) == []


# Beside a gateway of another boot, as in another container


def test_settling_one_row_leaves_the_turns_of_a_gateway_of_another_boot(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = replace(UNRESOLVED, trans_id="under way", call=Kind.BET)
    write(tmp_path / "journal.db", under_way, call_seconds=60)
    monkeypatch.setattr(command, "journal_clock", lambda: JournalClock("another boot", lambda: 5.0))
    before = rows_of(tmp_path / "journal.db", "SELECT * FROM turns")
    epoch = rows_of(tmp_path / "journal.db", "SELECT epoch FROM meta")

    refused = run("resolve", "3", "--as", "applied", "--yes", "--config", journal)
    settled = run("resolve", "1", "--as", "applied", "--yes", "--config", journal)

    assert refused.exit_code == 1
    assert "a call for this transaction is under way" in refused.output
    assert settled.exit_code == 0, settled.output
    assert rows_of(tmp_path / "journal.db", "SELECT * FROM turns") == before != []
    assert rows_of(tmp_path / "journal.db", "SELECT epoch FROM meta") == epoch


def test_a_journal_of_an_earlier_version_is_not_brought_up_to_date_by_a_person(journal: Path, tmp_path: Path) -> None:
    rows_of(tmp_path / "journal.db", "PRAGMA user_version = 2")
    result = run("resolve", "1", "--as", "applied", "--yes", "--config", journal)

    assert result.exit_code == 1
    assert "the journal is of version 2; this program writes" in result.output
    assert rows_of(tmp_path / "journal.db", "PRAGMA user_version") == [(2,)]


def rows_of(path: Path, statement: str) -> list[Any]:
    with closing(apsw.Connection(str(path))) as db:
        return db.execute(statement).fetchall()

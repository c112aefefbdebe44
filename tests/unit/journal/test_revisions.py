"""The numbers by which processes of one journal know that what they remember is out of date."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from walletbridge.journal.revisions import SLOTS, SUFFIX, Revisions, stands_otherwise
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

RENEW = """
import sys
from pathlib import Path
from walletbridge.journal.revisions import Revisions
Revisions(Path(sys.argv[1])).renew("1")
"""
ROW = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, movement=Movement.CONFIRMED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def both(path: Path) -> Iterator[tuple[Revisions, Revisions]]:
    """Two processes' views."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(closing(Revisions(path))) for _ in range(2))
        yield one, other


def file_of(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def test_a_number_stays_while_nothing_changes_and_is_the_same_for_all(both: tuple[Revisions, Revisions]) -> None:
    one, other = both

    assert one.of("1") == other.of("1") == one.of("1") is not None


def test_a_change_in_another_process_gives_a_number_that_never_was(path: Path) -> None:
    with closing(Revisions(path)) as revisions:
        before = revisions.of("1")
        subprocess.run([sys.executable, "-c", RENEW, str(path)], check=True)

        assert revisions.of("1") not in {None, before}


def test_numbers_do_not_come_again(both: tuple[Revisions, Revisions]) -> None:
    one, other = both
    found = {one.of("1")}
    for _ in range(50):
        for writer in both:
            writer.renew("1")
            found.add(other.of("1"))

    assert len(found) == 101


def test_other_transactions_keep_theirs(both: tuple[Revisions, Revisions]) -> None:
    one, other = both
    before = {str(number): one.of(str(number)) for number in range(100)}
    other.renew("alone")

    assert sum(one.of(trans_id) != revision for trans_id, revision in before.items()) <= 1


def test_only_the_owner_may_read_it(path: Path, both: tuple[Revisions, Revisions]) -> None:
    both[0].renew("1")

    assert stat.S_IMODE(file_of(path).stat().st_mode) == 0o600
    assert file_of(path).stat().st_size == SLOTS * 8


def test_a_file_that_was_removed_is_made_anew_and_all_meet_in_it(path: Path, both: tuple[Revisions, Revisions]) -> None:
    one, other = both
    before = one.of("1"), other.of("1")
    held = os.open(file_of(path), os.O_RDONLY)
    file_of(path).unlink()
    one.renew("1")

    assert other.of("1") == one.of("1") not in {None, *before}
    os.close(held)


@pytest.mark.parametrize("content", [b"", b"\0\0\0"])
def test_a_file_that_was_cut_tells_nothing_until_it_is_written_again(
    path: Path, both: tuple[Revisions, Revisions], content: bytes
) -> None:
    one, other = both
    before = one.of("1")
    file_of(path).write_bytes(content)
    assert one.of("1") is None

    other.renew("1")
    assert one.of("1") not in {None, before}


def test_where_there_can_be_no_file_nothing_is_known_and_nothing_may_change(tmp_path: Path) -> None:
    with closing(Revisions(tmp_path / "missing" / "journal.db")) as revisions:
        assert revisions.of("1") is None
        with pytest.raises(FileNotFoundError):
            revisions.renew("1")


def test_processes_that_name_the_journal_in_two_ways_meet(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(path)
    with closing(Revisions(path)) as one, closing(Revisions(link)) as other:
        before = one.of("1")
        other.renew("1")

        assert one.of("1") != before


def test_a_lone_surrogate_is_a_transaction_like_any_other(both: tuple[Revisions, Revisions]) -> None:
    both[0].renew("\ud800")

    assert both[1].of("\ud800") is not None


@pytest.mark.parametrize(
    "after",
    [
        replace(ROW, cancel=CancelState.OWED),
        replace(ROW, call=Kind.CANCEL),
        replace(ROW, movement=Movement.REFUSED),
        replace(ROW, word="{}"),
    ],
)
def test_what_a_status_is_answered_by_counts(after: Row) -> None:
    assert stands_otherwise(ROW, after)
    assert stands_otherwise(None, ROW)


@pytest.mark.parametrize(
    "after", [ROW, replace(ROW, told=Told.YES, told_at=1.0), replace(ROW, status_said_ok=True, conflicts=1)]
)
def test_notes_of_what_was_said_do_not(after: Row) -> None:
    assert not stands_otherwise(ROW, after)

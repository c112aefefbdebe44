"""What is read at the start is bounded; what holds money's record is its owner's alone."""

import os
import stat
from pathlib import Path

import pytest

from walletbridge.demo.books import Books
from walletbridge.journal.clock import journal_clock
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.settings.small_files import make_private, others_may, read_small


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_small_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")

    assert read_small(file, bytes_max=5) == b"12345"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"123456"), "longer than 5 bytes"),
        (os.mkfifo, "not a regular file"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda _: None, "No such file or directory"),
    ],
    ids=["long", "pipe", "folder", "device", "missing"],
)
def test_what_is_no_small_file_is_refused_at_once(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "file"
    make(path)  # type: ignore[operator]

    with pytest.raises(OSError, match=reason) as caught:
        read_small(path, bytes_max=5)

    assert caught.value.strerror == reason


def test_a_file_is_made_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "file"
    before = os.umask(0)
    try:
        make_private(path)
    finally:
        os.umask(before)

    assert rights(path) == 0o600


def test_looser_files_are_tightened(tmp_path: Path) -> None:
    path, beside = tmp_path / "file", tmp_path / "file-wal"
    for each in (path, beside):
        each.write_bytes(b"kept")
        each.chmod(0o664)
    assert others_may(path)

    make_private(path, "-wal", "-shm")

    assert (rights(path), rights(beside)) == (0o600, 0o600)
    assert path.read_bytes() == b"kept"
    assert not others_may(path)
    assert not (tmp_path / "file-shm").exists()


def test_each_file_of_the_journal_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "journal.db", worker_name(), journal_clock())
        found = {path.name: rights(path) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)

    assert found == dict.fromkeys(
        ["journal.db", "journal.db-wal", "journal.db-shm", "journal.db-queue", "journal.db-mark"], 0o600
    )


def test_each_file_of_the_demos_wallet_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        books = Books(tmp_path / "wallet.db")
        found = {rights(path) for path in tmp_path.iterdir()}
        books.close()
    finally:
        os.umask(before)

    assert found == {0o600}


def test_git_takes_no_file_of_a_journal() -> None:
    ignored = (Path(__file__).parents[3] / ".gitignore").read_text().splitlines()

    assert {"*.db", "*.db-wal", "*.db-shm", "*.db-queue"} <= set(ignored)

"""A worker's name tells whether its process is gone; in doubt it is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from walletbridge.journal import turn_owner
from walletbridge.journal.turn_owner import is_dead, worker_name

SAY_NAME = "from walletbridge.journal.turn_owner import worker_name; print(worker_name(), flush=True)"


@contextmanager
def other_process(script: str = f"{SAY_NAME}; input()") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process and its worker's name."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def ended() -> str:
    """The name of a worker whose process has ended."""
    with other_process() as (_, name):
        pass
    return name


@pytest.fixture
def hidden_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A /proc that shows only where we are, as it does of other users' processes where it is mounted with hidepid."""
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(Path("/proc/self/ns/pid").readlink())
    monkeypatch.setattr(turn_owner, "_PROC", tmp_path)


def changed(name: str, place: int, value: str) -> str:
    """`name` with another namespace (0), PID (1) or start time (2)."""
    words = name.split(" ")
    words[place] = value
    return " ".join(words)


def test_names_are_unique_and_this_process_is_alive() -> None:
    names = {worker_name() for _ in range(10)}

    assert len(names) == 10
    assert not any(is_dead(name) for name in names)


def test_another_process_is_alive_until_it_ends() -> None:
    with other_process() as (process, name):
        assert not is_dead(name)
        process.communicate("\n")
        assert is_dead(name)


def test_a_zombie_is_dead() -> None:
    with other_process(SAY_NAME) as (process, name):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].startswith("Z")

        assert is_dead(name)


def test_another_process_under_the_same_pid_is_not_the_worker() -> None:
    name = worker_name()

    assert is_dead(changed(name, 2, str(int(name.split(" ")[2]) - 1)))


def test_a_command_with_spaces_and_parentheses_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 ("
    program.symlink_to(sys.executable)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [program, "-c", f"{SAY_NAME}; input()"],
        stdin=pipe,
        stdout=pipe,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()

        assert ") Z 1 (" in Path(f"/proc/{process.pid}/stat").read_text()
        assert not is_dead(name)


def test_who_lives_in_another_namespace_cannot_be_seen_and_counts_as_alive(ended: str) -> None:
    assert is_dead(ended)
    assert not is_dead(changed(ended, 0, "pid:[1]"))


@pytest.mark.usefixtures("hidden_processes")
def test_a_process_that_is_only_hidden_counts_as_alive() -> None:
    with other_process() as (_, name):
        assert not is_dead(name)
        assert not is_dead(changed(name, 1, "1"))


@pytest.mark.usefixtures("hidden_processes")
def test_a_process_that_has_ended_is_dead_where_processes_are_hidden(ended: str) -> None:
    assert is_dead(ended)


def test_without_proc_nobody_is_known_to_be_dead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: str) -> None:
    monkeypatch.setattr(turn_owner, "_PROC", tmp_path)

    assert not is_dead(ended)
    assert not is_dead(worker_name())


def test_a_name_made_without_a_start_time_counts_as_alive(ended: str) -> None:
    assert not is_dead(changed(ended, 2, "0"))

"""Programs that are started, starved and ended."""

import signal
import socket
from functools import partial
from pathlib import Path

import pytest
from tests.money.faults.processes import Line, Program, environment, free_port, parse, python
from tests.support.processes import ROOT
from tests.support.waiting import until

ECHO = """
import json, pathlib, sys
print(json.dumps({"event": "ready", "start": int(sys.argv[1])}), flush=True)
for line in sys.stdin:
    try:
        pathlib.Path(sys.argv[2]).write_text("x" * 100)
        print(json.dumps({"event": "written", "line": json.loads(line)}), flush=True)
    except OSError:
        print(json.dumps({"event": "full"}), flush=True)
"""


def program(folder: Path, script: str = ECHO) -> Program:
    path = folder / "program.py"
    path.write_text(script)
    return Program(
        lambda start: [python("")[0], str(path), str(start), str(folder / "file")],
        folder / "program.log",
        environment(folder, ROOT),
        "ready",
    )


async def test_a_program_is_heard_starved_killed_and_started_again(tmp_path: Path) -> None:
    echo, lines = program(tmp_path), list[Line]()
    echo.listeners.append(lines.append)
    try:
        assert await echo.start() == {"event": "ready", "start": 0}
        assert echo.is_up
        for size, event in ((0, "full"), (None, "written")):
            echo.limit_files(size)
            echo.write({"a": 1})
            await until(partial(_is_last, lines, event), seconds=10)
        assert await echo.end(signal.SIGKILL) == -signal.SIGKILL
        assert not echo.is_up
        assert await echo.start() == {"event": "ready", "start": 1}
    finally:
        await echo.end(signal.SIGKILL)

    log = [parse(line)["event"] for line in (tmp_path / "program.log").read_text().splitlines()]
    assert log == ["START", "ready", "full", "written", "START", "ready"]


def _is_last(lines: list[Line], event: str) -> bool:
    return bool(lines[-1]["event"] == event)


async def test_a_program_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"program\.log"):
        await program(tmp_path, "raise SystemExit(3)").start()


def test_what_is_no_json_is_no_line() -> None:
    assert parse(b"Traceback:") == parse("[1]") == {}
    assert parse('{"a": 1}') == {"a": 1}


def test_a_free_port_can_be_had() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] < 32_768

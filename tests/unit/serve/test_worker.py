"""A worker process is started with what it inherits, and says what is wrong with it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from walletbridge.gateway.shared_memory import SharedMemory, nameless_file
from walletbridge.serve.worker import Place, command

PLACE = Place(sockets=(3,), memory=4, parts=2, part=1, control=5)


def test_the_command_line_says_which_files_are_inherited() -> None:
    found = command(Path("/etc/w.yaml"), PLACE)

    assert found[0] == sys.executable
    assert found[-2] == "/etc/w.yaml"
    assert msgspec.json.decode(found[-1], type=Place) == PLACE


async def end_of(config: Path, memory: SharedMemory) -> tuple[int | None, str]:
    place = msgspec.structs.replace(PLACE, memory=memory.file)
    process = await asyncio.create_subprocess_exec(
        *command(config, place), stderr=asyncio.subprocess.PIPE, pass_fds=[memory.file]
    )
    _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_settings_that_do_not_load_end_it(tmp_path: Path) -> None:
    config = tmp_path / "w.yaml"
    config.write_text(json.dumps({"wallet": {}}))
    code, errors = await end_of(config, SharedMemory.create(2))

    assert code == 1
    assert "wallet.target" in errors


async def test_settings_are_those_that_the_supervisor_has_read(tmp_path: Path) -> None:
    """Not those that somebody has written since, and not released."""
    config, content = tmp_path / "w.yaml", nameless_file()
    config.write_text(json.dumps({"wallet": {"target": "w:1"}, "nonsense": 1}))
    os.pwrite(content, json.dumps({"wallet": {"target": "w:1"}, "limits": {"body_bytes": 0}}).encode(), 0)
    memory = SharedMemory.create(2)
    place = msgspec.structs.replace(PLACE, memory=memory.file, content=content)
    process = await asyncio.create_subprocess_exec(
        *command(config, place), stderr=asyncio.subprocess.PIPE, pass_fds=[memory.file, content]
    )
    _, errors = await process.communicate()

    assert process.returncode == 1
    assert "limits.body_bytes" in errors.decode()
    assert "nonsense" not in errors.decode()


async def test_memory_of_another_version_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade whose numbers are laid out anew, a reload is not enough."""
    config = tmp_path / "w.yaml"
    config.write_text(json.dumps({"wallet": {"target": "w:1"}}))
    monkeypatch.setattr("walletbridge.gateway.shared_memory.VERSION", b"walletbridge 0\n")
    code, errors = await end_of(config, SharedMemory.create(2))

    assert code == 1
    assert "restart the gateway instead of reloading" in errors


async def test_the_supervisor_loads_neither_mitmproxy_nor_grpc() -> None:
    """It has to be there when they fail, and to be small."""
    loaded = "{'mitmproxy', 'grpc', 'google.protobuf'} & set(sys.modules)"
    program = f"import sys, walletbridge.serve.workers.supervisor; print({loaded})"
    output = await asyncio.to_thread(subprocess.check_output, [sys.executable, "-c", program])

    assert output == b"set()\n"

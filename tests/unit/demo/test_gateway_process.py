"""A gateway as a process: how it is known to be up, and how it ends."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.callbacks import make_callback
from tests.support.scripted_wallet import HOST, running_wallet

from walletbridge.demo import gateway_process
from walletbridge.demo.gateway_process import LINES_KEPT, running_gateway

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
LISTENING = """
import json, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
def say(**fields): print(json.dumps(fields), file=sys.stderr, flush=True)
"""
WAIT = "signal.pause()"


async def test_a_gateway_is_up_inside_and_gone_outside(tmp_path: Path) -> None:
    async with running_wallet() as (_, port):
        config = tmp_path / "walletbridge.yaml"
        config.write_text(f"listen: {HOST}:0\nwallet: {{target: '{HOST}:{port}', connect_wait: 5}}\n")
        async with running_gateway(config, {VARIABLE: TOKEN}) as gateway, aiohttp.ClientSession() as client:
            headers = {"Callback-Token": TOKEN}
            async with client.post(gateway.url, json=make_callback("bet"), headers=headers) as response:
                assert (response.status, await response.json()) == (
                    200,
                    {"result": 0, "status": "OK", "data": {"balance": 4000}},
                )
            assert gateway.url == f"http://{gateway.address}/callback"

    assert gateway.process.returncode == 0
    assert '"event": "stopped"' in gateway.lines[-1]
    assert TOKEN not in "".join(gateway.lines)


async def test_a_gateway_that_does_not_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text("wallet: 5\n")
    with pytest.raises(RuntimeError, match=r"^the gateway did not start:\n.*walletbridge\.yaml:1: wallet: ") as caught:
        async with running_gateway(config, {VARIABLE: TOKEN}):
            pytest.fail("it is not there")

    assert TOKEN not in str(caught.value)


async def test_a_start_that_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    with pytest.raises(RuntimeError):
        async with running_gateway(tmp_path, {}, ("-c", "")):
            pytest.fail("it is not there")
    await asyncio.sleep(0)
    gc.collect()

    assert complaints == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_only_the_right_line_says_that_it_listens(tmp_path: Path) -> None:
    program = f"""{LISTENING}
print("not JSON", "[1]", "5", "null", sep="\\n", file=sys.stderr)
say(event="listening", addresses=[])
say(event="other", addresses=["1.1.1.1:1"])
say(event="listening", addresses=["127.0.0.1:8080", "127.0.0.1:8081"])
{WAIT}
"""
    async with running_gateway(tmp_path, {}, ("-c", program)) as gateway:
        assert gateway.address == "127.0.0.1:8080"
        assert gateway.lines[:4] == ["not JSON", "[1]", "5", "null"]

    assert gateway.process.returncode == 7


async def test_the_last_lines_are_kept_and_no_more(tmp_path: Path) -> None:
    program = f"""{LISTENING}
for number in range({LINES_KEPT} + 500): print(number, file=sys.stderr)
say(event="listening", addresses=["127.0.0.1:8080"])
{WAIT}
"""
    async with running_gateway(tmp_path, {}, ("-c", program)) as gateway:
        pass

    assert len(gateway.lines) == LINES_KEPT
    assert gateway.lines[-2] == str(LINES_KEPT + 499)


async def test_the_process_is_given_its_settings_and_environment(tmp_path: Path) -> None:
    program = f"""{LISTENING}
import os
say(event="listening", addresses=[" ".join([*sys.argv[1:], os.environ["{VARIABLE}"]])])
{WAIT}
"""
    async with running_gateway(tmp_path / "x.yaml", {VARIABLE: TOKEN}, ("-c", program)) as gateway:
        assert gateway.address == f"--config {tmp_path / 'x.yaml'} {TOKEN}"


async def test_a_gateway_that_never_listens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_process, "START_SECONDS", 0.3)
    with pytest.raises(RuntimeError, match="the gateway did not start"):
        async with running_gateway(tmp_path, {}, ("-c", f"{LISTENING}{WAIT}")):
            pytest.fail("it is not there")


async def test_a_gateway_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_process, "STOP_SECONDS", 0.2)
    program = f"""{LISTENING}
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say(event="listening", addresses=["127.0.0.1:8080"])
while True: signal.pause()
"""
    async with running_gateway(tmp_path, {}, ("-c", program)) as gateway:
        pass

    assert gateway.process.returncode == -9


async def test_a_gateway_that_has_ended_by_itself_is_not_waited_for(tmp_path: Path) -> None:
    program = f'{LISTENING}say(event="listening", addresses=["127.0.0.1:8080"]); sys.exit(3)'
    async with running_gateway(tmp_path, {}, ("-c", program)) as gateway:
        await gateway.process.wait()

        assert await gateway.stop() == 3

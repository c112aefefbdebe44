"""A `serve` of one process lives through SIGHUP: calls in flight are answered, and it says what it took over."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import aiohttp
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    TOKEN,
    Way,
    arguments,
    connected,
    has_logged,
    post,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

ACCOUNT = "player"


def logged(lines: list[str], event: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in found if line["event"] == event]


async def test_a_win_in_flight_is_answered_through_a_reload(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, ACCOUNT) as wallet:
        wallet.script.seconds = {ACCOUNT: 1.0}
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway, connected(gateway) as (reader, writer):
            writer.write(raw_post(body(make_callback("win", account=ACCOUNT, trans_id=1))))
            await until(lambda: wallet.script.begun.get(ACCOUNT))

            gateway.process.send_signal(signal.SIGHUP)
            status, answer = await read_answer(reader)
            await until(lambda: has_logged(gateway, "reloaded"))

            assert (status, json.loads(answer)["result"]) == (200, 0)
            assert gateway.process.returncode is None


async def test_what_needs_a_restart_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, ACCOUNT) as wallet, aiohttp.ClientSession() as client:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            write_settings(tmp_path, wallet_port=wallet.port, limits={"wallet_calls": 7}, journal={"keep_days": 9})
            gateway.process.send_signal(signal.SIGHUP)
            event = "reloaded, but these need a restart, or --workers"
            await until(lambda: has_logged(gateway, event))

            assert logged(gateway.lines, event)[0]["keys"] == ["journal.keep_days", "limits.wallet_calls"]
            assert (await post(client, gateway.url, make_callback("balance", account=ACCOUNT)))[0] == 200


async def test_settings_that_do_not_load_change_nothing(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, ACCOUNT) as wallet, aiohttp.ClientSession() as client:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            config.write_text("listen: nowhere\n")
            gateway.process.send_signal(signal.SIGHUP)
            await until(lambda: has_logged(gateway, "not reloaded: all stays as it was"))

            assert (await post(client, gateway.url, make_callback("balance", account=ACCOUNT)))[0] == 200


async def test_systemd_hears_of_it(tmp_path: Path) -> None:
    """As Type=notify-reload wants it: RELOADING with the time, then READY."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)  # noqa: FBT003 - its only argument
        loop = asyncio.get_running_loop()
        loop.add_reader(systemd, lambda: heard.append(systemd.recv(4096).decode()))
        async with running_wallet(tmp_path, ACCOUNT) as wallet:
            (tmp_path / "token").write_text("first")
            callback = {"token_file": "token", "token_file_seconds": 3600}
            config = write_settings(tmp_path, wallet_port=wallet.port, callback=callback)
            notify = str(tmp_path / "notify")
            async with (
                running(
                    arguments(Way.SERVE, config), tmp_path, NOTIFY_SOCKET=notify, WATCHDOG_USEC="30000000"
                ) as gateway,
                aiohttp.ClientSession() as client,
            ):
                await until(lambda: "READY=1" in heard)
                (tmp_path / "token").write_text(TOKEN)
                gateway.process.send_signal(signal.SIGHUP)
                await until(lambda: heard.count("READY=1") == 2)

                # The new token holds at once.
                answer = await post(client, gateway.url, make_callback("balance", account=ACCOUNT))
                assert b'"result":0' in answer[1]
        loop.remove_reader(systemd)

    order = [text.partition("=")[0] for text in heard if not text.startswith("WATCHDOG")]
    assert order == ["READY", "RELOADING", "READY", "STOPPING"]
    assert "WATCHDOG=1" in heard
    assert any(text.startswith("RELOADING=1\nMONOTONIC_USEC=") for text in heard)

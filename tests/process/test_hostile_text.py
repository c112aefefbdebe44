"""What callers and wallets say reaches no terminal, page or file raw."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import grpc
import pytest
from tests.support.callbacks import body, make_callback
from tests.support.mappings import BANK, compile_text
from tests.support.mitmweb import running_web
from tests.support.processes import Way, arguments, end_of, environment, post, write_settings
from tests.support.reflecting import reflecting
from tests.support.scripted_wallet import Call, ScriptedWallet, running_wallet
from tests.support.waiting import until

from walletbridge.serve.launch import free_port

HOSTILE = '\x1b[2J\x07\u202egnp.\u2066\x9b31m\r\n{"event": "forged"}\n\x00\x7f\u2028'
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SENT = [
    body(make_callback("bet", account=f"a{HOSTILE}"[:60], trans_id=1)),
    body(make_callback("bet", trans_id=f"2{HOSTILE}"[:60])),
    body(make_callback("bet", trans_id=3, round_id=f"r{HOSTILE}"[:60], game_name=f"g{HOSTILE}"[:60])),
    body(make_callback("status", trans_id=4)),
    body({**make_callback("bet"), "command": HOSTILE}),
    body({**make_callback("bet", account=HOSTILE), "check": "1"}),
]


def raw_in(text: str) -> list[str]:
    """The characters that must not be there, and what stands as a line of its own."""
    found = [character for character in text if not character.isprintable() and character != "\n"]
    return found + [line for line in text.split("\n") if line.startswith('{"event": "forged"')]


async def refuses(call: Call) -> bytes:
    """Says what no terminal should hear."""
    await call.context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"no {HOSTILE}", (("x-why", "because"),))
    raise AssertionError("abort raises")


@contextmanager
def terminal() -> Iterator[tuple[int, list[bytes]]]:
    """The end of a terminal for a process, and what it shows."""
    ours, theirs = os.openpty()
    shown: list[bytes] = []
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            shown.append(os.read(ours, 65536))
        except OSError:
            loop.remove_reader(ours)

    loop.add_reader(ours, read)
    try:
        yield theirs, shown
    finally:
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


def text_of(shown: list[bytes]) -> str:
    """Without what the log colours itself, and the ends of lines that the terminal makes."""
    return COLOURS.sub("", b"".join(shown).decode()).replace("\r\n", "\n")


@asynccontextmanager
async def on_a_terminal(config: Path, home: Path) -> AsyncIterator[list[bytes]]:
    """`serve` whose log is for people."""
    with terminal() as (theirs, shown):
        process = await asyncio.create_subprocess_exec(
            *arguments(Way.SERVE, config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=theirs,
            env=environment(home),
        )
        try:
            await until(lambda: b"wallet connected" in b"".join(shown))
            yield shown
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 30)


def scripted(wallet: ScriptedWallet) -> None:
    for method in ("PlaceBet", "GetTransactionStatus"):
        wallet.script(method, refuses)


async def send(url: str) -> list[int]:
    async with aiohttp.ClientSession() as client:
        return [(await post(client, url, data))[0] for data in SENT]


async def test_no_terminal_obeys_what_is_logged_listed_or_measured(tmp_path: Path) -> None:
    port, admin = free_port("127.0.0.1"), f"127.0.0.1:{free_port('127.0.0.1')}"
    async with running_wallet() as (wallet, wallet_port):
        scripted(wallet)
        config = write_settings(tmp_path, wallet_port=wallet_port, listen=f"127.0.0.1:{port}", admin={"listen": admin})
        async with on_a_terminal(config, tmp_path) as shown:
            statuses = await send(f"http://127.0.0.1:{port}/callback")
            await until(lambda: text_of(shown).count("callback ") >= len(SENT))
            async with aiohttp.ClientSession() as client:
                for page in ("metrics", "readyz", "healthz"):
                    async with client.get(f"http://{admin}/{page}") as answer:
                        assert raw_in(await answer.text()) == []
        said = text_of(shown)
        assert raw_in(said) == []
        assert {500, 400} <= set(statuses)
        assert r"\x1b[2J" in said
        assert "wallet_said='no \\\\x1b[2J" in said
    for command in (["list"], ["list", "--json"], ["show", "1"], ["show", "3"]):
        code, printed = await end_of(
            [sys.executable, "-m", "walletbridge", "journal", *command, "--config", str(config)], tmp_path
        )
        assert raw_in(printed) == [], printed
        assert code in {0, 1}
    for explained in (HOSTILE.replace("\0", ""), f"bet{HOSTILE}".replace("\0", "")):
        command = [sys.executable, "-m", "walletbridge", "check", "--config", str(config), "--explain", explained]
        assert raw_in((await end_of(command, tmp_path))[1]) == []


async def test_no_page_shows_it_raw(tmp_path: Path) -> None:
    async with (
        running_wallet() as (wallet, wallet_port),
        running_web(tmp_path, wallet_port=wallet_port, ui={"mask_accounts": False}) as web,
    ):
        scripted(wallet)
        await send(web.gateway.url)
        flows = await web.flows()
        assert len(flows) == len(SENT)
        for flow in flows:
            assert raw_in(flow["comment"]) == []
            assert raw_in((await web.page(flow, "response"))["text"]) == []
        assert raw_in(await web.events()) == []
        assert not any(json.loads(line)["event"] == "forged" for line in web.gateway.lines if line.startswith("{"))
        assert raw_in("\n".join(web.gateway.lines)) == []


@pytest.mark.parametrize("name", ["Wal\x1b[2Jlet", "Wallet\n# forged: true\n", "Wal\u202elet"])
@pytest.mark.parametrize("place", ["json_name", "field", "method", "type"])
async def test_init_writes_no_name_of_a_hostile_descriptor_raw(tmp_path: Path, name: str, place: str) -> None:
    files = compile_text(BANK)
    for file in files.file:
        for message in file.message_type:
            for number, field in enumerate(message.field):
                if place == "json_name":
                    field.json_name = f"{name}{number}"
                elif place == "field":
                    field.name = f"{name}{number}"
        for method in file.service[0].method:
            if place == "method":
                method.name += name
            elif place == "type":
                method.input_type += name
    async with reflecting(files, "bank.Wallet") as port:
        command = [sys.executable, "-m", "walletbridge", "init", "--target", f"127.0.0.1:{port}"]
        _, printed = await end_of(command, tmp_path)

    assert "Traceback" not in printed
    assert ("service: bank.Wallet" in printed) == (place == "json_name"), printed
    assert raw_in(printed) == []
    assert "\n# forged" not in printed

"""A session under mitmweb: what its list and its pages show, what is saved of it, and that no token is anywhere."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from tests.support.callbacks import make_callback
from tests.support.mitmweb import HOST, PASSWORD, Mitmweb, running_web, until_async
from tests.support.processes import (
    ROOT,
    SCRIPTS,
    TOKEN,
    RunningWallet,
    end_of,
    environment,
    post,
    running_wallet,
    write_settings,
)

from walletbridge.serve.launch import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAYER = "test1234"
BET = make_callback("bet", amount=10)


@dataclass(frozen=True, slots=True)
class Session:
    """Callbacks of all kinds that went through."""

    web: Mitmweb
    wallet: RunningWallet
    client: aiohttp.ClientSession
    answers: list[tuple[int, bytes]]
    folder: Path

    async def flow(self, comment: str) -> dict[str, Any]:
        """The first flow with that in its comment."""
        return next(flow for flow in await self.web.flows() if comment in flow["comment"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    """One of each."""
    folder = tmp_path_factory.mktemp("session")
    async with (
        running_wallet(folder, PLAYER) as wallet,
        running_web(folder, wallet_port=wallet.port, options=[f"save_stream_file={folder / 'flows'}"]) as web,
        aiohttp.ClientSession() as client,
    ):
        wallet.ledger.add_player("asleep", 1000, active=False)
        wallet.script.seconds["slow"] = 2
        sent: list[tuple[Any, str]] = [
            (make_callback("authenticate"), TOKEN),
            (make_callback("balance"), TOKEN),
            (BET, TOKEN),
            (BET, TOKEN),
            (make_callback("bet", trans_id=2, amount=10**9), TOKEN),
            (make_callback("bet", trans_id=3, account="nobody"), TOKEN),
            (make_callback("bet", trans_id=4, account="asleep"), TOKEN),
            (make_callback("cancel", trans_id=5), TOKEN),
            (make_callback("win", trans_id=6, amount=25), TOKEN),
            (make_callback("status"), TOKEN),
            (make_callback("status"), TOKEN),
            (BET, f"not-{TOKEN}"),
            (make_callback("bet", trans_id=7, amount=-1), TOKEN),
            (make_callback("bet", trans_id=8, account="slow"), TOKEN),
        ]
        answers = [await post(client, web.gateway.url, callback, token=token) for callback, token in sent]
        found = Session(web, wallet, client, answers, folder)
        bet = await found.flow("bet test1234 10 #1676358190 -> 41")
        await web.do(bet, "replay")
        await until_async(lambda: _has_comment(web, "-> 403"))
        yield found


EXPECTED = [
    ("✅", "authenticate test1234 -> 0 balance 1000 | Authenticate "),
    ("✅", "balance test1234 -> 0 balance 1000 | GetBalance "),
    ("✅", "bet test1234 10 #1676358190 -> 0 balance 990 | PlaceBet "),
    ("🚫", "bet test1234 10 #1676358190 -> 403 replay refused | no call"),
    ("💸", "bet test1234 1000000000 #2 -> 31 no funds, balance 990 | PlaceBet "),
    ("👤", "bet nobody 1000 #3 -> 21 no such player | PlaceBet "),
    ("💤", "bet asleep 1000 #4 -> 22 player inactive | PlaceBet "),
    ("🔍", "cancel test1234 #5 -> 42 not found, balance 990 | CancelTransaction "),
    ("✅", "win test1234 25 #6 -> 0 balance 1015 | SettleWin "),
    ("✅", "status test1234 #1676358190 -> 0 OK | GetTransactionStatus "),
    ("⚡", "status test1234 #1676358190 -> 0 OK | cache hit "),
    ("🔒", "wrong token -> 100"),
    ("❌", "bad request -> 400 $.data.amount: must not be negative"),
    ("❓", "bet slow 1000 #8 -> 500 DEADLINE_EXCEEDED | PlaceBet "),
]


async def test_the_list_tells_what_came_of_each(session: Session) -> None:
    shown = [(flow["marked"], flow["comment"]) for flow in await session.web.flows()]

    assert len(shown) == len(EXPECTED)
    for (marker, comment), (expected_marker, text) in zip(shown, EXPECTED, strict=True):
        assert text in comment
        assert marker == expected_marker
    # What was a duplicate before it was replayed.
    assert session.answers[3] == (200, b'{"result":41,"status":"ERROR","data":{"balance":990}}')


async def test_the_address_is_the_callbacks_own(session: Session) -> None:
    request = (await session.flow("balance test1234"))["request"]

    assert f"http://{request['pretty_host']}:{request['port']}{request['path']}" == session.web.gateway.url


async def test_a_page_tells_all(session: Session) -> None:
    shown = await session.web.page(await session.flow("bet test1234 10 #1676358190 -> 0"), "response")

    assert shown["view_name"] == "walletbridge"
    for line in (
        "The wallet took the stake.",
        "21  ✓  the player exists",
        "the bet was made (settled)",
        f"wallet call to 127.0.0.1:{session.wallet.port}",
        "method         wallet.v1.WalletService/PlaceBet",
        "status         OK in ",
        "amount: 1000",
        "balance: 99000",
        "of a budget of 1750 ms (the provider's limit is 2000 ms)",
        "win test1234 25 #6 -> 0 balance 1015",
        '"balance": 990',
    ):
        assert line in shown["text"], shown["text"]


async def test_commands_work_in_mitmweb(session: Session) -> None:
    flow = await session.flow("bet test1234 10 #1676358190 -> 0")
    one = f"@{flow['id']}"
    assert (await session.web.command("walletbridge.status", one)) == {"value": None}
    await until_async(lambda: _has_event(session.web, "status #1676358190 of test1234: 0 OK OK"))
    await session.web.command("walletbridge.known.transaction", "8")
    await until_async(lambda: _has_event(session.web, "bet #8 of slow 1000: nobody knows whether the bet was made"))
    line = (await session.web.command("walletbridge.curl", one))["value"]
    assert "$WALLETBRIDGE_CALLBACK_TOKEN" in line
    vector = json.loads((await session.web.command("walletbridge.vector", one, ""))["value"])
    assert vector["request"] == BET
    assert (
        "expected flows"
        in (await session.web.command("walletbridge.cancel", "~meta command=bet & ~meta is=ok | ~meta command=win"))[
            "error"
        ]
    )


async def test_a_replay_that_was_allowed_reaches_the_wallet_once(session: Session) -> None:
    flow = await session.flow("win test1234 25")
    calls = session.wallet.script.begun[PLAYER]
    said = await session.web.command("walletbridge.replay.allow", f"@{flow['id']}")
    assert "win of test1234, transaction #6" in said["value"]
    await session.web.do(flow, "replay")
    await until_async(lambda: _has_comment(session.web, "win test1234 25 #6 -> 41 duplicate"))
    assert session.wallet.script.begun[PLAYER] == calls + 1

    await session.web.do(flow, "replay")
    await until_async(lambda: _has_comment(session.web, "win test1234 25 #6 -> 403"))
    assert session.wallet.script.begun[PLAYER] == calls + 1


async def test_saved_flows_show_everything_elsewhere(session: Session, tmp_path: Path) -> None:
    """No settings, no wallet, no token."""
    async with looking_at(session.folder / "flows", tmp_path) as web:
        await until_async(lambda: _has_comment(web, "bet slow 1000 #8 -> 500"))
        flows = await web.flows()
        bet = next(flow for flow in flows if flow["comment"].startswith("bet test1234 10 #1676358190 -> 0"))
        text = (await web.page(bet))["text"]

        assert text.startswith("The wallet took the stake.")
        assert "balance: 99000" in text
        assert "win test1234 25 #6 -> 0 balance 1015" in text
        assert "no settings" in (await web.command("walletbridge.cancel", f"@{bet['id']}"))["error"]


async def test_saved_flows_run_dry_through_other_settings(session: Session, tmp_path: Path) -> None:
    calls = session.wallet.calls
    for decimals, code in ((2, 0), (0, 1)):
        config = write_settings(tmp_path, wallet_port=1)
        config.write_text(json.dumps({"wallet": {"target": "127.0.0.1:1", "currency_decimals": decimals}}))
        command = [
            sys.executable,
            "-m",
            "walletbridge",
            "replay",
            str(session.folder / "flows"),
            "--config",
            str(config),
        ]
        ended, printed = await end_of(command, tmp_path, token=None)

        assert ended == code, printed
        assert "callbacks: " in printed
    assert session.wallet.calls == calls


async def test_no_token_is_anywhere(session: Session) -> None:
    """Not on disk, not in the log, and in nothing that a browser is given."""
    web = session.web
    served = [json.dumps(await web.flows()), await web.events()]
    for flow in await web.flows():
        served += [(await web.page(flow, part))["text"] for part in ("request", "response")]
        served += [str(await web.command("export", form, f"@{flow['id']}")) for form in ("curl", "httpie", "raw")]
    dumped = await web.client.get(f"{web.url}/flows/dump", headers=web._login())
    served.append((await dumped.read()).decode(errors="replace"))
    await web.command("save.har", "~all", str(session.folder / "flows.har"))
    files = [path for path in session.folder.rglob("*") if path.is_file()]

    assert {"flows", "flows.har", "walletbridge.db", "stdout.txt"} <= {path.name for path in files}
    written = [path.read_bytes().decode(errors="replace") for path in files]
    for text in (*served, *written, *web.gateway.lines):
        assert TOKEN not in text.replace(f"not-{TOKEN}", TOKEN)


async def test_a_browser_is_told_of_no_token(session: Session) -> None:
    """A flow is shown as soon as its head has come: by then its token is hidden."""
    web = session.web
    told: list[str] = []
    async with session.client.ws_connect(f"{web.url}/updates", headers=web._login()) as updates:
        await post(session.client, web.gateway.url, make_callback("balance"))
        await post(session.client, web.gateway.url, BET, token=f"not-{TOKEN}")
        while not any("wrong token" in text for text in told):
            told.append((await updates.receive(timeout=20)).data)

    assert any('"Callback-Token", "***"' in text for text in told)
    assert not [text for text in told if TOKEN in text]


async def test_flows_are_bounded_and_a_persons_mark_protects(tmp_path: Path) -> None:
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_web(tmp_path, wallet_port=wallet.port, ui={"keep_flows": 5}) as web,
        aiohttp.ClientSession() as client,
    ):
        for amount in range(1, 4):
            await post(client, web.gateway.url, make_callback("bet", trans_id=amount, amount=amount))
        flows = await web.flows()
        await web.mark(flows[1], ":grapes:")
        for _ in range(20):
            await post(client, web.gateway.url, make_callback("balance"))

        kept = await web.flows()
        assert len(kept) == 5
        assert [flow["comment"].split(" ->")[0] for flow in kept].count("bet test1234 2 #2") == 1
        assert not any(flow["comment"].startswith("bet test1234 3") for flow in kept)


@asynccontextmanager
async def looking_at(flows: Path, home: Path) -> AsyncIterator[Mitmweb]:
    """`mitmweb -n -r FILE -s addon/main.py`."""
    port = free_port(HOST)
    options = [f"web_port={port}", f"web_host={HOST}", f"web_password={PASSWORD}", "web_open_browser=false"]
    command = [str(SCRIPTS / "mitmweb"), "-n", "-r", str(flows), "-s", str(ROOT / "addon" / "main.py")]
    with (home / "out.txt").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            *(part for option in options for part in ("--set", option)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(home, token=None),
        )
    try:
        async with aiohttp.ClientSession() as client:
            url = f"http://{HOST}:{port}"
            web: Any = Mitmweb(None, client, f"{url}/?token={PASSWORD}", url, home)  # type: ignore[arg-type]
            yield web
    finally:
        process.terminate()
        assert await process.wait() == 0


async def _has_comment(web: Mitmweb, text: str) -> bool:
    try:
        return any(text in comment for comment in await web.comments())
    except aiohttp.ClientConnectionError:
        # It is not up yet.
        return False


async def _has_event(web: Mitmweb, text: str) -> bool:
    return text in await web.events()

"""A person stops a callback, looks, edits, and lets it go: only then is the wallet called, with what it is by then."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import apsw
import pytest
import pytest_asyncio
from tests.process.http2 import http2_client
from tests.support.callbacks import body, make_callback
from tests.support.mitmweb import Mitmweb, running_script, running_web, until_async
from tests.support.processes import RunningWallet, connected, has_logged, post, raw_post, running_wallet
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
REQUESTS = r"~u /callback & ~q"
ANSWERS = r"~u /callback & ~s"
WAYS = {"web": running_web, "script": running_script}
"""`walletbridge web`, and `mitmweb -s addon/main.py`."""
each_way = pytest.mark.parametrize("way", WAYS)


@dataclass(frozen=True, slots=True)
class Stage:
    """A wallet, and the gateway under mitmweb in both ways."""

    wallet: RunningWallet
    webs: dict[str, Mitmweb]
    client: aiohttp.ClientSession

    @asynccontextmanager
    async def stopping(self, way: str, player: str, what: str = REQUESTS) -> AsyncIterator[Mitmweb]:
        """A mitmweb that stops callbacks, for a player with 1000 units."""
        self.wallet.ledger.add_player(player, 100_000)
        web = self.webs[way]
        await web.option(intercept=what)
        yield web
        await web.option(intercept="")

    def send(self, web: Mitmweb, player: str, **data: Any) -> asyncio.Future[tuple[int, bytes]]:
        """Sends a bet of 10 units."""
        bet = make_callback("bet", account=player, trans_id=player, amount=10, **data)
        return asyncio.ensure_future(post(self.client, web.gateway.url, bet))

    def begun(self, player: str) -> int:
        """How many calls the wallet has had for a player."""
        return self.wallet.script.begun.get(player, 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """For all tests here: starting takes longer than most of them."""
    folder = tmp_path_factory.mktemp("intercept")
    for way in WAYS:
        (folder / way).mkdir()
    async with (
        running_wallet(folder) as wallet,
        running_web(folder / "web", wallet_port=wallet.port) as web,
        running_script(folder / "script", wallet_port=wallet.port) as script,
        aiohttp.ClientSession() as client,
    ):
        yield Stage(wallet, {"web": web, "script": script}, client)


def name(way: str, test: str) -> str:
    """A player of a test's own."""
    return f"{test}-{way}"


@each_way
async def test_an_edit_is_what_reaches_the_wallet(stage: Stage, way: str) -> None:
    player = name(way, "edit")
    async with stage.stopping(way, player) as web:
        answer = stage.send(web, player)
        flow = await web.held()
        assert stage.begun(player) == 0
        assert flow["comment"] == f"held: bet {player} 10 #{player}"
        assert "A person holds it." in (await web.page(flow))["text"]
        edited = make_callback("bet", account=player, amount=25, trans_id=f"{player}-2")
        await web.edit(flow, "request", body(edited))
        await web.do(flow, "resume")

        assert await answer == (200, b'{"result":0,"status":"OK","data":{"balance":975}}')
        movements = [row for row in stage.wallet.ledger.dump()["movements"] if row["account"] == player]
        assert [row["trans_id"] for row in movements] == [f"{player}-2"]
        await until_async(lambda: _says(web, f"bet {player} 25 #{player}-2 -> 0 balance 975 | PlaceBet "))


@each_way
async def test_an_abort_makes_no_call_and_ends_the_connection(stage: Stage, way: str) -> None:
    player = name(way, "abort")
    async with stage.stopping(way, player) as web:
        answer = stage.send(web, player)
        await web.do(await web.held(), "kill")
        with pytest.raises(aiohttp.ClientError):
            await answer

        assert stage.begun(player) == 0
        await until_async(lambda: _says(web, f"bet {player} 10 #{player} | aborted by hand, no wallet call"))
        # Nothing hangs: the next one is stopped and answered as ever.
        answer = stage.send(web, player)
        await web.do(await web.held(), "resume")
        assert (await answer)[0] == 200


@each_way
async def test_a_client_that_leaves_while_it_is_held_makes_no_call(stage: Stage, way: str) -> None:
    player = name(way, "leave")
    async with stage.stopping(way, player) as web:
        async with connected(web.gateway) as (_, writer):
            writer.write(raw_post(body(make_callback("bet", account=player, trans_id=player, amount=10))))
            await web.held()
        await until_async(
            lambda: _says(web, f"bet {player} 10 #{player} | its client left while it was held, no wallet call")
        )

        assert stage.begun(player) == 0
        assert not [flow for flow in await web.flows() if flow["intercepted"]]


async def test_a_stream_that_is_reset_while_it_is_held_makes_no_call(stage: Stage) -> None:
    """The connection lives on, and with it other callbacks."""
    player = "reset"
    bet = body(make_callback("bet", account=player, trans_id=player, amount=10))
    async with stage.stopping("script", player) as web, http2_client(web.gateway) as provider:
        await provider.send([bet])
        await web.held()
        await provider.reset()
        await until_async(
            lambda: _says(web, f"bet {player} 10 #{player} | its client left while it was held, no wallet call")
        )
        assert stage.begun(player) == 0

        await web.option(intercept="")
        await provider.send([bet])
        assert [status for status, _ in await provider.answers(1)] == [200]


@each_way
async def test_an_answer_can_be_edited(stage: Stage, way: str) -> None:
    player = name(way, "answer")
    async with stage.stopping(way, player, ANSWERS) as web:
        answer = stage.send(web, player)
        flow = await web.held()
        assert stage.begun(player) == 1
        await web.edit(flow, "response", b'{"result":31,"status":"ERROR","data":{"balance":0}}')
        await web.do(flow, "resume")

        assert await answer == (200, b'{"result":31,"status":"ERROR","data":{"balance":0}}')
        await until_async(lambda: _says(web, " | edited"))
        assert "edited by hand" in (await web.page(flow, "response"))["text"]
        await until(lambda: has_logged(web.gateway, "answer edited by hand"))
        # The provider has not heard that the bet was made, and the journal knows that.
        await until(lambda: _told(web.folder, player) == "nothing")


@each_way
async def test_a_killed_answer_ends_the_connection(stage: Stage, way: str) -> None:
    player = name(way, "kill")
    async with stage.stopping(way, player, ANSWERS) as web:
        answer = stage.send(web, player)
        await web.do(await web.held(), "kill")
        with pytest.raises(aiohttp.ClientError):
            await answer

        assert stage.begun(player) == 1
        await until_async(lambda: _says(web, f"bet {player} 10 #{player} -> 0 balance 990 | PlaceBet"))
        await until_async(lambda: _says(web, " | not delivered"))
        await until(lambda: _told(web.folder, player) == "nothing")


async def test_the_view_says_that_the_provider_has_given_up(tmp_path: Path) -> None:
    deadlines = {"bet": 0.6, "balance": 0.6, "margin": 0.1}
    async with (
        running_wallet(tmp_path) as wallet,
        running_web(tmp_path, wallet_port=wallet.port, deadlines=deadlines) as web,
        aiohttp.ClientSession() as client,
    ):
        stage = Stage(wallet, {"web": web}, client)
        async with stage.stopping("web", "late"):
            answer = stage.send(web, "late")
            flow = await web.held()
            await until_async(lambda: _says(web, "held: bet late 10 #late | the provider's 0.6 s are over"))
            assert stage.begun("late") == 0
            await web.do(flow, "resume")

            # The pause is not the wallet's: the call has its whole budget.
            await answer
            await until(lambda: has_logged(web.gateway, "callback"))
            line = next(json.loads(one) for one in web.gateway.lines if '"event": "callback"' in one)
            assert line["ms"] < 600
            text = " ".join((await web.page(flow))["text"].split())
            assert "the provider's limit is 0.6 s: to the provider it has timed out, whatever is answered." in text


def _told(folder: Path, player: str) -> str:
    """What the journal says that the provider was told."""
    journal = folder / "walletbridge.db"
    with closing(apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        found = db.execute("SELECT told FROM transactions WHERE account = ?", (player,)).fetchone()
    return str(found[0]) if found else ""


async def _says(web: Mitmweb, text: str) -> bool:
    return any(text in comment for comment in await web.comments())

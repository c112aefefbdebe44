"""Two gateways that know nothing of each other but the journal that they share."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from tests.support.callbacks import make_callback
from tests.support.processes import Way, arguments, at_once, end_of, post, running, running_wallet, write_settings

ACCOUNT = "test1234"
STANDS = (200, b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"OK"}}')
IS_CANCELED = (200, b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"CANCELED"}}')


async def test_a_cancel_in_one_ends_what_the_other_remembers(tmp_path: Path) -> None:
    """Also where they name the journal in different ways."""
    async with running_wallet(tmp_path, ACCOUNT) as wallet, AsyncExitStack() as stack:
        journal = tmp_path / "shared.db"
        link = tmp_path / "link.db"
        link.symlink_to(journal)

        def start(name: str, path: Path):  # type: ignore[no-untyped-def] # noqa: ANN202 - a context's own
            home = tmp_path / name
            home.mkdir()
            # Long enough that no answer is right by mere time.
            config = write_settings(
                home, wallet_port=wallet.port, journal={"path": str(path)}, status_cache={"ok_seconds": 3600}
            )
            return stack.enter_async_context(running(arguments(Way.SERVE, config), home))

        one, other = await at_once([start("one", journal), start("other", link)])
        client = await stack.enter_async_context(aiohttp.ClientSession())
        urls = [f"http://{gateway.address}/callback" for gateway in (one, other)]
        bet = make_callback("bet", trans_id=1, amount=1000)
        status = make_callback("status", trans_id=1)
        assert (await post(client, urls[0], bet))[0] == 200
        for _ in range(3):
            assert [await post(client, url, status) for url in urls] == [STANDS, STANDS]
        # Both have it in mind by now.
        calls = wallet.calls
        assert [await post(client, url, status) for url in urls] == [STANDS, STANDS]
        assert wallet.calls == calls

        assert (await post(client, urls[1], make_callback("cancel", trans_id=1)))[0] == 200

        assert [await post(client, url, status) for url in urls] == [IS_CANCELED, IS_CANCELED]


async def test_what_a_person_says_ends_what_a_gateway_remembers(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, ACCOUNT) as wallet, AsyncExitStack() as stack:
        config = write_settings(tmp_path, wallet_port=wallet.port, status_cache={"ok_seconds": 3600})
        command = arguments(Way.SERVE, config)
        gateway = await stack.enter_async_context(running(command, tmp_path))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        url = f"http://{gateway.address}/callback"
        assert (await post(client, url, make_callback("bet", trans_id=1, amount=1000)))[0] == 200
        status = make_callback("status", trans_id=1)
        assert [await post(client, url, status) for _ in range(2)] == [STANDS, STANDS]

        resolve = ["journal", "resolve", "1", "--as", "cancelled", "--yes", "--force", "--reason", "a test"]
        code, printed = await end_of([*command[:3], *resolve, "--config", str(config)], tmp_path)
        assert code == 0, printed

        # The wallet contradicts the person now, and that is not answered from memory.
        assert await post(client, url, status) != STANDS

"""What most of these tests share: starting a gateway takes longer than most of them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from tests.process.house import House
from tests.process.upstream import running_upstream
from tests.support.processes import running_both, running_wallet


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One wallet and one upstream behind the gateway in both ways of running it. Nothing is remembered of a status."""
    folder = tmp_path_factory.mktemp("house")
    async with (
        running_wallet(folder) as wallet,
        running_upstream() as upstream,
        running_both(
            folder,
            wallet_port=wallet.port,
            upstream=upstream.url,
            status_cache={"size": 0},
            journal={"settle_wins": False, "settle_bets": False},
        ) as gateways,
        aiohttp.ClientSession() as client,
    ):
        yield House(folder, wallet, upstream, gateways, client)

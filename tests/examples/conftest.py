"""One house for each kind of wallet: starting a gateway takes longer than most of these tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.examples.house import ALL, House, running_house


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=ALL)
async def shared_house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """A wallet behind a gateway that settles nothing by itself and remembers nothing of a status."""
    folder = tmp_path_factory.mktemp(request.param)
    async with running_house(
        request.param,
        folder,
        status_cache={"size": 0},
        journal={"settle_wins": False, "settle_bets": False},
    ) as house:
        yield house


@pytest.fixture
def house(shared_house: House) -> House:
    """The same house, as if nobody had played yet."""
    shared_house.forget_all()
    return shared_house

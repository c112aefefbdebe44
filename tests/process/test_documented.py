"""Every documented callback gets the documented answer, byte for byte, through real HTTP and a real gRPC wallet."""

from typing import Any

import pytest
from tests.process.house import House
from tests.support.processes import TOKEN, Way

from walletbridge.demo.cases import Case, documented_cases
from walletbridge.demo.once import forget, set_up

pytestmark = pytest.mark.asyncio(loop_scope="package")

CASES = documented_cases()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_documented_callback_gets_the_documented_answer(house: House, way: Way, case: Case) -> None:
    set_up(house.wallet.ledger, case)
    forget(house.folder / way / "walletbridge.db")
    headers = {"Callback-Token": TOKEN if case.has_token else "wrong"}

    async with house.client.post(house.url(way), json=case.request, headers=headers) as response:
        answer = await response.read()

    assert (case.http_status, case.answer_bytes) == (response.status, answer)
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("tokens", [(), ("wrong",), (TOKEN, TOKEN), (TOKEN.upper(),)], ids=str)
async def test_without_its_token_once_a_callback_gets_100(house: House, way: Way, tokens: tuple[str, ...]) -> None:
    calls = house.wallet.calls
    headers: list[tuple[str, str]] = [("Callback-Token", token) for token in tokens]
    request: dict[str, Any] = CASES[0].request

    async with house.client.post(house.url(way), json=request, headers=headers) as response:
        answer = await response.read()

    assert (response.status, answer) == (200, b'{"result":100,"status":"ERROR"}')
    assert calls == house.wallet.calls


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_callback_by_another_method_is_refused(house: House, way: Way, method: str) -> None:
    headers = {"Callback-Token": TOKEN}

    async with house.client.request(method, house.url(way), headers=headers) as response:
        answer = await response.read()

    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (method == "HEAD") == (not answer)

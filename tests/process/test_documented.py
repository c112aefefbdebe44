"""Every documented callback gets the documented answer, byte for byte, through real HTTP and a real gRPC wallet."""

from typing import Any

import aiohttp
import pytest
from tests.process.house import House
from tests.support.authorities import Example, example
from tests.support.processes import TOKEN, Way

from walletbridge.demo.cases import Case, documented_cases
from walletbridge.demo.once import forget, set_up
from walletbridge.protocol.callbacks import Command

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


async def answer_to(client: aiohttp.ClientSession, url: str, shown: Example) -> bytes:
    """Sends the request as curl does, with the type of a form."""
    headers = {"Callback-Token": TOKEN, "Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
    async with client.post(url, data=shown.body, headers=headers) as response:
        assert response.status == 200
        return await response.read()


@pytest.mark.parametrize("way", Way)
async def test_the_curl_lines_of_the_protocol_s_page_get_the_answers_that_it_shows(house: House, way: Way) -> None:
    """One after the other, on the demo's wallet."""
    house.wallet.ledger.clear()
    house.wallet.ledger.seed_demo_players()
    forget(house.folder / way / "walletbridge.db")

    for command in Command:
        shown = example(command)
        assert [await answer_to(house.client, house.url(way), shown) for _ in shown.answers] == shown.answers

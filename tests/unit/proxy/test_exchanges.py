"""What happens to a callback while people hold it, and when its answer goes out or does not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.flow import Error
from tests.support.addon_house import OK_BODY, TIMEOUT, UNKNOWN, House, answer_of, lines, make_flow, quick, running
from tests.support.callbacks import body, make_callback
from tests.support.waiting import until

from walletbridge.journal.port import JournalUnavailable


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


# A person holds a callback


async def hold(house: House, flow: http.HTTPFlow) -> asyncio.Future[tuple[int, bytes]]:
    """Intercepts `flow`, as mitmproxy's own addon does before ours is asked."""
    house.addon.requestheaders(flow)
    flow.intercept()  # type: ignore[no-untyped-call]
    task: asyncio.Future[Any] = asyncio.ensure_future(house.addon.request(flow))
    await until(lambda: flow in house.updates.flows)
    await asyncio.sleep(0.02)
    assert not task.done()
    assert house.wallet.calls == []
    return task


async def test_what_a_person_made_of_a_callback_is_what_the_wallet_gets(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        flow.request.content = body(make_callback("win", amount=7, trans_id="edited"))
        flow.resume()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        assert answer_of(flow) == (200, OK_BODY)
        assert house.wallet.counts == {"SettleWin": 1}
        assert (house.wallet.calls[0].request.trans_id, house.wallet.calls[0].request.amount) == ("edited", 700)


async def test_what_came_and_what_a_person_sent_in_its_place_are_both_listed(tmp_path: Path) -> None:
    """The provider hears the answer to the one and takes it for the answer to the other."""
    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        flow.request.content = body(make_callback("bet", trans_id="edited"))
        flow.resume()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        bridge = house.addon._exchanges.bridge
        assert bridge is not None
        rows = {row.trans_id: row for _, row in await bridge.journal.to_look_at(after=0, limit=9)}
        assert {key: row.movement.value for key, row in rows.items()} == {"1676358190": "none", "edited": "confirmed"}
        assert "sent a bet" in rows["1676358190"].for_human
        assert "in place of a bet" in rows["edited"].for_human


async def test_what_could_not_be_noted_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise JournalUnavailable("the disk is full")

    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        bridge = house.addon._exchanges.bridge
        assert bridge is not None
        monkeypatch.setattr(bridge.journal, "note", fails)
        flow.request.content = body(make_callback("bet", trans_id="edited"))
        flow.resume()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        assert answer_of(flow) == UNKNOWN
        assert house.wallet.calls == []


async def test_the_time_for_which_a_person_held_it_does_not_count(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        house.addon.requestheaders(flow)
        head = house.addon._exchanges._heads[flow.id]
        house.addon._exchanges._heads[flow.id] = head._replace(received_at=head.received_at - 100)
        flow.intercept()  # type: ignore[no-untyped-call]
        task = asyncio.ensure_future(house.addon.request(flow))
        await until(lambda: flow in house.updates.flows)
        flow.resume()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        assert answer_of(flow) == (200, OK_BODY)
        assert house.wallet.calls[0].seconds_left > 1.0


async def test_a_held_callback_that_is_killed_makes_no_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        flow.kill()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        assert house.wallet.calls == []
        assert flow.error  # by which mitmproxy knows not to send it on


async def test_a_held_callback_whose_client_has_left_makes_no_call_and_goes_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        flow.client_conn.state = ConnectionState.CLOSED
        flow.resume()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(task, TIMEOUT)

        assert house.wallet.calls == []
        assert answer_of(flow) == UNKNOWN


async def test_a_hold_that_is_cancelled_leaves_an_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        task = await hold(house, flow)
        task.cancel()
        await asyncio.wait_for(task, TIMEOUT)

        assert answer_of(flow) == UNKNOWN
        assert house.wallet.calls == []


async def test_a_held_replay_is_refused_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        flow.is_replay = "request"
        flow.intercept()  # type: ignore[no-untyped-call]

        assert (await house.answer(flow))[0] == 403


# What was not delivered


async def test_a_client_that_left_is_logged_with_what_it_was_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        await house.answer(flow)
        flow.error = Error("client disconnected")
        house.addon.error(flow)
        house.addon.error(flow)
        await asyncio.sleep(0.05)

    [line] = [line for line in lines(capsys) if line["event"] == "answer not delivered"]
    assert (line["command"], line["trans_id"], line["result"], line["level"]) == ("bet", 1676358190, 0, "warning")


async def test_a_client_that_left_before_it_was_answered_is_no_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as house:
        early, other = make_flow(), make_flow(path="/other")
        for flow in (early, other):
            house.addon.requestheaders(flow)
            flow.error = Error("client disconnected")
            house.addon.error(flow)
        assert len(house.addon._exchanges._heads) == 0

    assert "answer not delivered" not in capsys.readouterr().err


async def test_an_answer_that_went_out_is_noted_once_and_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        flow = make_flow()
        await house.answer(flow)
        assert len(house.addon._exchanges._answered) == 1
        house.addon.response(flow)
        house.addon.response(flow)

        assert len(house.addon._exchanges._heads) == 0
        assert len(house.addon._exchanges._answered) == 0

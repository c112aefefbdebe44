"""One caller at a time, also among workers, and nobody waits for a disk for ever."""

import asyncio
from pathlib import Path

import apsw
import pytest
from tests.support.fake_wallet import OK, Held
from tests.support.money import House, house

from walletbridge.journal.port import Change, Found
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

REPEATED = Outcome(Result.ALREADY_PROCESSED, 5)
NOT_FOUND = Outcome(Result.TRANSACTION_NOT_FOUND, 5)
REFUSED = Outcome(Result.BALANCE_INSUFFICIENT, 5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def test_a_repeat_waits_for_the_call_before_it(path: Path) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held, REPEATED)
        first = asyncio.ensure_future(one.send("win"))
        await held.arrived.wait()
        second = asyncio.ensure_future(one.send("win"))
        await asyncio.sleep(0.02)
        assert one.commands == ["win"]

        held.release()
        assert [await first, await second] == ["OK", "ALREADY_PROCESSED"]


async def test_waiting_is_charged_to_the_budget_and_leaves_a_row(path: Path) -> None:
    """A cancel that could not wait long enough is owed all the same, and stands before the bet's own answer."""
    async with house(path) as one:
        held = Held()
        one.script(held, NOT_FOUND)
        bet = asyncio.ensure_future(one.send("bet"))
        await held.arrived.wait()

        assert "the budget passed" in await one.send("cancel", seconds=0.05)
        held.release()
        assert await bet == "the wallet made it after its cancel"
        assert (await one.rows())["1676358190"].cancel is CancelState.OWED


async def test_workers_wait_for_each_other(path: Path) -> None:
    async with house(path) as one, house(path) as other:
        held = Held()
        one.script(held)
        other.script(OK)
        bet = asyncio.ensure_future(one.send("bet"))
        await held.arrived.wait()
        cancel = asyncio.ensure_future(other.send("cancel"))
        await asyncio.sleep(0.05)
        assert other.commands == []

        held.release()
        assert [await bet, await cancel] == ["OK", "OK"]
        assert other.commands == ["cancel"]


async def test_without_a_disk_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path / "nowhere" / "journal.db") as one:
        for command in ("bet", "win", "cancel"):
            assert "the journal is not available" in await one.send(command)

        assert one.commands == []
        [(event, fields), *_] = one.events
        assert event == "not journalled, so not sent to the wallet"
        assert (fields["account"], fields["amount"], fields["trans_id"]) == ("test1234", 100000, 1676358190)


async def test_an_outcome_that_cannot_be_written_is_unknown(path: Path) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held)
        bet = asyncio.ensure_future(one.send("bet"))
        await held.arrived.wait()
        await one.journal.close()
        held.release()

        assert "the outcome could not be written" in await bet
    async with house(path) as later:
        await _until_free(later)
        row = (await later.rows())["1676358190"]
        assert (row.kind, row.call, row.movement) == (Kind.BET, Kind.BET, Movement.NONE)


async def test_an_outcome_that_is_written_after_500_went_out_tells_so(path: Path) -> None:
    """The disk may take it when nobody waits for it any more: what it says of the answer must be put right."""
    other = apsw.Connection(str(path))
    async with house(path) as one:
        for command, end, kind in (("bet", OK, Kind.BET), ("win", REFUSED, Kind.WIN)):
            held = Held()
            one.script(held)
            call = asyncio.ensure_future(one.send(command, seconds=0.1, trans_id=command))
            await held.arrived.wait()
            other.execute("BEGIN IMMEDIATE")
            held.release(end)
            assert "the outcome could not be written: the disk took too long" in await call

            other.execute("ROLLBACK")
            row = await one.journal.look("test1234", command, _found, seconds=0)
            assert isinstance(row, Row)
            assert (row.kind, row.call, row.result, row.told) == (kind, None, end.result, Told.NOTHING)
            assert row.is_open
    other.close()


async def _until_free(house: House) -> None:
    """A turn ends some time after its call."""
    for _ in range(200):
        if await house.rows():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def _found(found: Found) -> Change[Row | None]:
    return Change(None, takes_turn=False, value=found.row)

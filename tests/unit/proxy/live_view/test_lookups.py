"""What is known, as lines."""

from pathlib import Path

from mitmproxy.test import tflow
from tests.support.money import NOT_SENT, house
from tests.unit.proxy.live_view.records import bet_record

from walletbridge.protocol.callbacks import Status
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.proxy.live_view.lookups import of_cache, of_flows, of_journal, unresolved
from walletbridge.proxy.live_view.record import write
from walletbridge.proxy.live_view.related import FOUND_MAX
from walletbridge.settings import Journal, Settings, Ui, Wallet
from walletbridge.transactions.status_cache import StatusCache


def settings(path: Path, *, mask_accounts: bool = False) -> Settings:
    return Settings(wallet=Wallet(target="wallet:1"), journal=Journal(path=path), ui=Ui(mask_accounts=mask_accounts))


def test_flows_are_found_by_whole_values() -> None:
    flow = tflow.tflow()
    flow.comment = "bet test1234 1000"
    write(flow.metadata, bet_record())

    assert of_flows("account", "test1234", [flow]) == ["flow: #1676358190: bet test1234 1000"]
    assert of_flows("account", "test123", [flow]) == []
    assert len(of_flows("trans_id", "1676358190", [flow] * 100)) == FOUND_MAX + 1


async def test_rows_are_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with house(path) as inside:
        await inside.send("bet", trans_id=7)
        inside.script(NOT_SENT)
        await inside.send("win", trans_id=8)

        assert of_journal(settings(path), trans_id="7") == ["journal: 1: bet #7 of test1234 1000: the bet was made"]
        assert [line.split(":")[1] for line in of_journal(settings(path), account="test1234")] == [" 2", " 1"]
        assert unresolved(settings(path, mask_accounts=True)) == ["journal: 2: win #8 of t***4 1000: the win is owed"]


def test_a_journal_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (line,) = of_journal(settings(tmp_path / "none.db"), trans_id="7")

    assert "cannot be read" in line
    assert not (tmp_path / "none.db").exists()


async def test_the_cache_is_asked() -> None:
    cache = StatusCache(size=10, ok_seconds=5, canceled_seconds=5, clock=lambda: 0.0)
    question = Status(account="test1234", checks=(21, 42), requested_at=None, trans_id=7)

    async def load() -> Outcome:
        return Outcome(Result.OK, state=TransactionState.OK)

    await cache.ask(question, load, deadline=1)
    path = Path("x")
    assert of_cache(cache, settings(path), trans_id="7") == ["cache: #7 of test1234: OK"]
    assert of_cache(cache, settings(path, mask_accounts=True), account="test1234") == ["cache: #7 of t***4: OK"]
    assert of_cache(cache, settings(path), trans_id="8") == []

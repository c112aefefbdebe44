"""All that moves money stands on one journal, and takes its turns with all others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.fake_wallet import OK, FakeWallet, Held
from tests.support.waiting import until

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.promises import Promises
from walletbridge.settings import Breaker, Journal, Limits, Settings, Wallet
from walletbridge.transactions.assembly import Settlement
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.wallet.protection.protection import Protection

SECONDS = 5.0


def bet(trans_id: int = 1) -> Bet:
    callback = decode(body(make_callback("bet", trans_id=trans_id)), currency_decimals=2)
    assert isinstance(callback, Bet)
    return callback


def cancel(trans_id: int = 1) -> Cancel:
    callback = decode(body(make_callback("cancel", trans_id=trans_id)), currency_decimals=2)
    assert isinstance(callback, Cancel)
    return callback


@asynccontextmanager
async def settled_by(wallet: FakeWallet, path: Path, problems: list[str] | None = None) -> AsyncIterator[Settlement]:
    settings = Settings(wallet=Wallet(target="-"), journal=Journal(path=path, settle_wins=False, settle_bets=False))
    protection = Protection(
        wallet,
        breaker=Breaker(failures=1),
        limits=Limits(),
        clock=time.monotonic,
        on_change=lambda _: None,
    )
    settlement = Settlement(
        settings,
        Promises(late_bets_refused=True),
        protection,
        StatusCache(size=10, ok_seconds=5, canceled_seconds=5, clock=time.monotonic),
        keep_days=30,
        clock=time.monotonic,
        on_event=lambda _, __: None,
        on_problem=(problems if problems is not None else []).append,
        on_wal=pytest.fail,
    )
    try:
        yield settlement
    finally:
        await protection.stop()
        await settlement.journal.close()


def deadline() -> float:
    return time.monotonic() + SECONDS


async def test_a_cancel_waits_for_the_bet_of_its_transaction(tmp_path: Path) -> None:
    held = Held()
    wallet = FakeWallet(held, OK)
    async with settled_by(wallet, tmp_path / "journal.db") as settlement:
        betting = asyncio.ensure_future(settlement.transactions.move(bet(), deadline=deadline(), trace=Trace()))
        await held.arrived.wait()
        cancelling = asyncio.ensure_future(settlement.cancels.cancel(cancel(), deadline=deadline(), trace=Trace()))
        await asyncio.sleep(0.05)
        assert [type(call.callback) for call in wallet.calls] == [Bet]

        held.release()
        assert (await betting, await cancelling) == (OK, OK)
        assert [type(call.callback) for call in wallet.calls] == [Bet, Cancel]


class ForCancels(FakeWallet):
    """Breaks at everything else, questions whether it is there again included."""

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        outcome = await super().call(callback, deadline=deadline, trace=trace)
        if not isinstance(callback, Cancel):
            trace.grpc_status = "UNAVAILABLE"
            raise OutcomeUnknown("the connection broke", sent=True)
        return outcome


async def test_while_the_wallet_counts_as_down_no_bet_is_sent_but_every_cancel(tmp_path: Path) -> None:
    wallet = ForCancels()
    async with settled_by(wallet, tmp_path / "journal.db") as settlement:
        with pytest.raises(OutcomeUnknown, match="broke"):
            await settlement.transactions.move(bet(1), deadline=deadline(), trace=Trace())
        with pytest.raises(OutcomeUnknown, match="down"):
            await settlement.transactions.move(bet(2), deadline=deadline(), trace=Trace())
        assert await settlement.cancels.cancel(cancel(1), deadline=deadline(), trace=Trace()) == OK

    moved = [call.callback for call in wallet.calls if isinstance(call.callback, Bet | Cancel)]
    assert [type(callback) for callback in moved] == [Bet, Cancel]


async def test_a_journal_that_fails_is_told(tmp_path: Path) -> None:
    problems: list[str] = []
    wallet = FakeWallet()
    async with settled_by(wallet, tmp_path / "missing" / "journal.db", problems) as settlement:
        with pytest.raises(OutcomeUnknown, match="the journal is not available"):
            await settlement.transactions.move(bet(), deadline=deadline(), trace=Trace())
        await until(lambda: problems)

    assert wallet.calls == []

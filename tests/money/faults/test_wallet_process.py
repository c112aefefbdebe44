"""What the faulty wallet does to a call."""

import asyncio
from typing import Any, cast

import pytest
from tests.money.faults.mood import Mood
from tests.money.faults.plan import WalletFault
from tests.money.faults.wallet_process import DemoWords, Faults, Order

from walletbridge.demo.wallet import Abort
from walletbridge.wallet.v1 import wallet_service_pb2 as v1


def faults(*chosen: WalletFault, seed: int = 1, start: int = 0) -> Faults:
    return Faults(
        Order(
            port=0,
            db="",
            seed=seed,
            start=start,
            remembers_cancels=True,
            scale=1e6,
            mood=Mood(shares={fault.value: 1 / len(chosen) for fault in chosen}),
        ),
        DemoWords(),
    )


def bet(trans_id: str = "1") -> v1.PlaceBetRequest:
    return v1.PlaceBetRequest(account="test1234", trans_id=trans_id, checks=[v1.CHECK_NOT_PROCESSED])


def made() -> v1.PlaceBetResponse:
    return v1.PlaceBetResponse(outcome=v1.OUTCOME_OK, balance=100)


async def test_a_refusal_is_asked_for_by_a_check_that_nobody_knows() -> None:
    request = bet()
    await faults(WalletFault.REFUSE).before("PlaceBet", request)

    assert list(request.checks) == [9999, 41]


async def test_a_read_is_not_refused() -> None:
    request = v1.GetTransactionStatusRequest(account="test1234", trans_id="1", checks=[v1.CHECK_TRANSACTION_EXISTS])
    await faults(WalletFault.REFUSE).before("GetTransactionStatus", request)

    assert list(request.checks) == [42]


async def test_a_call_is_aborted_before_the_commit() -> None:
    with pytest.raises(Abort):
        await faults(WalletFault.ABORT_BEFORE).before("PlaceBet", bet())


async def test_a_call_is_aborted_after_the_commit() -> None:
    wallet, request = faults(WalletFault.ABORT_AFTER), bet()
    await wallet.before("PlaceBet", request)

    with pytest.raises(Abort):
        await wallet.after("PlaceBet", request, made())


def order(mood: Mood) -> Order:
    return Order(port=0, db="", seed=1, start=0, remembers_cancels=True, scale=1e6, mood=mood)


async def test_a_wallet_that_warms_up_refuses_what_moves_money() -> None:
    wallet, request = Faults(order(Mood(refuses=True)), DemoWords()), bet()
    await wallet.before("PlaceBet", request)
    assert list(request.checks) == [9999, 41]

    read = v1.GetBalanceRequest(account="test1234")
    await wallet.before("GetBalance", read)
    assert list(read.checks) == []


@pytest.mark.parametrize(
    ("hangs", "method"), [("bet", "PlaceBet"), ("win", "SettleWin"), ("cancel", "CancelTransaction")]
)
async def test_one_method_hangs_and_the_others_do_not(hangs: str, method: str) -> None:
    wallet = Faults(order(Mood(hangs=hangs)), DemoWords())
    requests = {
        "PlaceBet": bet(),
        "SettleWin": v1.SettleWinRequest(account="test1234", trans_id="1"),
        "CancelTransaction": v1.CancelTransactionRequest(account="test1234", trans_id="1"),
    }
    for name, request in requests.items():
        if name != method:
            await wallet.before(name, request)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wallet.before(method, requests[method]), 0.05)


def unlisted() -> v1.PlaceBetResponse:
    response: Any = v1.PlaceBetResponse(balance=100)
    response.outcome = 77
    return cast("v1.PlaceBetResponse", response)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (WalletFault.GARBAGE, b"\xff\xff\xff"),
        (WalletFault.UNLISTED, unlisted()),
        (WalletFault.SLOW, made()),
        (WalletFault.LATE, made()),
    ],
)
async def test_answers(fault: WalletFault, expected: object) -> None:
    wallet, request = faults(fault), bet()
    await wallet.before("PlaceBet", request)

    assert await wallet.after("PlaceBet", request, made()) == expected


async def test_the_same_call_meets_the_same_fault_whatever_comes_in_between() -> None:
    async def met(*, order: list[str], seed: int = 1, start: int = 0) -> dict[str, int]:
        wallet = faults(WalletFault.UNLISTED, WalletFault.SLOW, seed=seed, start=start)
        found: dict[str, int] = {}
        for key in order:
            request = bet(key)
            await wallet.before("PlaceBet", request)
            response = await wallet.after("PlaceBet", request, made())
            assert isinstance(response, v1.PlaceBetResponse)
            found[key] = response.outcome
        return found

    keys = [str(number) for number in range(40)]
    one = await met(order=keys)

    assert one == await met(order=keys[::-1])
    assert one != await met(order=keys, seed=2)
    assert one != await met(order=keys, start=1)

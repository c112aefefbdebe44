"""Every documented callback gets the documented answer, byte for byte, whatever the wallet is."""

from typing import Any

import pytest
from tests.examples.catalog import WALLETS
from tests.examples.house import WALLET_V1, House
from tests.support.callbacks import make_callback
from tests.support.processes import TOKEN

from walletbridge.demo.cases import Case, documented_cases

pytestmark = pytest.mark.asyncio(loop_scope="package")

CASES = documented_cases()
KEEPERS = [WALLET_V1, *(name for name, wallet in WALLETS.items() if wallet.keeps_transactions)]
"""They report what they have on record, by the provider's own ids."""
MINOR = 100
RICH = 10**9
"""Minor units that cover whatever is played."""
OK = (200, b'"result":0')


def set_players(house: House, case: Case) -> None:
    for player in case.players:
        house.wallet.ledger.add_player(player["account"], player["balance"] * MINOR, active=player["active"])


async def play(house: House, transaction: dict[str, Any]) -> None:
    """Gives the wallet its past in the one way that every wallet has: through the gateway."""
    of = {"account": transaction["account"], "trans_id": transaction["trans_id"]}
    house.wallet.ledger.add_player(transaction["account"], RICH)
    callbacks = [make_callback(transaction["kind"], **of, amount=transaction["amount"])]
    if transaction["canceled"]:
        callbacks.append(make_callback("cancel", **of))
    for callback in callbacks:
        status, answer = await house.post(callback)
        assert (status, answer[1:11]) == OK


async def answer_of(house: House, case: Case) -> tuple[int, bytes]:
    return await house.post(case.request, token=TOKEN if case.has_token else "wrong")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_documented_callback_gets_the_documented_answer(house: House, case: Case) -> None:
    """What was before it went through the gateway."""
    for transaction in case.transactions:
        await play(house, transaction)
    set_players(house, case)

    assert await answer_of(house, case) == (case.http_status, case.answer_bytes)


@pytest.mark.parametrize("shared_house", KEEPERS, indirect=True)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_wallet_that_keeps_transactions_knows_them_without_the_journal(house: House, case: Case) -> None:
    """What was before it is in the wallet's own books, from before the gateway came."""
    set_players(house, case)
    for one in case.transactions:
        amount = one["amount"] * MINOR
        house.wallet.add_past(str(one["trans_id"]), one["account"], one["kind"], amount, canceled=one["canceled"])

    assert await answer_of(house, case) == (case.http_status, case.answer_bytes)

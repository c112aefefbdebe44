"""
Money under faults, against each example wallet: lost answers, hangs, deaths. In the end all books agree, but for what
the journal leaves to a person.

`python -m tests.money.faults --wallet NAME` plays more of it.
"""

import asyncio
from itertools import batched
from pathlib import Path

import pytest
from tests.examples.catalog import WALLETS
from tests.money.faults.blows import Blow, Event
from tests.money.faults.plan import Plan, WalletFault
from tests.money.faults.run import Result, run

FAULTS = {
    WalletFault.SLOW: 0.04,
    WalletFault.LATE: 0.03,
    WalletFault.HANG_BEFORE: 0.03,
    WalletFault.HANG_AFTER: 0.04,
    WalletFault.ABORT_BEFORE: 0.02,
    WalletFault.ABORT_AFTER: 0.04,
    WalletFault.REFUSE: 0.02,
    WalletFault.UNLISTED: 0.02,
    WalletFault.EXIT_AFTER: 0.01,
}
BLOWS = (
    Event(Blow.GATEWAY_KILLED, at_call=20, seconds=0),
    Event(Blow.WALLET_AWAY, at_call=35, seconds=5),
)


async def play(name: str, folder: Path) -> Result:
    """One run. Its comparison counts what moved twice as a difference, also where it is left to a person."""
    plan = Plan(
        seed=len(name),
        callbacks=50,
        example=name,
        remembers_cancels=WALLETS[name].remembers_cancels,
        wallet=FAULTS,
        events=BLOWS,
    )
    # How soon is what `tests.money.faults` measures; here other tests take the cores as well.
    return await run(plan, folder, recover_seconds=60.0)


def folder_of(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("names", list(batched(WALLETS, 2)), ids="+".join)
async def test_all_books_agree_when_the_faults_are_over(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Two at once: most of the time goes into waiting."""
    results = await asyncio.gather(*(play(name, folder_of(tmp_path, name)) for name in names))

    for result in results:
        assert (result.plan.example, result.verdict.differences, result.wrong) == (result.plan.example, [], [])
        assert result.failures["500"] > 0

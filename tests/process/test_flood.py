"""More bets than the wallet takes: what is kept for wins and cancels stays theirs."""

import asyncio
import itertools
import time
from pathlib import Path

import aiohttp
from tests.support.callbacks import make_callback
from tests.support.processes import UNKNOWN, Way, arguments, post, running, running_wallet, write_settings
from tests.support.waiting import until

FLOODING, PLAYER = "flooding", "player"
LIMITS = {"wallet_calls": 20, "kept_for_cancels": 10, "kept_for_wins": 20, "slot_wait": 0.05}
BETS_MAX = 14
"""What they leave for bets."""
SHED_SECONDS = 1.0
"""Less than the budget of a bet: one that is answered 500 later may have been sent."""
SENDERS = 30
ROUNDS = 20
DEADLINE_SECONDS = 4.0
"""Of a win and a cancel. PROTOCOL: Time limits."""


async def test_a_flood_of_bets_keeps_no_cancel_and_no_win_from_the_wallet(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, FLOODING, PLAYER) as wallet:
        wallet.script.seconds[FLOODING] = 0.5
        config = write_settings(tmp_path, wallet_port=wallet.port, limits=LIMITS)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway, aiohttp.ClientSession() as client:
            ids = itertools.count(1)
            made: list[int] = []
            shed: list[int] = []

            async def flood() -> None:
                while True:
                    number = next(ids)
                    bet = make_callback("bet", account=FLOODING, trans_id=number, amount=1)
                    begun = time.monotonic()
                    answer = await post(client, gateway.url, bet)
                    if answer != UNKNOWN:
                        made.append(number)
                    elif time.monotonic() - begun < SHED_SECONDS:
                        shed.append(number)

            async def movement(command: str, number: int) -> None:
                begun = time.monotonic()
                callback = make_callback(command, account=PLAYER, trans_id=f"trans-{number}", amount=1)
                if command == "cancel":
                    del callback["data"]["amount"]
                assert (await post(client, gateway.url, callback))[0] == 200
                assert time.monotonic() - begun < DEADLINE_SECONDS

            flooding = [asyncio.ensure_future(flood()) for _ in range(SENDERS)]
            await until(lambda: len(shed) > SENDERS)
            for number in range(ROUNDS):
                assert wallet.script.begun[FLOODING] - wallet.script.ended.get(FLOODING, 0) <= BETS_MAX
                await movement("win", number)
                await movement("cancel", number)
            most_shed = len(shed)
            await until(lambda: made)
            for sender in flooding:
                sender.cancel()
            await asyncio.wait(flooding)

            # It has been one all the while.
            assert most_shed > 2 * SENDERS
            assert not any(sender.done() and not sender.cancelled() for sender in flooding)

        calls = wallet.wallet.calls
        assert (calls["SettleWin"], calls["CancelTransaction"]) == (ROUNDS, ROUNDS)
        moved = {row["trans_id"] for row in wallet.ledger.dump()["movements"]}
        assert made
        assert {str(number) for number in made} <= moved
        # What was shed was not sent, then or later.
        assert not {str(number) for number in shed} & moved

"""How a wallet is."""

import msgspec
from tests.money.faults.mood import Mood
from tests.money.faults.plan import WalletFault


def test_a_mood_survives_the_way_to_the_wallets_process() -> None:
    mood = Mood(shares={"late": 0.5}, refuses=True, seconds=1.2, hangs="win", lag=5.0)

    assert msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(mood)), type=Mood) == mood
    assert mood.faults == {WalletFault.LATE: 0.5}

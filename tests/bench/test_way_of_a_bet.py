"""How far a bet goes through the house."""

from pathlib import Path

from tests.bench.way_of_a_bet import way_of_a_bet


async def test_a_bet_enters_at_most_nine_rooms(tmp_path: Path) -> None:
    way = await way_of_a_bet(tmp_path)

    assert {"rules/before_call.py", "rules/after_call.py", "wallet/client.py", "journal/store.py"} <= set(way.files)
    assert len(way.rooms) <= 9

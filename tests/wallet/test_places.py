"""Who may still call the wallet when many do."""

import pytest

from walletbridge.callbacks import Command
from walletbridge.wallet.places import Places

READS_AND_BETS = [Command.AUTHENTICATE, Command.BALANCE, Command.STATUS, Command.BET]


def fill(places: Places, command: Command) -> int:
    """Takes places for `command` until it is refused; returns how many there were."""
    count = 0
    while places.take(command):
        count += 1
    return count


@pytest.mark.parametrize("command", READS_AND_BETS)
def test_a_flood_leaves_room_for_wins_and_more_for_cancels(command: Command) -> None:
    places = Places(100, kept_for_cancels=10, kept_for_wins=15)

    assert fill(places, command) == 75
    assert fill(places, Command.WIN) == 15
    assert fill(places, command) == 0
    assert fill(places, Command.CANCEL) == 10
    assert places.taken == 100
    assert [command for command in Command if places.take(command)] == []


def test_what_is_kept_is_kept_from_wins_as_well() -> None:
    places = Places(100, kept_for_cancels=10, kept_for_wins=15)

    assert fill(places, Command.WIN) == 90
    assert not places.take(Command.BET)
    assert fill(places, Command.CANCEL) == 10


def test_a_place_that_is_given_back_is_had_by_whom_it_is_for() -> None:
    places = Places(10, kept_for_cancels=10, kept_for_wins=10)
    fill(places, Command.BET)
    fill(places, Command.CANCEL)

    places.give_back()
    assert not places.take(Command.BET)
    assert not places.take(Command.WIN)
    assert places.take(Command.CANCEL)

    for _ in range(3):
        places.give_back()
    assert places.take(Command.BET)
    assert not places.take(Command.BET)


@pytest.mark.parametrize(
    ("count", "bets", "wins", "cancels"),
    [(1, 1, 1, 1), (4, 4, 4, 4), (10, 8, 9, 10), (256, 193, 231, 256)],
)
def test_shares_are_rounded_down_so_that_few_places_are_for_all(count: int, bets: int, wins: int, cancels: int) -> None:
    places = Places(count, kept_for_cancels=10, kept_for_wins=15)

    assert [places.most(command) for command in (Command.BET, Command.WIN, Command.CANCEL)] == [bets, wins, cancels]
    assert all(places.most(command) == bets for command in READS_AND_BETS)


def test_nothing_need_be_kept() -> None:
    places = Places(7, kept_for_cancels=0, kept_for_wins=0)

    assert fill(places, Command.BALANCE) == 7
    assert not places.take(Command.CANCEL)

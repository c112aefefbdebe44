"""Which rows are open, written off, owed or listed."""

import pytest
from msgspec.structs import replace

from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

NEW = Row(account="test1234", trans_id="1")
BET = replace(NEW, kind=Kind.BET, amount=100)
WIN = replace(BET, kind=Kind.WIN)
MADE = replace(BET, movement=Movement.CONFIRMED)
UNRESOLVED = replace(BET, movement_unresolved_since=0.0)
NOTHING, WRITTEN_OFF, WIN_OWED = "", "is_written_off", "is_win_owed"

TABLE = [
    # row, what it is besides, open, listed
    (NEW, NOTHING, False, False),
    (BET, NOTHING, False, False),
    (replace(BET, movement=Movement.REFUSED), NOTHING, False, False),
    (replace(BET, call=Kind.BET, call_ends_at=9.0), NOTHING, False, False),
    # A bet that was made, by what its sender knows of it
    (MADE, WRITTEN_OFF, True, True),
    (replace(MADE, told=Told.MAYBE), NOTHING, False, False),
    (replace(MADE, told=Told.YES), NOTHING, False, False),
    (replace(MADE, told=Told.REFUSED), NOTHING, False, False),
    (replace(MADE, cancel=CancelState.OWED), NOTHING, True, True),
    (replace(MADE, cancel=CancelState.DONE), NOTHING, False, False),
    (replace(MADE, cancel=CancelState.NOT_FOUND), NOTHING, False, False),
    # A win
    (WIN, WIN_OWED, True, True),
    (replace(WIN, told=Told.REFUSED), NOTHING, False, False),
    (replace(WIN, told=Told.YES), NOTHING, False, False),
    (replace(WIN, movement=Movement.CONFIRMED), NOTHING, False, False),
    (replace(WIN, movement=Movement.REFUSED), NOTHING, False, False),
    (replace(WIN, cancel=CancelState.DONE), NOTHING, False, False),
    (replace(WIN, cancel=CancelState.OWED), NOTHING, True, True),
    (replace(WIN, movement_unresolved_since=5.0), WIN_OWED, True, True),
    # Calls of unknown outcome: zero is a time like any other
    (UNRESOLVED, NOTHING, True, True),
    (replace(UNRESOLVED, told=Told.YES), NOTHING, True, True),
    (replace(UNRESOLVED, cancel=CancelState.DONE), NOTHING, True, True),
    (replace(NEW, cancel=CancelState.OWED), NOTHING, True, True),
    (replace(NEW, cancel=CancelState.NOT_FOUND, cancel_unresolved=True), NOTHING, False, False),
    # Settled, but for people
    (replace(BET, for_human="refused 5 times"), NOTHING, False, True),
    (replace(NEW, cancel=CancelState.NOT_FOUND, rechecks_left=1), NOTHING, False, True),
    (replace(BET, movement=Movement.REFUSED, conflicts=3, tries=2), NOTHING, False, False),
]


@pytest.mark.parametrize(("row", "also", "is_open", "is_listed"), TABLE)
def test_what_a_row_is(row: Row, also: str, *, is_open: bool, is_listed: bool) -> None:
    assert (row.is_written_off, row.is_win_owed) == (also == WRITTEN_OFF, also == WIN_OWED)
    assert (row.is_open, row.is_listed) == (is_open, is_listed)
    assert row.is_unresolved is (row.movement_unresolved_since is not None)

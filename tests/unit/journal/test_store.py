"""The journal's file: what was written is found again, and one worker at a time has a turn."""

import subprocess
import sys
import time

import apsw
import pytest
from msgspec.structs import fields, replace
from tests.support.clock import FakeClock
from tests.unit.journal.stores import DAY, OPEN, REST, OpenStore, count, end, get, look, numbers, put, take, writes

from walletbridge.journal.port import Busy, Found
from walletbridge.journal.store import GRACE_SECONDS, Store
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told


@pytest.fixture(scope="module")
def dead_worker() -> str:
    """The name of a worker whose process has ended."""
    script = "from walletbridge.journal.turn_owner import worker_name; print(worker_name())"
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def test_what_a_transaction_did_is_undone_when_it_raises(store: Store) -> None:
    def write_and_fail() -> None:
        with store.transaction():
            store.look("test1234", "1", writes(REST, takes_turn=True), seconds=5.0, needs_round=False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()

    assert get(store) is None
    assert count(store, "turns") == 0
    put(store, REST)


def test_rows_are_by_transaction_and_account(store: Store) -> None:
    mine, theirs = REST, replace(REST, account="other", amount=7)
    put(store, mine)

    with store.transaction():
        found = store.note("other", "1", writes(theirs))

    assert (found.row, found.other) == (None, mine)
    assert (get(store, mine), get(store, theirs), count(store, "transactions")) == (mine, theirs, 2)
    with pytest.raises(apsw.ConstraintError, match="UNIQUE"):
        store._db.execute("UPDATE transactions SET account = 'other'")


def test_a_step_may_write_the_other_accounts_row(store: Store) -> None:
    put(store, REST)

    look(store, writes(replace(REST, conflicts=1)), account="other")

    assert get(store) == replace(REST, conflicts=1)
    assert count(store, "transactions") == 1


# Turns


def test_a_live_workers_turn_is_its_own_until_its_deadline_and_a_grace(
    store: Store, open_store: OpenStore, clock: FakeClock
) -> None:
    other = open_store()
    assert take(store)
    assert not take(other)

    clock.tick(5.0 + GRACE_SECONDS - 0.001)
    assert not take(other)

    clock.tick(0.001)
    assert take(other)
    assert not take(store)


def test_a_busy_look_neither_asks_the_step_nor_writes(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    assert take(store)

    assert look(other, writes(OPEN)) == Busy()

    assert get(store) is None


def test_a_dead_workers_turn_is_free_at_once(open_store: OpenStore, store: Store, dead_worker: str) -> None:
    assert take(open_store(dead_worker))

    assert take(store)


def test_ones_own_turn_is_not_busy(store: Store) -> None:
    assert take(store)
    assert take(store)


def test_a_turn_is_of_the_transaction_whoever_the_account_is(store: Store, open_store: OpenStore) -> None:
    assert take(store)

    assert look(open_store(), writes(None), account="other") == Busy()


def test_a_look_that_takes_no_turn_leaves_it_to_others(store: Store, open_store: OpenStore) -> None:
    look(store, writes(OPEN))

    assert take(open_store())


def test_other_transactions_have_other_turns(store: Store, open_store: OpenStore) -> None:
    assert take(store, "1")
    assert take(open_store(), "2")


def test_an_end_writes_and_gives_the_turn_back(store: Store, open_store: OpenStore) -> None:
    look(store, writes(OPEN, takes_turn=True))

    found = end(store, writes(REST))

    assert isinstance(found, Found)
    assert (found.row, get(store)) == (OPEN, REST)
    assert take(open_store())


def test_an_end_may_keep_the_turn(store: Store, open_store: OpenStore) -> None:
    assert take(store)

    end(store, writes(OPEN, takes_turn=True))

    assert get(store) == OPEN
    assert not take(open_store())
    assert isinstance(end(store, writes(REST)), Found)


def test_an_end_after_its_time_is_written_if_nobody_has_taken_over(store: Store, clock: FakeClock) -> None:
    assert take(store)
    clock.tick(60.0)

    assert isinstance(end(store, writes(OPEN)), Found)

    assert get(store) == OPEN


def test_an_end_writes_nothing_once_another_worker_has_taken_over(
    store: Store, open_store: OpenStore, clock: FakeClock
) -> None:
    other = open_store()
    look(store, writes(OPEN, takes_turn=True))
    clock.tick(60.0)
    assert take(other)

    assert end(store, writes(REST)) == Busy()
    assert get(store) == OPEN

    assert isinstance(end(other, writes(REST)), Found)
    assert end(store, writes(OPEN)) == Busy()
    assert get(store) == REST


def test_a_note_needs_no_turn_and_takes_none(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    assert take(store)

    with other.transaction():
        other.note("test1234", "1", writes(OPEN, takes_turn=True))

    assert get(store) == OPEN
    assert isinstance(end(store, writes(None)), Found)


# What is to be looked at


SILENT = replace(REST, kind=Kind.WIN, movement=Movement.CONFIRMED)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (REST, False),
        (OPEN, True),
        (replace(REST, call=Kind.BET), True),
        (replace(REST, movement=Movement.CONFIRMED, told=Told.MAYBE), True),
        (replace(REST, movement=Movement.CONFIRMED, told=Told.MAYBE, cancel=CancelState.DONE), False),
        # A win of which nobody may have heard, until it is known whether its round is void.
        (replace(SILENT, told=Told.MAYBE), True),
        (SILENT, True),
        (replace(SILENT, round_id=""), False),
        (replace(SILENT, round_cancelled=False), False),
        (replace(SILENT, round_cancelled=True), True),
        (replace(SILENT, told=Told.YES), False),
        (replace(REST, for_human="refused"), True),
        (replace(REST, cancel=CancelState.NOT_FOUND, rechecks_left=1), True),
    ],
)
def test_a_row_is_looked_at_as_long_as_it_is_not_at_rest(store: Store, row: Row, *, expected: bool) -> None:
    put(store, row)

    assert store.rows_to_look_at(after=0, limit=9) == ([(1, row)] if expected else [])
    assert [one.row for one in store.numbered(limit=9)] == ([row] if expected else [])

    put(store, replace(REST, movement=Movement.REFUSED))
    assert store.rows_to_look_at(after=0, limit=9) == []


def test_pages_come_in_order_and_end(store: Store) -> None:
    put(store, *(replace(OPEN if number % 2 else REST, trans_id=str(number)) for number in range(1, 12)))

    pages = [numbers(store.rows_to_look_at(after=after, limit=3)) for after in (0, 5, 11)]

    assert pages == [[1, 3, 5], [7, 9, 11], []]


def test_rows_whose_turn_is_held_are_left_out_and_others_fill_the_page(
    store: Store, open_store: OpenStore, clock: FakeClock, dead_worker: str
) -> None:
    put(store, *(replace(OPEN, trans_id=str(number)) for number in range(1, 7)))
    assert take(store, "1")
    assert take(open_store(), "2")
    assert take(open_store(dead_worker), "4")

    assert numbers(store.rows_to_look_at(after=0, limit=3)) == [3, 4, 5]

    clock.tick(5.0 + GRACE_SECONDS)
    assert numbers(store.rows_to_look_at(after=0, limit=3)) == [1, 2, 3]


def test_a_hundred_thousand_open_rows_are_gone_through_in_no_time(store: Store) -> None:
    put(store, OPEN)
    copied = ", ".join(
        ("needs_look", "created_wall", "updated_wall", *(f.name for f in fields(Row) if f.name != "trans_id"))
    )
    with store.transaction():
        store._db.execute(
            f"INSERT INTO transactions (trans_id, {copied})"  # noqa: S608 - names of ours
            " WITH RECURSIVE n (i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            f" SELECT i, {copied} FROM n, transactions WHERE trans_id = '1'"
        )
    began = time.thread_time()

    seen, after = 0, 0
    while page := store.rows_to_look_at(after=after, limit=500):
        seen, after = seen + len(page), page[-1][0]

    assert seen == 100_000
    assert time.thread_time() - began < 2.0


# Rounds

WIN = replace(REST, trans_id="2", kind=Kind.WIN)
CANCEL = replace(REST, trans_id="2", kind=None, cancel=CancelState.OWED)


@pytest.mark.parametrize(
    ("other", "around"),
    [
        (WIN, Round(has_win=True)),
        (replace(WIN, cancel=CancelState.DONE), Round(has_win=True)),
        (replace(WIN, account="other"), Round()),
        (replace(WIN, round_id="s"), Round()),
        (replace(REST, trans_id="2"), Round(has_standing_bet=True)),
        (replace(REST, trans_id="2", movement=Movement.REFUSED), Round()),
        (CANCEL, Round(has_cancelled_bet=True)),
        (replace(CANCEL, kind=Kind.BET, cancel=CancelState.NOT_FOUND), Round(has_cancelled_bet=True)),
        (replace(CANCEL, account="other"), Round()),
        (replace(CANCEL, round_id=""), Round()),
    ],
)
def test_what_else_came_of_a_round(store: Store, other: Row, around: Round) -> None:
    put(store, REST, other)

    found = look(store, writes(None))

    assert isinstance(found, Found)
    assert found.around == around


def _cancelled(store: Store, row: Row) -> bool | None:
    found = get(store, row)
    assert found is not None
    return found.round_cancelled


def test_the_cancel_of_a_bet_is_noted_in_the_wins_of_its_round(store: Store) -> None:
    """In the transaction that writes the intent, so no order of both escapes."""
    others = [replace(WIN, trans_id="4", round_id="s"), replace(WIN, trans_id="5", account="other")]
    wins = [WIN, replace(WIN, trans_id="3", movement=Movement.CONFIRMED)]
    put(store, REST, *wins, *others, replace(REST, trans_id="6"))

    with store.transaction():
        store.note(REST.account, REST.trans_id, writes(replace(REST, cancel=CancelState.OWED)))

    assert [_cancelled(store, row) for row in wins] == [True, True]
    assert [_cancelled(store, row) for row in (*others, replace(REST, trans_id="6"))] == [None, None, None]


@pytest.mark.parametrize(
    "changed",
    [
        replace(REST, movement=Movement.REFUSED),
        replace(REST, kind=Kind.WIN, cancel=CancelState.OWED),
        replace(REST, round_id="", cancel=CancelState.OWED),
    ],
)
def test_nothing_else_is_noted_in_the_wins_of_a_round(store: Store, changed: Row) -> None:
    put(store, replace(changed, cancel=CancelState.NONE), replace(WIN, trans_id="3", round_id=changed.round_id))
    with store.transaction():
        store.note(REST.account, REST.trans_id, writes(changed))

    assert _cancelled(store, replace(WIN, trans_id="3")) is None


def test_a_mere_cancel_of_another_account_makes_a_transaction_nobodys(store: Store) -> None:
    put(store, replace(CANCEL, trans_id="1", account="other"))
    found = look(store, writes(None))
    assert isinstance(found, Found)
    assert found.other is None

    put(store, replace(CANCEL, trans_id="1", account="another", kind=Kind.BET))
    found = look(store, writes(None))
    assert isinstance(found, Found)
    assert found.other is not None
    assert found.other.account == "another"


def test_both_a_win_and_a_cancelled_bet(store: Store) -> None:
    put(store, REST, WIN, replace(CANCEL, trans_id="3"))

    assert store.around(REST) == Round(has_win=True, has_cancelled_bet=True)


def test_a_row_is_not_around_itself(store: Store) -> None:
    put(store, replace(WIN, cancel=CancelState.OWED))

    assert store.around(WIN) == Round()


def test_an_unset_round_is_none(store: Store) -> None:
    bet, win, cancel = (replace(row, round_id="") for row in (REST, WIN, replace(CANCEL, trans_id="3")))
    put(store, bet, win, cancel)

    assert store.around(bet) == Round()


# Pruning


def age(store: Store, *trans_ids: str, days: float) -> None:
    store._db.executemany(
        "UPDATE transactions SET updated_running = ? WHERE trans_id = ?",
        [(int(store._running.seconds() - days * DAY), trans_id) for trans_id in trans_ids],
    )


def prune(store: Store, after: int = 0, *, limit: int = 100) -> int:
    with store.transaction():
        return store.prune(keep_days=30, after=after, limit=limit)


def test_only_old_rows_at_rest_are_deleted(store: Store) -> None:
    put(store, *(replace(REST, trans_id=trans_id) for trans_id in ("old", "young")))
    put(store, *(replace(OPEN, trans_id=trans_id) for trans_id in ("old and open", "young and open")))
    put(store, replace(REST, trans_id="old and for a person", for_human="refused"))
    age(store, "old", "old and open", "old and for a person", days=30.1)
    age(store, "young", "young and open", days=29.9)

    assert prune(store) == 0

    left = [trans_id for (trans_id,) in store._db.execute("SELECT trans_id FROM transactions ORDER BY id")]
    assert left == ["young", "old and open", "young and open", "old and for a person"]


def test_pruning_goes_page_by_page(store: Store) -> None:
    names = [str(number) for number in range(1, 8)]
    put(store, *(replace(REST, trans_id=name) for name in names))
    age(store, *names, days=31)

    steps = [(prune(store, after, limit=3), count(store, "transactions")) for after in (0, 3, 6)]

    assert steps == [(3, 4), (6, 1), (0, 0)]


def test_a_repeat_makes_a_row_young_again(store: Store) -> None:
    put(store, REST)
    age(store, "1", days=31)
    look(store, writes(REST))

    prune(store)

    assert get(store) == REST


def test_turns_that_nobody_gave_back_are_forgotten_after_a_day(store: Store, clock: FakeClock) -> None:
    assert take(store, "1")
    clock.tick(DAY)
    assert take(store, "2")
    prune(store)
    assert count(store, "turns") == 2

    clock.tick(6.0)
    prune(store)
    assert count(store, "turns") == 1


def test_clear_forgets_everything(store: Store) -> None:
    look(store, writes(OPEN, takes_turn=True))

    store.clear()

    assert (count(store, "transactions"), count(store, "turns")) == (0, 0)


def test_there_is_no_row_of_an_unknown_number(store: Store) -> None:
    assert store.numbered_row(1) is None

"""A row comes back from its table as it was."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace
from tests.unit.journal.stores import REST, get, put

from walletbridge.journal.columns import needs_look
from walletbridge.journal.store import Store
from walletbridge.protocol.outcomes import Result
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

TIMES = st.floats(allow_nan=False, allow_infinity=False)
INT64 = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**31)
ROWS = st.builds(
    Row,
    account=st.just("test1234"),
    trans_id=st.just("1"),
    kind=st.none() | st.sampled_from([Kind.BET, Kind.WIN]),
    amount=st.none() | INT64,
    round_id=st.text(),
    request=st.text(),
    movement=st.sampled_from(Movement),
    movement_unresolved_since=st.none() | TIMES,
    cancel=st.sampled_from(CancelState),
    cancel_by_provider=st.booleans(),
    cancel_unresolved=st.booleans(),
    call=st.none() | st.sampled_from(Kind),
    call_ends_at=TIMES,
    result=st.none() | st.sampled_from(Result),
    balance=st.none() | INT64,
    told=st.sampled_from(Told),
    told_at=st.none() | TIMES,
    status_said_ok=st.booleans(),
    tries=COUNTS,
    sends=COUNTS,
    next_try_at=st.none() | TIMES,
    rechecks_left=COUNTS,
    for_human=st.text(),
    conflicts=COUNTS,
    created_at=TIMES,
)


def assert_same(found: Row | None, row: Row) -> None:
    """Equal, and of the same types: `1 == True == Kind(1)`."""
    assert found == row
    for field in fields(Row):
        assert type(getattr(found, field.name)) is type(getattr(row, field.name)), field.name


def test_a_row_and_what_it_becomes_come_back_as_they_were(store: Store) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(ROWS, ROWS)
    def check(first: Row, second: Row) -> None:
        for row in (first, second):
            put(store, row)
            assert_same(get(store), row)
            assert bool(store._db.execute("SELECT needs_look FROM transactions").get) is needs_look(row)
        with store.transaction():
            store.clear()

    check()


@pytest.mark.parametrize("name", ["a\0b", "Größe \U0001f415", "'; DROP TABLE transactions; --", "0x1", "1.0", " 1"])
def test_ids_and_accounts_are_any_text(store: Store, name: str) -> None:
    row = replace(REST, account=name, trans_id=name)

    put(store, REST, row)

    assert (get(store, row), get(store)) == (row, REST)


def test_a_changed_row_keeps_its_number_and_the_time_when_it_came(store: Store) -> None:
    put(store, REST)
    store._db.execute("UPDATE transactions SET created_wall = 1, updated_wall = 2")
    before = time.time()

    put(store, replace(REST, balance=5, told=Told.YES))

    found = store.numbered_row(1)
    assert found is not None
    assert (found.number, found.created_wall, found.row) == (1, 1, replace(REST, balance=5, told=Told.YES))
    assert found.updated_wall >= int(before)

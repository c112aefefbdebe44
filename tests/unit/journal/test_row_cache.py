"""What a connection knows of the file: never more than the file says, and no statement twice that was made before."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.journal.stores import REST, OpenStore, count, get, look, put, take, writes

from walletbridge.journal import row_cache
from walletbridge.journal.port import Busy
from walletbridge.journal.store import Store
from walletbridge.rules.row import Row

ACCOUNTS = ("test1234", "other")
TRANSACTIONS = ("1", "2", "3")


def row(trans_id: str, amount: int = 100, *, account: str = "test1234") -> Row:
    return replace(REST, account=account, trans_id=trans_id, amount=amount)


@contextmanager
def traced(store: Store) -> Iterator[list[str]]:
    """The statements that are made meanwhile, without what begins and ends a transaction."""
    statements: list[str] = []

    def see(_: apsw.Cursor, statement: str, __: object) -> bool:
        statements.append(statement)
        return True

    store._db.exec_trace = see
    yield statements
    store._db.exec_trace = None
    around = ("BEGIN", "PRAGMA", "COMMIT")
    statements[:] = [statement.split(" ", 1)[0] for statement in statements if not statement.startswith(around)]


def write_all(store: Store, *rows: Row) -> None:
    """In one transaction, of which the store is told before."""
    with store.transaction():
        store.expect([row.trans_id for row in rows])
        for row in rows:
            store.note(row.account, row.trans_id, writes(row))


def test_what_this_connection_has_written_or_read_is_not_read_again(store: Store) -> None:
    put(store, REST)

    with traced(store) as statements:
        assert get(store) == REST

    assert statements == []


def test_that_there_is_nothing_is_known_as_well(store: Store) -> None:
    assert get(store) is None

    with traced(store) as statements:
        assert get(store) is None

    assert statements == []


def test_what_another_connection_has_written_is_read(store: Store, open_store: OpenStore) -> None:
    put(store, REST)
    other = open_store()

    put(other, replace(REST, balance=7))
    assert take(other)

    assert get(store) == replace(REST, balance=7)
    assert not take(store)


def test_what_another_connection_has_only_read_changes_nothing(store: Store, open_store: OpenStore) -> None:
    put(store, REST)
    get(open_store())

    with traced(store) as statements:
        get(store)

    assert statements == []


def test_what_was_undone_is_not_known(store: Store) -> None:
    put(store, REST)

    def write_and_fail() -> None:
        with store.transaction():
            store.note("test1234", "1", writes(replace(REST, balance=7)))
            store.look("test1234", "1", writes(None, takes_turn=True), seconds=5.0, needs_round=False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()

    assert get(store) == REST
    assert count(store, "turns") == 0


def test_a_batch_reads_all_that_it_is_about_at_once_and_writes_it_at_once(store: Store) -> None:
    with traced(store) as statements:
        write_all(store, *[row(str(number)) for number in range(8)])

    assert statements == ["SELECT", "SELECT", "INSERT", "UPDATE"]
    assert count(store, "transactions") == 8


@pytest.mark.parametrize(("rows", "statements"), [(1, 1), (5, 1), (32, 1), (33, 2), (200, 7)])
def test_a_statement_is_of_so_many_rows_at_most(store: Store, rows: int, statements: int) -> None:
    with traced(store) as made:
        write_all(store, *[row(str(number)) for number in range(rows)])

    assert made.count("INSERT") == statements
    assert count(store, "transactions") == rows


def test_rows_are_numbered_in_the_order_in_which_they_came(store: Store) -> None:
    write_all(store, row("b"), row("a"), row("c"))

    ids = [trans_id for (trans_id,) in store._db.execute("SELECT trans_id FROM transactions ORDER BY id")]
    assert ids == ["b", "a", "c"]


def test_a_turn_that_is_taken_and_given_back_at_once_leaves_nothing(store: Store) -> None:
    with traced(store) as statements, store.transaction():
        store.look("test1234", "1", writes(REST, takes_turn=True), seconds=5.0, needs_round=False)
        store.end("test1234", "1", writes(None))

    assert "REPLACE" not in " ".join(statements)
    assert count(store, "turns") == 0


def test_whoever_reads_in_the_same_transaction_sees_what_is_to_be_written(store: Store) -> None:
    is_open = replace(REST, movement_unresolved_since=900.0)

    with store.transaction():
        store.note("test1234", "1", writes(is_open))

        assert [found for _, found in store.rows_to_look_at(after=0, limit=10)] == [is_open]
        assert [one.row for one in store.numbered(limit=10)] == [is_open]


def test_what_is_deleted_is_not_known_any_more(store: Store) -> None:
    put(store, REST)

    with store.transaction():
        store.clear()

    assert get(store) is None


def test_what_does_not_fit_is_read_again_after_it_was_written(
    monkeypatch: pytest.MonkeyPatch, open_store: OpenStore
) -> None:
    monkeypatch.setattr(row_cache, "TRANSACTIONS_MAX", 2)
    store = open_store()

    with store.transaction():
        for number in range(5):
            store.note("test1234", str(number), writes(row(str(number))))
        assert store.note("test1234", "0", writes(None)).row == row("0")

    assert [get(store, row(str(number))) for number in range(5)] == [row(str(number)) for number in range(5)]


def test_two_connections_in_turns_always_know_what_the_file_says(open_store: OpenStore) -> None:
    """Whatever they write, undo, and leave to each other, is found as a plain dictionary has it."""
    stores = [open_store(), open_store()]
    written = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(TRANSACTIONS), st.integers(0, 9))
    batch = st.tuples(st.integers(0, 1), st.lists(written, max_size=5), st.booleans())

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(batch, max_size=8))
    def check(batches: list[tuple[int, list[tuple[str, str, int]], bool]]) -> None:
        model: dict[tuple[str, str], Row] = {}
        for number, rows, is_undone in batches:
            _play(stores[number], rows, model, is_undone=is_undone)
        for account in ACCOUNTS:
            for trans_id in TRANSACTIONS:
                expected = model.get((account, trans_id))
                assert [get(store, row(trans_id, account=account)) for store in stores] == [expected] * 2
        with stores[0].transaction():
            stores[0].clear()

    check()


def _play(
    store: Store, rows: list[tuple[str, str, int]], model: dict[tuple[str, str], Row], *, is_undone: bool
) -> None:
    after = dict(model)

    def write() -> None:
        with store.transaction():
            for account, trans_id, amount in rows:
                found = store.note(account, trans_id, writes(row(trans_id, amount, account=account)))
                assert found.row == after.get((account, trans_id))
                after[account, trans_id] = row(trans_id, amount, account=account)
            if is_undone:
                raise RuntimeError

    if is_undone:
        with pytest.raises(RuntimeError):
            write()
    else:
        write()
        model.update(after)


def test_a_look_at_a_turn_of_somebody_else_is_busy_also_when_it_is_known(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    assert take(other)

    assert isinstance(look(store, writes(None)), Busy)
    with traced(store) as statements:
        assert isinstance(look(store, writes(None)), Busy)

    assert statements == []

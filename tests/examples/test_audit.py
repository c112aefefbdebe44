"""What an example wallet's books say of each transaction."""

from tests.examples.audit import Named, entries_of, sums
from tests.examples.books import Entry as Booked
from tests.examples.service import Movement
from tests.money.faults.books import Entry


def named(trans_id: str, kind: str, delta: int, *, is_past: bool = False) -> Named:
    booked = Booked(1, "ann", "any", "any", delta, 0, is_undone=False, is_past=is_past, time_ms=2500)
    return Movement(trans_id, kind), booked


def test_a_bet_and_its_cancel_are_one_transaction() -> None:
    entries, wrong = entries_of([named("1", "bet", -10), named("2", "win", 5), named("1", "cancel", 10)])

    assert wrong == []
    assert entries == {
        "1": Entry("ann", "bet", 10, cancelled=True, moved={"bet": (-10, 2.5), "cancel": (10, 2.5)}),
        "2": Entry("ann", "win", 5, cancelled=False, moved={"win": (5, 2.5)}),
    }


def test_what_moves_twice_is_found() -> None:
    _, wrong = entries_of([named("1", "bet", -10), named("1", "bet", -10), named("2", "win", 1), named("2", "bet", -1)])

    assert wrong == [
        ("1", "it moved money twice, as bet and as bet"),
        ("2", "it moved money twice, as win and as bet"),
    ]


def test_a_cancel_that_moves_twice_or_too_early_is_found() -> None:
    cancel = named("1", "cancel", 10)
    _, wrong = entries_of([cancel, named("1", "bet", -10), cancel, cancel])

    assert wrong == [("1", "its cancel moved money before it did"), ("1", "its cancel moved money twice")]


def test_seed_and_movements_make_the_balance() -> None:
    booked = [named("1", "bet", -10)[1], named("2", "bet", -99, is_past=True)[1]]

    assert list(sums({"ann": (90, 100), "bob": (5, 5)}, booked)) == []
    assert list(sums({"ann": (91, 100)}, booked)) == [("ann", "100 and -10 are not 91")]

"""The books behind the example wallets."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.examples.books import Books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Ann has 100 minor units."""
    books = Books(tmp_path / "wallet.db", clock=lambda: 12.5)
    books.add_player("ann", 100)
    yield books
    books.close()


def move(books: Books, reference: str, kind: str, delta: int) -> None:
    with books.step():
        player = books.player("ann")
        assert player is not None
        books.post(player, reference, kind, delta)


def test_they_move_money_as_often_as_they_are_told(books: Books) -> None:
    move(books, "1", "bet", -10)
    move(books, "1", "bet", -10)

    assert books.balances() == {"ann": (80, 100)}
    assert [(entry.reference, entry.kind, entry.delta, entry.balance) for entry in books.entries()] == [
        ("1", "bet", -10, 90),
        ("1", "bet", -10, 80),
    ]
    assert {entry.time_ms for entry in books.entries()} == {12_500}


def test_what_is_undone_moves_back_and_is_marked(books: Books) -> None:
    move(books, "1", "bet", -10)
    with books.step():
        entry, player = books.find("1"), books.player("ann")
        assert entry is not None
        assert player is not None
        books.undo(entry, player)

    assert books.balances() == {"ann": (100, 100)}
    assert [(entry.kind, entry.is_undone) for entry in books.entries()] == [("bet", True), ("cancel", False)]


def test_the_past_moves_nothing(books: Books) -> None:
    books.add_past("ann", "1", "bet", -10, is_undone=True)

    assert books.balances() == {"ann": (100, 100)}
    assert [(entry.is_past, entry.is_undone) for entry in books.entries()] == [(True, True)]


def test_an_entry_is_found_by_reference_and_kind(books: Books) -> None:
    move(books, "1", "bet", -10)
    with books.step():
        assert books.find("2") is None
        assert books.find("1", "win") is None
        assert books.find("1", "win", "bet") == books.find("1")


def test_a_step_is_all_or_nothing(books: Books) -> None:
    def fail() -> None:
        with books.step():
            player = books.player("ann")
            assert player is not None
            books.post(player, "1", "bet", -10)
            raise sqlite3.Error

    with pytest.raises(sqlite3.Error):
        fail()

    assert (books.balances(), books.entries()) == ({"ann": (100, 100)}, [])


def test_a_player_is_known_by_a_number_above_32_bits(books: Books) -> None:
    player = books.player_now("ann")

    assert player is not None
    assert player.id > 2**32
    with books.step():
        assert books.player_of_id(player.id) == player


def test_a_second_balance_counts_as_seed(books: Books) -> None:
    move(books, "1", "bet", -10)
    books.add_player("ann", 500, active=False)

    assert books.balances() == {"ann": (500, 510)}
    player = books.player_now("ann")
    assert player is not None
    assert not player.active


def test_the_demo_players_are_added_once(books: Books) -> None:
    books.add_player("test1234", 1)
    books.seed_demo_players()

    assert books.balances()["test1234"] == (1, 1)
    assert books.balances()["anna01"] == (25_000, 25_000)


def test_nothing_is_left_after_clear(books: Books) -> None:
    move(books, "1", "bet", -10)
    with books.step():
        books.refuse_from_now_on("2")
        assert books.is_refused("2")
    books.clear()

    assert (books.balances(), books.entries()) == ({}, [])
    with books.step():
        assert not books.is_refused("2")

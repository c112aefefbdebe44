"""The demo wallet's ledger: every promise of `wallet.v1`, on a real SQLite file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.demo.conftest import NOW, Clock

from walletbridge.demo.first_refusal import UnknownCheck
from walletbridge.demo.ledger import Ledger
from walletbridge.protocol.money import INT64_MAX
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState

INT64_MIN = -(2**63)

OF_BALANCE = (21, 22)
OF_BET = (21, 22, 41, 31)
OF_WIN = (21, 22, 41)
OF_CANCEL = (21, 22, 42)
OF_STATUS = (21, 42)


def balance(ledger: Ledger, account: str = "ann") -> int:
    found = ledger.get_balance(account, ()).balance
    assert found is not None
    return found


def movements(ledger: Ledger) -> list[tuple[str, str, int, int]]:
    """Trans_id, kind, delta and balance after of every movement."""
    rows = ledger.dump()["movements"]
    return [(row["trans_id"], row["kind"], row["delta_minor"], row["balance_minor"]) for row in rows]


def assert_sound(ledger: Ledger) -> None:
    """Nothing moved twice: seed and deltas add up to each balance, along the way too."""
    dump = ledger.dump()
    for player in dump["players"]:
        running = player["seed_minor"]
        for row in dump["movements"]:
            if row["account"] == player["account"]:
                running += row["delta_minor"]
                assert running == row["balance_minor"]
        assert running == player["balance_minor"]
    kinds = [(row["trans_id"], row["kind"]) for row in dump["movements"]]
    assert len(kinds) == len(set(kinds))


# Authenticate, GetBalance


@pytest.mark.parametrize("operation", [Ledger.authenticate, Ledger.get_balance])
@pytest.mark.parametrize(
    ("account", "checks", "outcome"),
    [
        ("ann", (21,), Outcome(Result.OK, 100)),
        ("ann", (21, 22), Outcome(Result.OK, 100)),
        ("ann", (), Outcome(Result.OK, 100)),
        ("ina", (21,), Outcome(Result.OK, 100)),
        ("ina", (21, 22), Outcome(Result.PLAYER_INACTIVE, 100)),
        ("eve", (21, 22), Outcome(Result.PLAYER_NOT_FOUND)),
        ("", (21,), Outcome(Result.PLAYER_NOT_FOUND)),
        # The player must exist, whatever is asked.
        ("eve", (22,), Outcome(Result.PLAYER_NOT_FOUND)),
        ("eve", (), Outcome(Result.PLAYER_NOT_FOUND)),
        # An account is taken to the letter.
        ("ANN", (21,), Outcome(Result.PLAYER_NOT_FOUND)),
    ],
)
def test_reads_of_the_balance(
    ledger: Ledger,
    operation: Callable[[Ledger, str, tuple[int, ...]], Outcome],
    account: str,
    checks: tuple[int, ...],
    outcome: Outcome,
) -> None:
    before = ledger.dump()

    assert operation(ledger, account, checks) == outcome
    assert ledger.dump() == before


@pytest.mark.parametrize("checks", [(77,), (21, 0), (31,), (41,), (42,)])
@pytest.mark.parametrize("operation", [Ledger.authenticate, Ledger.get_balance])
def test_a_read_has_no_outcome_for_a_check_that_it_does_not_know(
    ledger: Ledger, operation: Callable[[Ledger, str, tuple[int, ...]], Outcome], checks: tuple[int, ...]
) -> None:
    with pytest.raises(UnknownCheck, match="expected checks among 21, 22"):
        operation(ledger, "ann", checks)

    assert operation(ledger, "eve", (21, *checks)).result is Result.PLAYER_NOT_FOUND


# PlaceBet


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (("ann", OF_BET, "new", 30), Outcome(Result.OK, 70)),
        (("ann", (), "new", 30), Outcome(Result.OK, 70)),
        # The whole balance, and one unit more.
        (("ann", OF_BET, "new", 100), Outcome(Result.OK, 0)),
        (("ann", OF_BET, "new", 101), Outcome(Result.BALANCE_INSUFFICIENT, 100)),
        (("ann", OF_BET, "new", INT64_MAX), Outcome(Result.BALANCE_INSUFFICIENT, 100)),
        # Never below zero, whatever is asked.
        (("ann", (21, 22, 41), "new", 101), Outcome(Result.BALANCE_INSUFFICIENT, 100)),
        # Zero is recorded like any other.
        (("ann", OF_BET, "new", 0), Outcome(Result.OK, 100)),
        (("ina", OF_BET, "new", 30), Outcome(Result.PLAYER_INACTIVE, 100)),
        (("ina", (21, 41, 31), "new", 30), Outcome(Result.OK, 70)),
        (("eve", OF_BET, "new", 30), Outcome(Result.PLAYER_NOT_FOUND)),
        (("eve", (), "new", 30), Outcome(Result.PLAYER_NOT_FOUND)),
        # Once only, whatever is asked, and whatever came before under this name.
        (("ann", OF_BET, "bet", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", (), "bet", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", OF_BET, "bet", 10_000), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", OF_BET, "win", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", OF_BET, "canceled", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        # Another account's transaction, with the balance of the one that asks.
        (("bob", OF_BET, "bet", 10), Outcome(Result.ALREADY_PROCESSED, 50)),
        # The order decides.
        (("ann", (31, 41), "bet", 10_000), Outcome(Result.BALANCE_INSUFFICIENT, 100)),
        (("ann", (21, 77, 41), "bet", 10), Outcome(Result.FAILED, 100)),
        (("ann", (77,), "new", 10), Outcome(Result.FAILED, 100)),
        (("ann", (42,), "new", 10), Outcome(Result.FAILED, 100)),
        (("eve", (21, 77), "new", 10), Outcome(Result.PLAYER_NOT_FOUND)),
        # Out of contract.
        (("ann", OF_BET, "new", -1), Outcome(Result.FAILED, 100)),
        (("ann", OF_BET, "", 10), Outcome(Result.FAILED, 100)),
        (("ann", OF_BET, "x" * 64, 10), Outcome(Result.OK, 90)),
        (("ann", OF_BET, "x" * 65, 10), Outcome(Result.FAILED, 100)),
    ],
)
def test_bets(ledger: Ledger, call: tuple[str, tuple[int, ...], str, int], outcome: Outcome) -> None:
    ledger.add_transaction("bet", "ann", "bet", 10)
    ledger.add_transaction("win", "ann", "win", 10)
    ledger.add_transaction("canceled", "ann", "bet", 10, canceled=True)
    before = ledger.dump()

    assert ledger.place_bet(*call) == outcome
    assert (ledger.dump() == before) is (outcome.result is not Result.OK)
    assert_sound(ledger)


def test_a_bet_is_kept_with_its_movement(ledger: Ledger) -> None:
    ledger.place_bet("ann", OF_BET, "b1", 30)

    dump = ledger.dump()
    assert dump["transactions"] == [
        {"trans_id": "b1", "account": "ann", "kind": "bet", "amount_minor": 30, "canceled": 0}
    ]
    assert dump["movements"] == [
        {
            "id": 1,
            "account": "ann",
            "trans_id": "b1",
            "kind": "bet",
            "delta_minor": -30,
            "balance_minor": 70,
            "time_ms": NOW * 1000,
        }
    ]
    assert dump["players"][0] == {"account": "ann", "seed_minor": 100, "balance_minor": 70, "active": 1}


# SettleWin


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (("ann", OF_WIN, "new", 30), Outcome(Result.OK, 130)),
        (("ann", (), "new", 30), Outcome(Result.OK, 130)),
        (("ann", OF_WIN, "new", 0), Outcome(Result.OK, 100)),
        (("ina", OF_WIN, "new", 30), Outcome(Result.PLAYER_INACTIVE, 100)),
        (("ina", (21, 41), "new", 30), Outcome(Result.OK, 130)),
        (("eve", (), "new", 30), Outcome(Result.PLAYER_NOT_FOUND)),
        (("ann", OF_WIN, "win", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", (21, 22), "win", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", OF_WIN, "bet", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("ann", OF_WIN, "canceled", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
        (("bob", OF_WIN, "win", 10), Outcome(Result.ALREADY_PROCESSED, 50)),
        # As much as 64 bits hold, and one unit more.
        (("ann", OF_WIN, "new", INT64_MAX - 100), Outcome(Result.OK, INT64_MAX)),
        (("ann", OF_WIN, "new", INT64_MAX - 99), Outcome(Result.FAILED, 100)),
        (("ann", OF_WIN, "new", -1), Outcome(Result.FAILED, 100)),
        (("ann", OF_WIN, "", 10), Outcome(Result.FAILED, 100)),
        # A win has no stake that a balance could cover.
        (("ann", (21, 31), "new", 10), Outcome(Result.FAILED, 100)),
        (("ann", (42,), "new", 10), Outcome(Result.FAILED, 100)),
        (("ann", (41, 77), "win", 10), Outcome(Result.ALREADY_PROCESSED, 100)),
    ],
)
def test_wins(ledger: Ledger, call: tuple[str, tuple[int, ...], str, int], outcome: Outcome) -> None:
    ledger.add_transaction("win", "ann", "win", 10)
    ledger.add_transaction("bet", "ann", "bet", 10)
    ledger.add_transaction("canceled", "ann", "win", 10, canceled=True)
    before = ledger.dump()

    assert ledger.settle_win(*call) == outcome
    assert (ledger.dump() == before) is (outcome.result is not Result.OK)
    assert_sound(ledger)


@pytest.mark.parametrize("kind", ["bet", "win"])
@pytest.mark.parametrize(
    ("requested_at", "result"),
    [
        (None, Result.OK),
        (NOW + 3600, Result.OK),
        (NOW - 60, Result.OK),
        (NOW - 61, Result.FAILED),
        (-(2**62), Result.FAILED),
    ],
)
def test_a_movement_long_past_is_refused(tmp_path: Path, kind: str, requested_at: int | None, result: Result) -> None:
    ledger = Ledger(tmp_path / "wallet.db", late_after_seconds=60, clock=Clock())
    ledger.add_player("ann", 100)
    operation = ledger.place_bet if kind == "bet" else ledger.settle_win

    assert operation("ann", OF_WIN, "t1", 10, requested_at).result is result
    assert len(ledger.dump()["movements"]) == (result is Result.OK)
    ledger.close()


def test_a_late_repeat_is_still_known_as_one(tmp_path: Path) -> None:
    clock = Clock()
    ledger = Ledger(tmp_path / "wallet.db", late_after_seconds=60, clock=clock)
    ledger.add_player("ann", 100)
    ledger.settle_win("ann", OF_WIN, "w1", 10, NOW)
    clock.now += 3600

    assert ledger.settle_win("ann", (), "w1", 10, NOW) == Outcome(Result.ALREADY_PROCESSED, 110)
    ledger.close()


def test_without_a_limit_nothing_is_late(ledger: Ledger) -> None:
    assert ledger.place_bet("ann", OF_BET, "b1", 10, 0).result is Result.OK


# CancelTransaction


@pytest.mark.parametrize(
    ("account", "checks", "trans_id", "outcome"),
    [
        ("ann", OF_CANCEL, "bet", Outcome(Result.OK, 110)),
        ("ann", (), "bet", Outcome(Result.OK, 110)),
        ("ann", OF_CANCEL, "win", Outcome(Result.OK, 90)),
        # Taking back a win may leave the balance below zero.
        ("ann", OF_CANCEL, "big win", Outcome(Result.OK, -900)),
        ("ann", OF_CANCEL, "zero", Outcome(Result.OK, 100)),
        ("ina", OF_CANCEL, "bet of ina", Outcome(Result.PLAYER_INACTIVE, 100)),
        ("ina", (21, 42), "bet of ina", Outcome(Result.OK, 110)),
        # Another account's transaction is not known to this one.
        ("bob", OF_CANCEL, "bet", Outcome(Result.TRANSACTION_NOT_FOUND, 50)),
        ("bob", (21,), "bet", Outcome(Result.TRANSACTION_NOT_FOUND, 50)),
        ("eve", OF_CANCEL, "bet", Outcome(Result.PLAYER_NOT_FOUND)),
        ("eve", (), "bet", Outcome(Result.PLAYER_NOT_FOUND)),
        ("ann", (77, 42), "bet", Outcome(Result.FAILED, 100)),
        ("ann", (41,), "bet", Outcome(Result.FAILED, 100)),
        ("ann", (31,), "bet", Outcome(Result.FAILED, 100)),
    ],
)
def test_cancels(ledger: Ledger, account: str, checks: tuple[int, ...], trans_id: str, outcome: Outcome) -> None:
    ledger.add_transaction("bet", "ann", "bet", 10)
    ledger.add_transaction("win", "ann", "win", 10)
    ledger.add_transaction("big win", "ann", "win", 1000)
    ledger.add_transaction("zero", "ann", "win", 0)
    ledger.add_transaction("bet of ina", "ina", "bet", 10)
    before = ledger.dump()

    assert ledger.cancel_transaction(account, checks, trans_id) == outcome
    assert (ledger.dump() == before) is (outcome.result is not Result.OK)
    assert_sound(ledger)


@pytest.mark.parametrize(
    ("kind", "amount", "moved"),
    [
        ("bet", 30, [("t1", "bet", -30, 70), ("t1", "cancel", 30, 100)]),
        ("win", 30, [("t1", "win", 30, 130), ("t1", "cancel", -30, 100)]),
        ("win", 0, [("t1", "win", 0, 100), ("t1", "cancel", 0, 100)]),
    ],
)
def test_a_cancel_moves_back_once_and_for_all(
    ledger: Ledger, kind: str, amount: int, moved: list[tuple[str, str, int, int]]
) -> None:
    operation = ledger.place_bet if kind == "bet" else ledger.settle_win
    operation("ann", OF_WIN, "t1", amount)

    assert [ledger.cancel_transaction("ann", OF_CANCEL, "t1") for _ in range(3)] == [Outcome(Result.OK, 100)] * 3
    assert operation("ann", OF_WIN, "t1", amount) == Outcome(Result.ALREADY_PROCESSED, 100)
    assert operation("ann", (), "t1", amount) == Outcome(Result.ALREADY_PROCESSED, 100)
    assert movements(ledger) == moved


@pytest.mark.parametrize(
    ("kind", "balance_minor"),
    [("bet", INT64_MAX - 9), ("win", INT64_MIN + 9)],
)
def test_a_cancel_that_64_bits_cannot_hold_fails_and_can_be_made_later(
    ledger: Ledger, kind: str, balance_minor: int
) -> None:
    ledger.add_player("max", balance_minor)
    ledger.add_transaction("t1", "max", kind, 10)
    before = ledger.dump()

    assert ledger.cancel_transaction("max", OF_CANCEL, "t1") == Outcome(Result.FAILED, balance_minor)
    assert ledger.dump() == before

    ledger.add_player("max", 0)
    assert ledger.cancel_transaction("max", OF_CANCEL, "t1").result is Result.OK


@pytest.mark.parametrize("checks", [OF_CANCEL, (21, 22), (42,), (42, 77), ()])
def test_the_cancel_of_an_unknown_transaction_is_remembered(ledger: Ledger, checks: tuple[int, ...]) -> None:
    not_found = Outcome(Result.TRANSACTION_NOT_FOUND, 100)

    assert [ledger.cancel_transaction("ann", checks, "t1") for _ in range(2)] == [not_found] * 2
    assert ledger.place_bet("ann", OF_BET, "t1", 10) == Outcome(Result.FAILED, 100)
    assert ledger.place_bet("ann", (), "t1", 10) == Outcome(Result.FAILED, 100)
    assert ledger.settle_win("ann", OF_WIN, "t1", 10) == Outcome(Result.FAILED, 100)
    # Refused bets make it no better known, and a `trans_id` is one transaction, whoever sends it.
    assert ledger.cancel_transaction("ann", checks, "t1") == not_found
    assert ledger.get_transaction_status("ann", OF_STATUS, "t1") == not_found
    assert ledger.place_bet("bob", OF_BET, "t1", 10) == Outcome(Result.FAILED, 50)
    assert ledger.place_bet("ann", OF_BET, "t2", 10) == Outcome(Result.OK, 90)
    assert [row["trans_id"] for row in ledger.dump()["early_cancels"]] == ["t1"]


@pytest.mark.parametrize(
    ("account", "checks", "result"),
    [
        ("eve", OF_CANCEL, Result.PLAYER_NOT_FOUND),
        ("ina", OF_CANCEL, Result.PLAYER_INACTIVE),
        ("ann", (77, 42), Result.FAILED),
    ],
)
def test_a_cancel_that_failed_earlier_is_not_remembered(
    ledger: Ledger, account: str, checks: tuple[int, ...], result: Result
) -> None:
    assert ledger.cancel_transaction(account, checks, "t1").result is result
    assert ledger.dump()["early_cancels"] == []
    assert ledger.place_bet("ann", OF_BET, "t1", 10).result is Result.OK


def test_the_order_decides_whether_the_cancel_of_an_inactive_player_is_remembered(ledger: Ledger) -> None:
    assert ledger.cancel_transaction("ina", (42, 22), "t1") == Outcome(Result.TRANSACTION_NOT_FOUND, 100)
    assert ledger.settle_win("ina", (21, 41), "t1", 10) == Outcome(Result.FAILED, 100)


def test_a_wallet_may_forget_cancels(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "wallet.db", remembers_cancels=False)
    ledger.add_player("ann", 100)

    assert ledger.cancel_transaction("ann", OF_CANCEL, "t1") == Outcome(Result.TRANSACTION_NOT_FOUND, 100)
    assert ledger.place_bet("ann", OF_BET, "t1", 10) == Outcome(Result.OK, 90)
    assert ledger.cancel_transaction("ann", OF_CANCEL, "t1") == Outcome(Result.OK, 100)
    ledger.close()


def test_a_bet_of_an_overdrawn_player_is_refused(ledger: Ledger) -> None:
    ledger.settle_win("ann", OF_WIN, "w1", 50)
    ledger.place_bet("ann", OF_BET, "b1", 150)
    assert ledger.cancel_transaction("ann", OF_CANCEL, "w1") == Outcome(Result.OK, -50)

    assert ledger.place_bet("ann", (), "b2", 1) == Outcome(Result.BALANCE_INSUFFICIENT, -50)
    assert ledger.settle_win("ann", OF_WIN, "w2", 60) == Outcome(Result.OK, 10)
    assert_sound(ledger)


# GetTransactionStatus


@pytest.mark.parametrize(
    ("account", "checks", "trans_id", "outcome"),
    [
        ("ann", OF_STATUS, "bet", Outcome(Result.OK, 100, TransactionState.OK)),
        ("ann", (), "win", Outcome(Result.OK, 100, TransactionState.OK)),
        ("ann", OF_STATUS, "canceled", Outcome(Result.OK, 100, TransactionState.CANCELED)),
        ("ann", OF_STATUS, "new", Outcome(Result.TRANSACTION_NOT_FOUND, 100)),
        ("ann", (21,), "new", Outcome(Result.TRANSACTION_NOT_FOUND, 100)),
        ("bob", OF_STATUS, "bet", Outcome(Result.TRANSACTION_NOT_FOUND, 50)),
        ("ina", (21, 22, 42), "bet", Outcome(Result.PLAYER_INACTIVE, 100)),
        ("eve", OF_STATUS, "bet", Outcome(Result.PLAYER_NOT_FOUND)),
        ("eve", (), "bet", Outcome(Result.PLAYER_NOT_FOUND)),
    ],
)
def test_states(ledger: Ledger, account: str, checks: tuple[int, ...], trans_id: str, outcome: Outcome) -> None:
    ledger.add_transaction("bet", "ann", "bet", 10)
    ledger.add_transaction("win", "ann", "win", 10)
    ledger.add_transaction("canceled", "ann", "bet", 10, canceled=True)
    before = ledger.dump()

    assert ledger.get_transaction_status(account, checks, trans_id) == outcome
    assert ledger.dump() == before


@pytest.mark.parametrize("checks", [(77,), (21, 31), (41,)])
def test_a_status_has_no_outcome_for_a_check_that_it_does_not_know(ledger: Ledger, checks: tuple[int, ...]) -> None:
    with pytest.raises(UnknownCheck, match="expected checks among 21, 22, 42"):
        ledger.get_transaction_status("ann", checks, "t1")


# Any sequence

accounts = st.sampled_from(["ann", "bob", "ina", "eve"])
trans_ids = st.sampled_from(["t1", "t2", "t3"])
amounts = st.sampled_from([0, 1, 40, 60, 100, INT64_MAX])
checks = st.sampled_from([(), OF_BET, OF_WIN, OF_CANCEL, (21, 41), (42, 22), (77,)])
steps = st.one_of(
    st.tuples(st.just("place_bet"), accounts, checks, trans_ids, amounts),
    st.tuples(st.just("settle_win"), accounts, checks, trans_ids, amounts),
    st.tuples(st.just("cancel_transaction"), accounts, checks, trans_ids),
    st.tuples(st.just("get_transaction_status"), accounts, st.just(OF_STATUS), trans_ids),
    st.tuples(st.just("get_balance"), accounts, st.just(OF_BALANCE)),
)


@pytest.fixture(scope="module")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One file for all examples, which each begin with `clear`."""
    ledger = Ledger(tmp_path_factory.mktemp("property") / "wallet.db")
    yield ledger
    ledger.close()


def money(dump: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """All but the cancels of unknown transactions, which a refusal may leave behind."""
    return {table: rows for table, rows in dump.items() if table != "early_cancels"}


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=15))
def test_any_sequence_leaves_a_sound_ledger(shared_ledger: Ledger, sequence: list[tuple[Any, ...]]) -> None:
    ledger = shared_ledger
    ledger.clear()
    for account in ("ann", "bob"):
        ledger.add_player(account, 100)
    ledger.add_player("ina", 100, active=False)
    refused_for_good: set[str] = set()

    for name, *arguments in sequence:
        before = ledger.dump()
        outcome: Outcome = getattr(ledger, name)(*arguments)
        after = ledger.dump()

        moved = len(after["movements"]) - len(before["movements"])
        if outcome.result is not Result.OK or name.startswith("get_"):
            assert money(after) == money(before)
        elif name != "cancel_transaction":
            assert moved == 1
            assert arguments[2] not in refused_for_good
        assert moved in {0, 1}
        assert after["movements"][: len(before["movements"])] == before["movements"]
        if name == "cancel_transaction" and outcome.result is Result.TRANSACTION_NOT_FOUND:
            known = {row["trans_id"] for row in before["transactions"]}
            refused_for_good |= {arguments[2]} - known
        assert_sound(ledger)

    dump = ledger.dump()
    overdrawn = {row["account"] for row in dump["players"] if row["balance_minor"] < 0}
    canceled = {row["account"] for row in dump["transactions"] if row["kind"] == "win" and row["canceled"]}
    assert overdrawn <= canceled
    for row in dump["transactions"]:
        kinds = [moved["kind"] for moved in dump["movements"] if moved["trans_id"] == row["trans_id"]]
        assert kinds == [row["kind"], "cancel"][: 1 + row["canceled"]]

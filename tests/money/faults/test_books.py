"""What counts as a difference between the books."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from tests.money.faults.beliefs import Belief
from tests.money.faults.books import Books, Entry, Verdict, compare, entries_of, sums
from tests.money.faults.files import Losses
from tests.money.faults.heard import Heard, Said, Span, Times
from tests.money.faults.one_bet import ABSENT, BET, CANCELLED, CONFIRMED, LISTED, MADE, OPEN, UNDONE, judge, of

from walletbridge.rules.decisions import RESTORED
from walletbridge.rules.row import Kind, Movement, Row, Told


@pytest.mark.parametrize(
    ("belief", "entry", "row"),
    [
        (Belief.APPLIED, MADE, CONFIRMED),
        (Belief.CANCELLED, CANCELLED, UNDONE),
        (Belief.CANCELLED, None, ABSENT),
        (Belief.REFUSED, None, structs.replace(CONFIRMED, movement=Movement.REFUSED, told=Told.REFUSED)),
        (Belief.CANCEL_GIVEN_UP, CANCELLED, UNDONE),
        (Belief.CANCEL_REFUSED, CANCELLED, UNDONE),
        (Belief.GIVEN_UP, MADE, CONFIRMED),
    ],
)
def test_books_that_agree(belief: Belief, entry: Entry | None, row: Row) -> None:
    verdict = judge(of(belief), entry, row)

    assert verdict == Verdict()


@pytest.mark.parametrize(
    ("belief", "entry", "row"),
    [
        (Belief.APPLIED, None, ABSENT),
        (Belief.APPLIED, CANCELLED, UNDONE),
        (Belief.REFUSED, MADE, CONFIRMED),
        (Belief.CANCELLED, MADE, CONFIRMED),
        (Belief.CANCEL_REFUSED, MADE, CONFIRMED),
        (Belief.CANCEL_GIVEN_UP, MADE, UNDONE),
        (Belief.GIVEN_UP, None, ABSENT),
        (Belief.OPEN, None, ABSENT),
        # The provider and the wallet agree, and the journal has something else.
        (Belief.APPLIED, MADE, UNDONE),
        (Belief.APPLIED, MADE, ABSENT),
        (Belief.CANCELLED, CANCELLED, CONFIRMED),
        (Belief.APPLIED, MADE, OPEN),
        (Belief.APPLIED, MADE, structs.replace(CONFIRMED, call=Kind.BET)),
        (Belief.APPLIED, MADE, None),
        # The wallet made something else.
        (Belief.APPLIED, replace(MADE, amount=99), CONFIRMED),
        (Belief.APPLIED, replace(MADE, account="anna01"), CONFIRMED),
        (Belief.APPLIED, replace(MADE, moved={"bet": (-100, 50.0), "cancel": (100, 60.0)}), CONFIRMED),
        (Belief.APPLIED, replace(MADE, moved={"bet": (-200, 50.0)}), CONFIRMED),
    ],
)
def test_books_that_differ(belief: Belief, entry: Entry | None, row: Row | None) -> None:
    assert judge(of(belief), entry, row).differences


def test_what_is_left_to_a_person_may_differ() -> None:
    verdict = judge(of(Belief.CANCELLED), MADE, LISTED)

    assert verdict.differences == []
    assert verdict.for_person == [("1", "for a reason")]
    assert verdict.excused == {"left to a person": 1}


def test_no_bet_may_land_after_its_cancel_was_answered() -> None:
    cancelled = of(Belief.CANCELLED, cancelled_at=49.0)

    assert judge(cancelled, CANCELLED, UNDONE).differences == [("1", "it was made after its cancel had been answered")]
    assert judge(cancelled, CANCELLED, UNDONE, remembers_cancels=False).landed_late == 1
    assert judge(cancelled, CANCELLED, UNDONE, remembers_cancels=False).differences == []
    assert judge(of(Belief.CANCELLED, cancelled_at=51.0), CANCELLED, UNDONE).landed_late == 0


def test_the_wallet_must_not_have_what_nobody_sent() -> None:
    verdict = compare(Books(transactions={}, entries={"9": MADE}, rows={}, heard={}))

    assert verdict.differences == [("9", "the wallet made what the provider never sent")]


def test_the_wallets_own_books_are_read_and_added_up() -> None:
    dump: dict[str, list[dict[str, Any]]] = {
        "players": [{"account": "test1234", "seed_minor": 1000, "balance_minor": 900, "active": 1}],
        "transactions": [
            {"trans_id": "1", "account": "test1234", "kind": "bet", "amount_minor": 100, "canceled": 0},
        ],
        "movements": [
            {"account": "test1234", "trans_id": "1", "kind": "bet", "delta_minor": -100, "time_ms": 50_000},
        ],
    }

    assert entries_of(dump) == {"1": MADE}
    assert list(sums(dump)) == []
    dump["players"][0]["balance_minor"] = 901
    assert [account for account, _ in sums(dump)] == ["test1234"]


def test_what_is_answered_0_while_the_file_is_gone_is_wrong() -> None:
    losses = Losses(gone=[(30.0, 45.0)])

    verdict = judge(of(Belief.APPLIED, made=[("bet", 40.0)]), MADE, CONFIRMED, losses=losses)

    assert verdict.differences == [("1", "its bet was answered 0 though the journal's file was gone")]
    assert judge(of(Belief.APPLIED, made=[("bet", 29.0)]), MADE, CONFIRMED, losses=losses) == Verdict()


def test_what_was_answered_before_an_older_file_was_put_in_place_may_be_in_none() -> None:
    def differences(losses: Losses) -> bool:
        return bool(judge(of(Belief.APPLIED), MADE, None, losses=losses).differences)

    assert not differences(Losses(before={"1": CONFIRMED}, kept={"1": None}, restored_at=50.0))
    # It was in the older file; or it was not even in the newer one.
    assert differences(Losses(before={"1": CONFIRMED}, kept={"1": UNDONE}, restored_at=50.0))
    assert differences(Losses(restored_at=50.0))


def test_what_was_answered_while_the_file_was_gone_may_be_in_none() -> None:
    def differences(until: float) -> bool:
        times = Times(no_file=[Span(30.0, until)])
        # The network may hold an answer back until then.
        heard = {"1": Heard(answered=[Said("bet", 39.95)])}
        return bool(judge(of(Belief.APPLIED), MADE, None, times=times, heard=heard).differences)

    assert not differences(50.0)
    assert not differences(39.97)
    assert differences(35.0)


def test_an_older_journal_is_excused_until_a_rule_has_looked_at_the_row() -> None:
    losses = Losses(before={"1": UNDONE}, kept={"1": CONFIRMED}, restored_at=50.0)

    assert judge(of(Belief.CANCELLED), CANCELLED, CONFIRMED, losses=losses).excused == {"the journal is older": 1}
    assert judge(of(Belief.CANCELLED), CANCELLED, ABSENT, losses=losses) == Verdict()
    assert judge(of(Belief.CANCELLED), CANCELLED, structs.replace(CONFIRMED, amount=100), losses=Losses()).differences


def test_a_wallet_that_never_refuses_for_long_leaves_nothing_to_a_person() -> None:
    listed = structs.replace(CONFIRMED, for_human="refused 5 times")

    assert judge(of(Belief.APPLIED), MADE, listed, wallet_never_refuses=True).differences
    assert not judge(of(Belief.APPLIED), MADE, listed).differences
    unknown = structs.replace(listed, account="nobody")
    assert not judge(of(Belief.APPLIED), MADE, unknown, wallet_never_refuses=True).differences


def test_a_win_that_was_heard_of_is_its_senders_to_cancel() -> None:
    win = replace(of(Belief.CANCELLED), kind="win", was_applied=True, cancel_sent_at=55.0)
    taken = replace(MADE, kind="win", cancelled=True, moved={"win": (100, 50.0), "cancel": (-100, 54.0)})
    row = structs.replace(UNDONE, kind=Kind.WIN)

    problem = "the win was heard of, and was cancelled before its sender asked for that"
    assert judge(win, taken, row).differences == [("1", problem)]
    assert judge(win, taken, structs.replace(row, told=Told.MAYBE)) == Verdict()
    assert judge(win, taken, row, decided={"1"}).differences == []
    asked = replace(taken, moved={"win": (100, 50.0), "cancel": (-100, 56.0)})
    assert judge(win, asked, row) == Verdict()


def test_the_wallet_must_not_have_what_the_journal_does_not() -> None:
    given_up = replace(BET, belief=Belief.CANCEL_GIVEN_UP)

    assert judge(given_up, MADE, None).differences == [("1", "the wallet has it, but the journal has no row")]
    lost = Times(no_file=[Span(0.0, 55.0)])
    assert judge(given_up, MADE, None, times=lost).excused == {"never heard of": 1}


def test_a_journal_that_was_not_restored_must_not_say_so() -> None:
    listed = structs.replace(CONFIRMED, for_human=RESTORED)

    assert judge(of(Belief.APPLIED), MADE, listed, wallet_never_refuses=True).differences
    restored = Losses(restored_at=30.0)
    assert not judge(of(Belief.APPLIED), MADE, listed, wallet_never_refuses=True, losses=restored).differences


def test_what_is_answered_must_leave_a_row() -> None:
    assert judge(of(Belief.REFUSED), None, None).differences
    logged = {"1": Heard(answered=[Said("bet", 40.0)])}
    assert judge(replace(BET, belief=Belief.REFUSED), None, None, heard=logged).differences


def test_only_a_bet_that_the_network_has_doubled_may_be_answered_41() -> None:
    doubled = {"1": Heard(doubled=True)}

    assert judge(of(Belief.APPLIED, was_made_before=True), MADE, CONFIRMED).differences
    assert judge(of(Belief.APPLIED, was_made_before=True), MADE, CONFIRMED, heard=doubled) == Verdict()

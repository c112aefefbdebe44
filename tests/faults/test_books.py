"""What counts as a difference between the books."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from tests.faults.beliefs import Belief, Transaction
from tests.faults.books import Books, Entry, Heard, Verdict, compare, entries_of, sums
from tests.faults.files import Losses

from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told

BET = Transaction(1, "test1234", "bet", 100, "r", Belief.APPLIED)
MADE = Entry("test1234", "bet", 100, cancelled=False, moved={"bet": (-100, 50.0)})
CANCELLED = Entry("test1234", "bet", 100, cancelled=True, moved={"bet": (-100, 50.0), "cancel": (100, 60.0)})
CONFIRMED = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, movement=Movement.CONFIRMED, told=Told.YES)
UNDONE = structs.replace(CONFIRMED, cancel=CancelState.DONE)
ABSENT = structs.replace(CONFIRMED, movement=Movement.NONE, cancel=CancelState.NOT_FOUND, told=Told.NOTHING)
OPEN = structs.replace(CONFIRMED, cancel=CancelState.OWED)
LISTED = structs.replace(CONFIRMED, for_human="for a reason")


def of(belief: Belief, **changes: Any) -> Transaction:
    return replace(BET, belief=belief, heard=[("bet", 40.0)], **changes)


def judge(transaction: Transaction, entry: Entry | None, row: Row | None, **more: Any) -> Verdict:
    return compare(
        Books(
            transactions={transaction.key: transaction},
            entries={} if entry is None else {transaction.key: entry},
            rows={transaction.key: row},
            heard=more.pop("heard", {}),
            **more,
        )
    )


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
        (Belief.MOOT, MADE, CONFIRMED),
        (Belief.MOOT, CANCELLED, UNDONE),
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


@pytest.mark.parametrize(
    ("belief", "entry", "row"),
    [(Belief.GIVEN_UP, None, None), (Belief.CANCEL_GIVEN_UP, MADE, CONFIRMED)],
)
def test_what_the_gateway_never_heard_of_is_not_its_fault(belief: Belief, entry: Entry | None, row: Row | None) -> None:
    verdict = judge(replace(BET, belief=belief), entry, row)

    assert verdict.differences == []
    assert verdict.excused == {"never heard of": 1}


@pytest.mark.parametrize(
    ("belief", "entry", "row", "command"),
    [(Belief.GIVEN_UP, None, None, "win"), (Belief.CANCEL_GIVEN_UP, MADE, CONFIRMED, "cancel")],
)
def test_what_the_gateway_heard_of_is(belief: Belief, entry: Entry | None, row: Row | None, command: str) -> None:
    assert judge(replace(BET, belief=belief), entry, row, heard={"1": Heard({command})}).differences
    assert judge(replace(BET, belief=belief, heard=[(command, 40.0)]), entry, row).differences


def test_a_win_that_could_not_be_journalled_is_in_the_log() -> None:
    verdict = judge(replace(BET, belief=Belief.GIVEN_UP), None, None, heard={"1": Heard({"win"}, {"win"})})

    assert verdict.differences == []
    assert verdict.excused == {"only in the log": 1}


def test_a_refusal_may_be_lost_on_the_way() -> None:
    refused = structs.replace(CONFIRMED, kind=Kind.WIN, movement=Movement.REFUSED, told=Told.REFUSED)

    assert judge(of(Belief.GIVEN_UP), None, refused).excused == {"its refusal was lost on the way": 1}
    assert judge(of(Belief.GIVEN_UP), None, refused, heard={"1": Heard(undelivered={"win"})}).differences


def test_while_the_journal_cannot_be_written_an_answer_may_leave_no_row() -> None:
    assert judge(of(Belief.REFUSED), None, None).differences
    assert judge(of(Belief.REFUSED), None, None, blind=[(39.0, 41.0)]).differences == []


def test_a_straggler_may_be_made_though_its_like_was_refused() -> None:
    def differences(*, straggled: bool, after_refusal: bool) -> list[tuple[str, str]]:
        anew = frozenset({"1"} if after_refusal else ())
        heard = {"1": Heard(straggled=straggled)}
        return judge(of(Belief.REFUSED), MADE, CONFIRMED, heard=heard, made_after_refusal=anew).differences

    assert differences(straggled=True, after_refusal=True) == []
    assert differences(straggled=True, after_refusal=False)
    assert differences(straggled=False, after_refusal=True)


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
    losses = Losses(before={"1": CONFIRMED}, kept={"1": None}, restored_at=50.0)

    assert judge(of(Belief.APPLIED), MADE, None, losses=losses) == Verdict()
    losses.restored_at = 30.0
    assert judge(of(Belief.APPLIED), MADE, None, losses=losses).differences


def test_what_was_owed_is_lost_with_the_file() -> None:
    owed = structs.replace(CONFIRMED, kind=Kind.WIN, movement=Movement.NONE, told=Told.NOTHING)
    losses = Losses(before={"1": owed}, kept={"1": None}, restored_at=50.0)
    win = replace(of(Belief.GIVEN_UP), kind="win")

    assert judge(win, None, None, losses=losses).excused == {"owed, and lost with the file": 1}


def test_what_was_settled_is_not_excused_by_a_lost_file() -> None:
    losses = Losses(before={"1": CONFIRMED}, kept={"1": ABSENT}, restored_at=50.0)

    assert judge(of(Belief.APPLIED), CANCELLED, UNDONE, losses=losses).differences


def test_an_older_journal_is_excused_until_a_rule_has_looked_at_the_row() -> None:
    losses = Losses(before={"1": UNDONE}, kept={"1": CONFIRMED}, restored_at=50.0)

    assert judge(of(Belief.CANCELLED), CANCELLED, CONFIRMED, losses=losses).excused == {"the journal is older": 1}
    assert judge(of(Belief.CANCELLED), CANCELLED, ABSENT, losses=losses) == Verdict()
    assert judge(of(Belief.CANCELLED), CANCELLED, structs.replace(CONFIRMED, amount=100), losses=Losses()).differences


def test_what_a_person_decided_is_counted() -> None:
    verdict = judge(of(Belief.APPLIED), None, ABSENT, decided={"1"})

    assert verdict.excused == {"a person decided": 1}


def test_a_wallet_that_never_refuses_for_long_leaves_nothing_to_a_person() -> None:
    listed = structs.replace(CONFIRMED, for_human="refused 5 times")

    assert judge(of(Belief.APPLIED), MADE, listed, wallet_never_refuses=True).differences
    assert not judge(of(Belief.APPLIED), MADE, listed).differences
    unknown = structs.replace(listed, account="nobody")
    assert not judge(of(Belief.APPLIED), MADE, unknown, wallet_never_refuses=True).differences


def test_a_win_of_a_round_that_was_rolled_back_must_not_stand_unless_a_person_is_told() -> None:
    win, entry = replace(of(Belief.VOID), kind="win"), replace(MADE, kind="win", moved={"win": (100, 50.0)})
    row = structs.replace(CONFIRMED, kind=Kind.WIN)

    unheard = structs.replace(row, told=Told.MAYBE)
    assert judge(win, entry, unheard).differences
    assert judge(win, entry, row).excused == {"its answer was lost on the way": 1}
    assert judge(win, entry, row, heard={"1": Heard(undelivered={"win"})}).differences
    # A repeat that was answered 500 shows that the 0 before it was lost.
    asked_again = replace(win, heard=[("win", 45.0)])
    assert judge(asked_again, entry, row, heard={"1": Heard(definite_at={"win": 44.0})}).differences
    assert judge(asked_again, entry, row, heard={"1": Heard(definite_at={"win": 46.0})}).excused
    unwritten = Heard(lost={"win"}, definite_at={"win": 44.0})
    assert judge(asked_again, entry, row, heard={"1": unwritten}).excused == {"only in the log": 1}
    assert judge(win, entry, structs.replace(row, for_human="its round was rolled back")).excused


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

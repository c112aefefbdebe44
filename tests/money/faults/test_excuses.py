"""Which differences do not count, and that whatever lies outside an excuse does."""

from dataclasses import replace

import pytest
from msgspec import structs
from tests.money.faults.beliefs import Belief, Hearing, Transaction
from tests.money.faults.books import Books, Entry, Verdict, compare
from tests.money.faults.files import Losses
from tests.money.faults.heard import Heard, Said, Span, Times
from tests.money.faults.one_bet import ABSENT, BET, CANCELLED, CONFIRMED, MADE, UNDONE, judge, of

from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

WIN = replace(BET, kind="win")
PAID = replace(MADE, kind="win", moved={"win": (100, 50.0)})
WON = structs.replace(CONFIRMED, kind=Kind.WIN)
FULL = Times(no_disk=[Span(30.0, 50.0, gateway=0)])


@pytest.mark.parametrize(
    ("transaction", "entry", "row"),
    [
        (replace(WIN, belief=Belief.GIVEN_UP), None, None),
        (replace(BET, belief=Belief.CANCEL_GIVEN_UP), MADE, CONFIRMED),
    ],
)
def test_what_the_gateway_never_heard_of_is_not_its_fault(
    transaction: Transaction, entry: Entry | None, row: Row | None
) -> None:
    verdict = judge(transaction, entry, row)

    assert verdict.differences == []
    assert verdict.excused == {"never heard of": 1}


@pytest.mark.parametrize(
    ("transaction", "entry", "row", "command"),
    [
        (replace(WIN, belief=Belief.GIVEN_UP), None, None, "win"),
        (replace(BET, belief=Belief.CANCEL_GIVEN_UP), MADE, CONFIRMED, "cancel"),
    ],
)
def test_what_the_gateway_heard_of_is(
    transaction: Transaction, entry: Entry | None, row: Row | None, command: str
) -> None:
    assert judge(transaction, entry, row, heard={"1": Heard(answered=[Said(command, 40.0)])}).differences
    assert judge(replace(transaction, heard=[Hearing(command, 40.0)]), entry, row).differences


def test_a_win_that_came_while_the_disk_was_full_is_in_the_log() -> None:
    given_up = replace(WIN, belief=Belief.GIVEN_UP)
    heard = Heard(answered=[Said("win", 40.1)], lost=[Said("win", 40.0)])

    verdict = judge(given_up, None, None, heard={"1": heard}, times=FULL)

    assert verdict.differences == []
    assert verdict.excused == {"only in the log": 1}
    # The disk was fine; it was another gateway's; or another try was answered, and must have been journalled.
    assert judge(given_up, None, None, heard={"1": heard}).differences
    elsewhere = Times(no_disk=[Span(30.0, 50.0, gateway=1)])
    assert judge(given_up, None, None, heard={"1": heard}, times=elsewhere).differences
    twice = replace(heard, answered=[*heard.answered, Said("win", 60.0)])
    assert judge(given_up, None, None, heard={"1": twice}, times=FULL).differences


def test_a_win_that_came_again_while_the_file_was_gone_is_in_the_log_alone() -> None:
    """Its first answer was a refusal that the network lost, and the row of it is lost with the file."""
    refused = structs.replace(WON, movement=Movement.REFUSED, told=Told.REFUSED)
    losses = Losses(before={"1": refused}, kept={"1": None}, restored_at=50.0)
    times = Times(no_file=[Span(40.0, 50.0)])
    answered = [Said("win", 39.0), Said("win", 45.1)]
    again = {"1": Heard(answered=answered, lost=[Said("win", 45.0)], arrived={"win"}, definite_at={"win": 39.0})}
    win = replace(WIN, belief=Belief.GIVEN_UP, heard=[Hearing("win", 45.1, 44.9)])

    assert judge(win, None, None, heard=again, losses=losses, times=times).excused == {"only in the log": 1}
    later = {"1": replace(again["1"], answered=[*answered, Said("win", 60.0)])}
    assert judge(win, None, None, heard=later, losses=losses, times=times).differences


def test_a_line_that_a_kill_has_lost_is_excused_for_what_the_killed_gateway_had_in_hand() -> None:
    def differences(*, killed_at: float = 40.2, killed: int = 0, asked: int = 0, slow_at: float = 39.0) -> bool:
        times = Times(kills=[Said("", killed_at, killed)], slow=[Said("win", slow_at, killed)])
        heard = Heard(asked=[Said("bet", 39.9, asked)])
        return bool(judge(of(Belief.REFUSED), None, None, heard={"1": heard}, times=times).differences)

    assert not differences()
    assert differences(killed_at=45.0)
    assert differences(killed=1)
    assert differences(asked=1)
    # The disk was well: it was journalled before it was answered.
    assert differences(slow_at=20.0)
    # A slow disk alone loses no line.
    slow = Times(slow=[Said("win", 39.0)])
    assert judge(of(Belief.REFUSED), None, None, heard={"1": Heard(asked=[Said("bet", 39.9)])}, times=slow).differences
    # What stands in the log was not lost.
    logged = Heard(answered=[Said("bet", 40.0)], asked=[Said("bet", 39.9)])
    killed = Times(kills=[Said("", 40.2)], slow=[Said("win", 39.0)])
    assert judge(of(Belief.REFUSED), None, None, heard={"1": logged}, times=killed).differences


def test_a_gateway_that_has_closed_its_journal_answers_without_a_row() -> None:
    times = Times(closed=[Span(39.0, 41.0, gateway=1)])

    for gateway in (0, 1):
        heard = Heard(asked=[Said("bet", 39.9, gateway)])
        assert bool(judge(of(Belief.REFUSED), None, None, heard={"1": heard}, times=times).differences) is not gateway


def test_a_refusal_may_be_lost_on_the_way() -> None:
    given_up = replace(WIN, belief=Belief.GIVEN_UP)
    refused = structs.replace(WON, movement=Movement.REFUSED, told=Told.REFUSED)

    arrived = {"1": Heard(arrived={"win"})}
    assert judge(given_up, None, refused, heard=arrived).excused == {"its refusal was lost on the way": 1}
    undelivered = {"1": Heard(arrived={"win"}, undelivered={"win"})}
    assert judge(given_up, None, refused, heard=undelivered).differences
    # The network never had it: the gateway kept it to itself.
    assert judge(given_up, None, refused).differences
    # It came again, and so it was owed.
    again = replace(given_up, heard=[Hearing("win", 46.0, 45.0)])
    assert judge(again, None, refused, heard={"1": Heard(arrived={"win"}, definite_at={"win": 44.0})}).differences


def test_a_double_of_a_win_may_be_made_though_its_like_was_refused() -> None:
    def differences(kind: str = "win", *, straggled: bool = True, after_refusal: bool = True) -> bool:
        anew = frozenset({"1"} if after_refusal else ())
        heard = {"1": Heard(straggled=straggled)}
        transaction, entry, row = (WIN, PAID, WON) if kind == "win" else (BET, MADE, CONFIRMED)
        refused = replace(transaction, belief=Belief.REFUSED)
        return bool(judge(refused, entry, row, heard=heard, made_after_refusal=anew).differences)

    assert not differences()
    assert differences(after_refusal=False)
    assert differences(straggled=False)
    # A bet that was refused stays refused.
    assert differences("bet")


@pytest.mark.parametrize(
    ("belief", "entry", "row"),
    [
        (Belief.GIVEN_UP, None, None),
        (Belief.VOID, PAID, WON),
    ],
)
def test_what_was_owed_is_lost_with_the_file(belief: Belief, entry: Entry | None, row: Row | None) -> None:
    owed = structs.replace(WON, movement=Movement.NONE, told=Told.NOTHING)
    losses, win = Losses(before={"1": owed}, kept={"1": None}, restored_at=50.0), replace(WIN, belief=belief)

    assert judge(win, entry, row, losses=losses).excused == {"owed, and lost with the file": 1}
    # It was owed in the backup as well; or what was known of it before was settled.
    kept = Losses(before={"1": owed}, kept={"1": structs.replace(owed, sends=1)}, restored_at=50.0)
    heard = {"1": Heard(answered=[Said("win", 60.0)], undelivered={"win"})}
    assert judge(win, entry, row or ABSENT, losses=kept, heard=heard).differences
    settled = Losses(before={"1": WON}, kept={"1": None}, restored_at=50.0)
    assert judge(win, entry, row or ABSENT, losses=settled, heard=heard).differences


@pytest.mark.parametrize(
    ("belief", "entry", "row"), [(Belief.APPLIED, CANCELLED, UNDONE), (Belief.REFUSED, MADE, CONFIRMED)]
)
def test_a_lost_file_excuses_nothing_that_was_answered(belief: Belief, entry: Entry, row: Row) -> None:
    doubted = structs.replace(CONFIRMED, cancel=CancelState.OWED)
    losses = Losses(before={"1": doubted}, kept={"1": None}, restored_at=50.0)

    assert judge(of(belief), entry, row, losses=losses).differences


def test_a_late_bet_of_a_forgetful_wallet_may_stand_where_the_file_is_lost_with_which_it_would_be_taken_back() -> None:
    believed = structs.replace(ABSENT, rechecks_left=3)
    losses = Losses(before={"1": believed}, kept={"1": None}, restored_at=50.0)

    def verdict(*, remembers_cancels: bool) -> Verdict:
        return judge(of(Belief.CANCELLED), MADE, CONFIRMED, losses=losses, remembers_cancels=remembers_cancels)

    assert verdict(remembers_cancels=False).excused == {"owed, and lost with the file": 1}
    assert verdict(remembers_cancels=True).differences


def test_what_a_person_decided_is_counted() -> None:
    verdict = judge(of(Belief.APPLIED), None, ABSENT, decided={"1"})

    assert verdict.excused == {"a person decided": 1}


def test_a_win_of_a_round_that_was_rolled_back_must_not_stand_unless_a_person_is_told() -> None:
    win = replace(WIN, belief=Belief.VOID, heard=[Hearing("win", 40.0, 39.0)])

    unheard = structs.replace(WON, told=Told.MAYBE)
    assert judge(win, PAID, unheard).differences
    lost = {"1": Heard(arrived={"win"})}
    assert judge(win, PAID, WON, heard=lost).excused == {"its answer was lost on the way": 1}
    assert judge(win, PAID, WON, heard={"1": Heard(arrived={"win"}, undelivered={"win"})}).differences
    assert judge(win, PAID, WON).differences
    # A repeat that was answered 500 shows that the 0 before it was lost; a double of the same moment does not.
    asked_again = replace(win, heard=[Hearing("win", 46.0, 45.0)])
    for definite_at, is_wrong in ((44.0, True), (45.5, False)):
        heard = {"1": Heard(arrived={"win"}, definite_at={"win": definite_at})}
        assert bool(judge(asked_again, PAID, WON, heard=heard).differences) is is_wrong
    full = Times(no_disk=[Span(44.0, 50.0)])
    unwritten = Heard(lost=[Said("win", 45.5)], definite_at={"win": 44.0})
    assert judge(asked_again, PAID, WON, heard={"1": unwritten}, times=full).excused == {"only in the log": 1}
    assert judge(asked_again, PAID, WON, heard={"1": unwritten}).differences
    assert judge(win, PAID, structs.replace(WON, for_human="its round was rolled back")).excused


def judge_round(entry_of_win: Entry | None, *, cancel: CancelState, for_human: str = "") -> Verdict:
    """A win that was given up, of a bet whose cancel was given up as well."""
    bet, win = of(Belief.CANCEL_GIVEN_UP), replace(WIN, trans_id=2, belief=Belief.MOOT)
    row = structs.replace(CONFIRMED, cancel=cancel, for_human=for_human)
    row_of_win = structs.replace(WON, trans_id="2", movement=Movement.CONFIRMED if entry_of_win else Movement.NONE)
    return compare(
        Books(
            transactions={"1": bet, "2": win},
            entries={"1": CANCELLED if cancel is CancelState.DONE else MADE}
            | ({"2": entry_of_win} if entry_of_win else {}),
            rows={"1": row, "2": structs.replace(row_of_win, told=Told.NOTHING, round_cancelled=False)},
            heard={},
        )
    )


def test_a_win_stands_or_falls_with_its_bet_where_the_bets_cancel_was_given_up() -> None:
    def problems(verdict: Verdict) -> set[str]:
        return {key for key, _ in verdict.differences}

    assert "2" not in problems(judge_round(PAID, cancel=CancelState.NONE))
    assert "2" in problems(judge_round(None, cancel=CancelState.NONE))
    assert "2" in problems(judge_round(PAID, cancel=CancelState.DONE))
    assert "2" in problems(judge_round(PAID, cancel=CancelState.OWED))
    assert judge_round(PAID, cancel=CancelState.OWED, for_human="refused 9 times").differences == []

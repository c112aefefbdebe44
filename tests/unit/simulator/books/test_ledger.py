"""The possible worlds of one account: what fits, what does not, and what an unanswered call leaves open."""

import itertools
from typing import Any

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import TransactionState
from walletbridge.simulator.books.ledger import Heard, Ledger
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.readings import Reading

UNIT = 10**8
OK, CANCELED = TransactionState


class Book:
    """A ledger that started with 100, and calls of its transactions by name."""

    def __init__(self) -> None:
        self.ledger = Ledger(100 * UNIT)
        self._calls: dict[str, Call] = {}

    def _call(self, command: Command, name: str, amount: int) -> Call:
        call = Call(command=command, account="test1234", trans_id=name, amount=amount * UNIT)
        if command in {Command.BET, Command.WIN} and name not in self._calls:
            self.ledger.open(name, call.amount if command is Command.WIN else -call.amount)
            self._calls[name] = call
        return call

    def heard(
        self,
        command: str,
        result: int | None,
        balance: int | None = None,
        **fields: Any,
    ) -> Heard:
        units = None if balance is None else balance * UNIT
        call = self._call(Command(command), fields.get("of", ""), fields.get("amount", 0))
        return Heard(call, Reading(result, units, fields.get("state")))

    def bet(self, amount: int, result: int | None, balance: int | None = None, *, of: str = "b") -> Heard:
        return self.heard("bet", result, balance, of=of, amount=amount)

    def win(self, amount: int, result: int | None, balance: int | None = None, *, of: str = "w") -> Heard:
        return self.heard("win", result, balance, of=of, amount=amount)

    def cancel(self, result: int | None, balance: int | None = None, *, of: str = "b") -> Heard:
        return self.heard("cancel", result, balance, of=of)

    def observe(self, *heard: Heard) -> bool:
        return self.ledger.observe(heard)

    def is_balance(self, balance: int) -> bool:
        return self.observe(self.heard("balance", 0, balance))


def test_definite_answers_follow_from_one_another() -> None:
    book = Book()

    assert book.observe(book.bet(30, 0, 70))
    assert book.observe(book.bet(30, 41, 70))
    assert book.observe(book.win(50, 0, 120))
    assert book.observe(book.cancel(0, 70, of="w"))
    assert book.observe(book.cancel(0, 70, of="w"))
    assert book.observe(book.cancel(0, 100))
    assert book.is_balance(100)
    assert book.ledger.unsettled == frozenset()


def test_what_does_not_fit_is_not_taken_in() -> None:
    book = Book()

    assert not book.observe(book.bet(30, 0, 71))
    assert not book.observe(book.bet(30, 41, 100))
    assert not book.observe(book.bet(30, 31, 100))
    assert book.is_balance(100)


def test_a_refusal_leaves_the_money_where_it_is() -> None:
    book = Book()

    assert book.observe(book.bet(101, 31, 100))
    assert book.observe(book.bet(30, 99, 100, of="failed"))
    assert not book.is_balance(70)
    assert book.is_balance(100)


def test_an_unanswered_bet_is_settled_by_its_cancel() -> None:
    """0 says that it had been made, 42 that it had not: either way the money is back."""
    for result in (0, 42):
        book = Book()
        assert book.observe(book.bet(30, None))
        assert book.ledger.unsettled == {"b"}
        assert book.observe(book.cancel(result, 100))
        assert book.ledger.unsettled == frozenset()
        assert not book.is_balance(70)
        assert book.is_balance(100)


def test_a_bet_must_not_land_after_its_cancel() -> None:
    book = Book()

    assert book.observe(book.cancel(42, 100, of="b"))
    assert not book.observe(book.bet(30, 0, 70))
    assert book.observe(book.bet(30, 99, 100))
    assert book.observe(book.heard("status", 0, of="b", state=CANCELED))
    assert book.observe(book.heard("status", 42, 100, of="b"))


def test_an_unanswered_win_may_land_at_any_time() -> None:
    book = Book()
    assert book.observe(book.win(50, None))

    assert book.is_balance(100)
    assert book.ledger.unsettled == {"w"}
    assert book.is_balance(150)
    assert book.ledger.unsettled == frozenset()
    assert not book.is_balance(100)


def test_a_repeated_win_settles_the_first() -> None:
    for result in (0, 41):
        book = Book()
        book.observe(book.win(50, None))
        assert book.observe(book.win(50, result, 150))
        assert book.ledger.unsettled == frozenset()


def test_99_to_a_repeated_win_goes_for_the_first_as_well() -> None:
    """99 says that the movement was not made."""
    book = Book()
    book.observe(book.win(50, None))

    assert book.observe(book.win(50, 99, 100))
    assert book.ledger.unsettled == frozenset()
    assert not book.is_balance(150)


def test_a_status_tells_what_became_of_an_unanswered_win() -> None:
    book = Book()
    book.observe(book.win(50, None))

    assert book.observe(book.heard("status", 0, of="w", state=OK))
    assert book.ledger.balances == (150 * UNIT, 150 * UNIT)


def test_an_unanswered_cancel_leaves_both_open() -> None:
    book = Book()
    book.observe(book.bet(30, 0, 70))
    book.observe(book.cancel(None))

    assert book.is_balance(70)
    assert book.is_balance(100)
    assert not book.is_balance(70)


def test_a_bet_is_covered_if_an_unanswered_win_landed() -> None:
    book = Book()
    book.observe(book.win(50, None))

    assert book.observe(book.bet(120, 0, 30))
    assert book.ledger.unsettled == frozenset()


def test_calls_at_once_may_come_in_any_order() -> None:
    for first, second in itertools.permutations([("a", 10), ("b", 20)]):
        book = Book()
        balances = {first[0]: 100 - first[1], second[0]: 70}
        assert book.observe(*(book.bet(amount, 0, balances[of], of=of) for of, amount in (("a", 10), ("b", 20))))
        assert book.is_balance(70)


def test_a_balance_may_be_read_after_another_movement() -> None:
    """The balance of before both, or of neither order, is none that the account had after the movement."""
    for one, two, fits in ((70, 70, True), (90, 70, True), (70, 80, True), (90, 80, False), (100, 70, False)):
        book = Book()
        assert book.observe(book.bet(10, 0, one, of="a"), book.bet(20, 0, two, of="b")) is fits


def test_the_same_bet_at_once_is_made_once() -> None:
    book = Book()

    assert not book.observe(book.bet(10, 0, 90), book.bet(10, 0, 80))
    assert not book.observe(book.bet(10, 41, 100), book.bet(10, 41, 100))
    assert book.observe(book.bet(10, 41, 90), book.bet(10, 0, 90), book.bet(10, None))
    assert book.ledger.unsettled == frozenset()


def test_a_bet_and_its_cancel_at_once() -> None:
    """42 to the cancel with 0 to the bet would leave the stake with a wallet that the provider told to give it back."""
    for bet, cancel, fits in (((0, 70), (0, 100), True), ((99, 100), (42, 100), True), ((0, 70), (42, 100), False)):
        book = Book()
        assert book.observe(book.bet(30, *bet), book.cancel(*cancel)) is fits


def test_an_unanswered_call_may_land_between_calls_at_once() -> None:
    """The first win's answer is of before the lost one landed, the second's of after."""
    book = Book()
    book.observe(book.win(50, None, of="lost"))

    assert book.observe(book.win(1, 0, 101, of="a"), book.win(2, 0, 153, of="b"))
    assert book.ledger.unsettled == frozenset()


def test_a_wrong_answer_is_followed() -> None:
    """So that a mistake is reported once, not in every answer after it."""
    book = Book()
    book.observe(book.bet(30, 0, 70))
    wrong_number = [book.bet(30, 41, 40)]
    assert not book.observe(*wrong_number)

    assert book.ledger.follow(wrong_number) is True
    assert book.is_balance(70)

    paid_again = [book.bet(30, 0, 40)]
    assert not book.observe(*paid_again)
    assert book.ledger.follow(paid_again) is False
    assert not book.is_balance(40)
    book.ledger.correct(40 * UNIT)
    assert book.is_balance(40)
    assert book.observe(book.cancel(0, 70))


def test_expected_answers_in_words() -> None:
    book = Book()
    balance = book.heard("balance", 0).call

    assert book.ledger.expected(balance) == "result 0 with balance 100"
    book.observe(book.win(50, None))
    assert book.ledger.expected(balance) == "result 0 with balance 100 or result 0 with balance 150"
    assert book.ledger.expected(book.bet(20, 0).call, 99) == "result 99 with balance 100 or result 99 with balance 150"
    assert (
        book.ledger.expected(book.bet(120, 0, of="c").call, 41)
        == "result 31 with balance 100 or result 0 with balance 30"
    )

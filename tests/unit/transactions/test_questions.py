"""The questions that the gateway asks of its own accord."""

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.fake_wallet import FakeWallet, Step

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Authenticate, Balance, Callback, Status, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.transactions import questions

RICH = Outcome(Result.OK, 500)
NO_BALANCE = Outcome(Result.OK, None)
AWAY = OutcomeUnknown("away", sent=True)
NOBODY = Outcome(Result.PLAYER_NOT_FOUND)
STANDS = Outcome(Result.OK, 0, TransactionState.OK)
NOT_FOUND = Outcome(Result.TRANSACTION_NOT_FOUND, 0)


def callback(command: str, check: str = "21,22,41,31") -> Callback:
    return decode(body(make_callback(command, check=check)), currency_decimals=2)


@pytest.mark.parametrize(
    ("check", "before", "checks"),
    [
        ("21,22,41,31", 41, (21, 22)),
        ("22,41,21", 41, (22,)),
        ("41", 41, ()),
        ("21,31", 41, (21,)),
        ("41,22,21", None, (22, 21)),
    ],
)
def test_the_checks_of_a_player_that_come_first(check: str, before: int | None, checks: tuple[int, ...]) -> None:
    assert questions.checks_of_player(callback("bet", check), before=before) == checks


@pytest.mark.parametrize(
    ("checks", "answer"), [((21, 22), RICH), ((), RICH), ((21,), NOBODY), ((22,), Outcome(Result.PLAYER_INACTIVE))]
)
async def test_a_player_has_a_balance_or_fails_a_check_that_was_asked(checks: tuple[int, ...], answer: Outcome) -> None:
    wallet = FakeWallet(answer)

    assert await questions.ask_player(wallet, callback("bet"), checks, deadline=7, trace=Trace()) == answer
    [call] = wallet.calls
    assert isinstance(call.callback, Balance)
    assert (call.callback.checks, call.callback.account, call.deadline) == (checks or (21,), "test1234", 7)


@pytest.mark.parametrize("answer", [AWAY, NO_BALANCE, NOBODY, Outcome(Result.PLAYER_INACTIVE)])
async def test_anything_else_is_unknown_and_nothing_was_sent(answer: Step) -> None:
    with pytest.raises(OutcomeUnknown, match="the balance could not be read") as caught:
        await questions.ask_player(FakeWallet(answer), callback("bet"), (), deadline=7, trace=Trace())

    assert caught.value.sent is False


@pytest.mark.parametrize(("answer", "is_known"), [(STANDS, True), (NOT_FOUND, False)])
async def test_a_transaction_is_known_or_not(answer: Outcome, *, is_known: bool) -> None:
    wallet = FakeWallet(answer)

    assert await questions.is_known(wallet, callback("bet"), "1", deadline=7, trace=Trace()) is is_known
    asked = wallet.calls[0].callback
    assert isinstance(asked, Status)
    assert (asked.trans_id, asked.checks) == ("1", (42,))


@pytest.mark.parametrize("answer", [AWAY, NOBODY])
async def test_a_look_up_that_says_nothing_is_unknown(answer: Step) -> None:
    with pytest.raises(OutcomeUnknown, match="could not be looked up") as caught:
        await questions.is_known(FakeWallet(answer), callback("bet"), 1, deadline=7, trace=Trace())

    assert caught.value.sent is False


@pytest.mark.parametrize(
    ("outcome", "answer", "balance", "asked"),
    [
        (RICH, AWAY, 500, 0),
        (NO_BALANCE, RICH, 500, 1),
        (NO_BALANCE, AWAY, None, 1),
        (Outcome(Result.BALANCE_INSUFFICIENT, None), RICH, 500, 1),
        # Their answers carry none.
        (Outcome(Result.PLAYER_NOT_FOUND, None), RICH, None, 0),
    ],
)
async def test_a_balance_that_is_missing_is_asked_for(
    outcome: Outcome, answer: Step, balance: int | None, asked: int
) -> None:
    wallet = FakeWallet(answer)
    found = await questions.with_balance(
        wallet, callback("bet"), outcome, deadline=2000, trace=Trace(), clock=FakeClock()
    )

    assert (found.result, found.balance, len(wallet.calls)) == (outcome.result, balance, asked)


async def test_nothing_is_asked_for_a_state_or_once_the_budget_has_passed() -> None:
    wallet, state = FakeWallet(RICH), Outcome(Result.OK, None, TransactionState.OK)

    for command, outcome, deadline in (("status", state, 2000), ("bet", NO_BALANCE, 1000)):
        found = await questions.with_balance(
            wallet, callback(command), outcome, deadline=deadline, trace=Trace(), clock=FakeClock()
        )
        assert found is outcome
    assert wallet.calls == []


@pytest.mark.parametrize("command", ["authenticate", "balance"])
async def test_a_question_of_the_provider_needs_its_balance(command: str) -> None:
    asked = callback(command, "21")
    assert isinstance(asked, Authenticate | Balance)

    async def ask(*steps: Step) -> Outcome:
        return await questions.ask(
            FakeWallet(*steps),
            asked,
            deadline=2000,
            trace=Trace(),
            clock=FakeClock(),
        )

    assert await ask(RICH) == await ask(NO_BALANCE, RICH) == RICH
    assert await ask(NOBODY) == NOBODY
    with pytest.raises(OutcomeUnknown, match="could not be read"):
        await ask(NO_BALANCE, AWAY)

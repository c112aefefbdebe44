"""The checks that a wallet does not make itself, made by questions right before the movement."""

import pytest
from msgspec.structs import replace
from tests.support.callbacks import body, make_callback
from tests.support.fake_wallet import FakeWallet, Step

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.transactions.missing_checks import CheckedWallet, checked

V1 = Promises(late_bets_refused=True)
ALL = V1.checks
OK = Outcome(Result.OK, 400)
POOR, RICH = Outcome(Result.OK, 999), Outcome(Result.OK, 1000)
NOBODY, INACTIVE = Outcome(Result.PLAYER_NOT_FOUND), Outcome(Result.PLAYER_INACTIVE)
INSUFFICIENT, REPEATED = Outcome(Result.BALANCE_INSUFFICIENT, 999), Outcome(Result.ALREADY_PROCESSED, 999)
KNOWN, NOT_KNOWN = Outcome(Result.OK, 0, TransactionState.OK), Outcome(Result.TRANSACTION_NOT_FOUND, 0)
AWAY = OutcomeUnknown("away", sent=True)

NO_PLAYER = replace(V1, checks=ALL - {21, 22})
NO_BALANCE = replace(V1, checks=ALL - {31})
NO_BALANCE_NO_STATUS = replace(NO_BALANCE, has_status=False)
FIRST = replace(V1, checks_balance_first=True)
FIRST_NO_STATUS = replace(FIRST, has_status=False)
UNPROTECTED = replace(V1, repeats=Repeats.UNPROTECTED)


async def send(promises: Promises, command: str, *steps: Step, check: str | None = None) -> tuple[Outcome, list[str]]:
    """What came of it, and what the wallet was asked."""
    wallet = FakeWallet(*steps)
    data = {} if check is None else {"check": check}
    callback = decode(body(make_callback(command, **data)), currency_decimals=0)
    outcome = await CheckedWallet(wallet, promises).call(callback, deadline=7, trace=Trace())
    return outcome, [call.callback.command.value for call in wallet.calls]


@pytest.mark.parametrize("promises", [V1, replace(V1, repeats=Repeats.REPLAYED, has_cancel=False, has_status=False)])
def test_a_wallet_that_makes_its_checks_is_called_as_it_is(promises: Promises) -> None:
    wallet = FakeWallet()

    assert checked(wallet, promises) is wallet


@pytest.mark.parametrize("promises", [NO_PLAYER, NO_BALANCE, FIRST, UNPROTECTED])
def test_any_other_is_called_with_its_checks_before(promises: Promises) -> None:
    assert isinstance(checked(FakeWallet(), promises), CheckedWallet)


@pytest.mark.parametrize(
    ("promises", "command", "steps", "outcome", "asked"),
    [
        # 21 and 22 by a look-up, before whatever is about a transaction.
        (NO_PLAYER, "bet", [RICH, OK], OK, ["balance", "bet"]),
        (NO_PLAYER, "win", [NOBODY], NOBODY, ["balance"]),
        (NO_PLAYER, "cancel", [INACTIVE], INACTIVE, ["balance"]),
        (NO_PLAYER, "status", [NOBODY], NOBODY, ["balance"]),
        (NO_PLAYER, "balance", [OK], OK, ["balance"]),
        (NO_PLAYER, "authenticate", [OK], OK, ["authenticate"]),
        # 31 by a balance question, before a bet alone.
        (NO_BALANCE, "bet", [RICH, OK], OK, ["balance", "bet"]),
        (NO_BALANCE, "bet", [NOBODY], NOBODY, ["balance"]),
        (NO_BALANCE, "win", [OK], OK, ["win"]),
        # A 31 where the provider wants 41 first: one more question, in this case only.
        (NO_BALANCE, "bet", [POOR, NOT_KNOWN], INSUFFICIENT, ["balance", "status"]),
        (NO_BALANCE, "bet", [POOR, KNOWN], REPEATED, ["balance", "status"]),
        (NO_BALANCE_NO_STATUS, "bet", [POOR], INSUFFICIENT, ["balance"]),
        (FIRST, "bet", [OK], OK, ["bet"]),
        (FIRST, "bet", [INSUFFICIENT, NOT_KNOWN], INSUFFICIENT, ["bet", "status"]),
        (FIRST, "bet", [INSUFFICIENT, KNOWN], REPEATED, ["bet", "status"]),
        (FIRST_NO_STATUS, "bet", [INSUFFICIENT], INSUFFICIENT, ["bet"]),
        # A wallet that would move money twice is asked first whether it has.
        (UNPROTECTED, "bet", [NOT_KNOWN, OK], OK, ["status", "bet"]),
        (UNPROTECTED, "win", [KNOWN, POOR], REPEATED, ["status", "balance"]),
        (UNPROTECTED, "win", [KNOWN, INACTIVE], INACTIVE, ["status", "balance"]),
        (UNPROTECTED, "cancel", [OK], OK, ["cancel"]),
        (replace(UNPROTECTED, has_status=False), "bet", [OK], OK, ["bet"]),
    ],
)
async def test_the_first_check_that_fails_is_the_answer(
    promises: Promises, command: str, steps: list[Step], outcome: Outcome, asked: list[str]
) -> None:
    assert await send(promises, command, *steps) == (outcome, asked)


@pytest.mark.parametrize(
    ("promises", "command", "check"),
    [(NO_PLAYER, "bet", "41,31"), (NO_BALANCE, "bet", "21,22,41"), (NO_PLAYER, "cancel", "42")],
)
async def test_what_is_not_asked_for_is_not_checked(promises: Promises, command: str, check: str) -> None:
    assert await send(promises, command, OK, check=check) == (OK, [command])


@pytest.mark.parametrize(("promises", "steps"), [(NO_BALANCE, [POOR]), (FIRST, [INSUFFICIENT])])
async def test_a_31_stands_where_it_comes_first_anyway(promises: Promises, steps: list[Step]) -> None:
    outcome, asked = await send(promises, "bet", *steps, check="21,22,31,41")

    assert (outcome, len(asked)) == (INSUFFICIENT, 1)


@pytest.mark.parametrize(
    ("promises", "command", "steps"),
    [
        (NO_PLAYER, "win", [AWAY]),
        (NO_BALANCE, "bet", [AWAY]),
        (NO_BALANCE, "bet", [POOR, AWAY]),
        (UNPROTECTED, "bet", [AWAY]),
        (FIRST, "bet", [INSUFFICIENT, AWAY]),
    ],
)
async def test_a_question_that_is_not_answered_leaves_nothing_in_doubt(
    promises: Promises, command: str, steps: list[Step]
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await send(promises, command, *steps)

    assert caught.value.sent is False


async def test_what_becomes_of_the_movement_itself_is_passed_on() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await send(NO_PLAYER, "bet", RICH, AWAY)

    assert caught.value is AWAY

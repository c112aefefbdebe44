"""
Questions that the gateway asks the wallet on its own: a balance for an answer, the checks of a player, the status of a
transaction. They move no money.
"""

from collections.abc import Callable

from msgspec.structs import replace

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Authenticate, Balance, Callback, Status
from walletbridge.protocol.checks import OF_PLAYER, Check
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Outcome, Result
from walletbridge.wallet.port import Wallet


def checks_of_player(callback: Callback, *, before: int | None = None) -> tuple[int, ...]:
    """The callback's checks of the player (21, 22); only those in front of check `before`, if the callback lists it."""
    checks = callback.checks
    if before in checks:
        checks = checks[: checks.index(before)]
    return tuple(check for check in checks if check in OF_PLAYER)


async def ask_player(
    wallet: Wallet, callback: Callback, checks: tuple[int, ...], *, deadline: float, trace: Trace
) -> Outcome:
    """
    The player's current balance, or the first of `checks` that fails (21, 22).

    Raises OutcomeUnknown with `sent=False` on any other result: the question moved no money.
    """
    question = Balance(
        account=callback.account, checks=checks or (Check.PLAYER_EXISTS,), requested_at=callback.requested_at
    )
    try:
        outcome = await wallet.call(question, deadline=deadline, trace=trace)
    except OutcomeUnknown as unknown:
        raise OutcomeUnknown(f"the balance could not be read: {unknown.reason}", sent=False) from None
    is_asked = outcome.result in checks
    if outcome.result is not Result.OK and not is_asked:
        raise OutcomeUnknown("the balance could not be read", sent=False)
    if outcome.result is Result.OK and outcome.balance is None:
        raise OutcomeUnknown("the balance could not be read", sent=False)
    return outcome


async def is_known(wallet: Wallet, callback: Callback, trans_id: int | str, *, deadline: float, trace: Trace) -> bool:
    """
    Whether the wallet has the transaction. Raises OutcomeUnknown with `sent=False` if it answers neither OK nor 42.
    """
    question = Status(
        account=callback.account,
        checks=(Check.TRANSACTION_EXISTS,),
        requested_at=callback.requested_at,
        trans_id=trans_id,
    )
    try:
        outcome = await wallet.call(question, deadline=deadline, trace=trace)
    except OutcomeUnknown as unknown:
        raise OutcomeUnknown(f"the transaction could not be looked up: {unknown.reason}", sent=False) from None
    if outcome.result not in {Result.OK, Result.TRANSACTION_NOT_FOUND}:
        raise OutcomeUnknown(f"the transaction could not be looked up: {outcome.result.name}", sent=False)
    return outcome.result is Result.OK


async def with_balance(  # noqa: PLR0913 - a call and its clock
    wallet: Wallet, callback: Callback, outcome: Outcome, *, deadline: float, trace: Trace, clock: Callable[[], float]
) -> Outcome:
    """Adds the balance that the answer needs, if `outcome` has none and the wallet gives one within the budget."""
    is_needed = outcome.result not in WITHOUT_BALANCE and not (
        isinstance(callback, Status) and outcome.result is Result.OK
    )
    if outcome.balance is not None or not is_needed or clock() >= deadline:
        return outcome
    try:
        current = await ask_player(wallet, callback, (), deadline=deadline, trace=trace)
    except OutcomeUnknown:
        return outcome
    return replace(outcome, balance=current.balance)


async def ask(
    wallet: Wallet,
    callback: Authenticate | Balance,
    *,
    deadline: float,
    trace: Trace,
    clock: Callable[[], float],
) -> Outcome:
    """Answers `authenticate` and `balance`. Raises OutcomeUnknown, also if the balance could not be read."""
    outcome = await wallet.call(callback, deadline=deadline, trace=trace)
    outcome = await with_balance(wallet, callback, outcome, deadline=deadline, trace=trace, clock=clock)
    if outcome.result is Result.OK and outcome.balance is None:
        raise OutcomeUnknown("the balance could not be read", sent=True)
    return outcome

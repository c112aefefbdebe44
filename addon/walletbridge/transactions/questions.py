"""
Questions that the gateway asks the wallet of its own accord: a balance that an answer needs, the checks of a player,
what became of a transaction. They move nothing.
"""

from collections.abc import Callable

from msgspec.structs import replace

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Authenticate, Balance, Callback, Status
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import WITHOUT_BALANCE, Outcome, Result
from walletbridge.wallet.port import Wallet

PLAYER_EXISTS, PLAYER_ACTIVE = 21, 22
TRANSACTION_EXISTS = 42


def checks_of_player(callback: Callback, *, before: int | None = None) -> tuple[int, ...]:
    """Which of the callback's checks are on the player; those that stand before check `before`, if it is among them."""
    checks = callback.checks
    if before in checks:
        checks = checks[: checks.index(before)]
    return tuple(check for check in checks if check in {PLAYER_EXISTS, PLAYER_ACTIVE})


async def ask_player(
    wallet: Wallet, callback: Callback, checks: tuple[int, ...], *, deadline: float, trace: Trace
) -> Outcome:
    """
    The player's balance now, or the first of `checks` that fails (21, 22).

    Raises OutcomeUnknown, not sent, for anything else: nothing has moved for it.
    """
    question = Balance(account=callback.account, checks=checks or (PLAYER_EXISTS,), requested_at=callback.requested_at)
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
    """Whether the wallet has the transaction. Raises OutcomeUnknown, not sent, where it does not say."""
    question = Status(
        account=callback.account, checks=(TRANSACTION_EXISTS,), requested_at=callback.requested_at, trans_id=trans_id
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
    """`outcome` with the balance that its answer needs, if it has none and the wallet tells it within the budget."""
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
    """The answer to a provider's own question. Raises OutcomeUnknown, also where its balance could not be read."""
    outcome = await wallet.call(callback, deadline=deadline, trace=trace)
    outcome = await with_balance(wallet, callback, outcome, deadline=deadline, trace=trace, clock=clock)
    if outcome.result is Result.OK and outcome.balance is None:
        raise OutcomeUnknown("the balance could not be read", sent=True)
    return outcome

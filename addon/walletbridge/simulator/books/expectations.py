"""
The answers that the protocol allows a wallet, given the transaction's state and the balance. Pure.
"""

from dataclasses import dataclass
from enum import Enum

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result, TransactionState
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.readings import says


class State(Enum):
    """The state of a transaction at the wallet."""

    ABSENT = "never made"
    APPLIED = "made"
    CANCELLED = "made and cancelled"
    BARRED = "cancelled before it came: it must never be made"


@dataclass(frozen=True, slots=True)
class Expected:
    """An allowed answer, and the state and balance after it."""

    result: Result
    state: State
    """The transaction's state after the answer."""
    balance: int
    """The balance after the answer."""
    says: TransactionState | None = None

    def __str__(self) -> str:
        return says(self.result, self.balance if self.says is None else None, self.says)


def expectations(call: Call, delta: int, state: State, balance: int) -> tuple[Expected, ...]:
    """
    Returns the answers to `call` that the protocol allows if its transaction is in `state`, the regular one first.

    `delta` is the change of the balance when the transaction is made. PROTOCOL: Checks, Answers.
    """
    if call.command is Command.BET or call.command is Command.WIN:
        return _of_movement(delta, state, balance)
    if call.command is Command.CANCEL:
        return _of_cancel(delta, state, balance)
    if call.command is Command.STATUS:
        return _of_status(state, balance)
    return (Expected(Result.OK, state, balance),)


def _of_movement(delta: int, state: State, balance: int) -> tuple[Expected, ...]:
    repeated = Expected(Result.ALREADY_PROCESSED, state, balance)
    failed = Expected(Result.FAILED, state, balance)
    uncovered = Expected(Result.BALANCE_INSUFFICIENT, state, balance)
    if state is State.APPLIED:
        return (repeated,)
    if state is State.CANCELLED:
        return repeated, failed
    if state is State.BARRED:
        return (failed, repeated, uncovered) if balance + delta < 0 else (failed, repeated)
    if balance + delta < 0:
        return (uncovered,)
    return Expected(Result.OK, State.APPLIED, balance + delta), failed


def _of_cancel(delta: int, state: State, balance: int) -> tuple[Expected, ...]:
    failed = Expected(Result.FAILED, state, balance)
    if state is State.APPLIED:
        return Expected(Result.OK, State.CANCELLED, balance - delta), failed
    if state is State.CANCELLED:
        return Expected(Result.OK, state, balance), failed
    unknown = Expected(Result.TRANSACTION_NOT_FOUND, State.BARRED, balance)
    # A wallet that remembers the cancel may answer a second cancel with OK: no money moves either way.
    return (unknown, Expected(Result.OK, state, balance)) if state is State.BARRED else (unknown,)


def _of_status(state: State, balance: int) -> tuple[Expected, ...]:
    canceled = Expected(Result.OK, state, balance, TransactionState.CANCELED)
    unknown = Expected(Result.TRANSACTION_NOT_FOUND, state, balance)
    if state is State.APPLIED:
        return (Expected(Result.OK, state, balance, TransactionState.OK),)
    if state is State.CANCELLED:
        return (canceled,)
    return (unknown, canceled) if state is State.BARRED else (unknown,)

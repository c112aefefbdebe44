"""
The start and end of a player's run: the starting balance, and the final comparison of its book with the wallet.
"""

from collections.abc import Iterable

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.transactions import Transaction
from walletbridge.simulator.plan import BALANCE_RETRIES, BALANCE_WAIT
from walletbridge.simulator.play.conversation import is_unanswered
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.comparison import compare
from walletbridge.simulator.report.recorder import Asked
from walletbridge.simulator.report.report import AccountLine
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.client import Failure
from walletbridge.simulator.wire.readings import HTTP_OK, HTTP_SERVER_ERRORS

_FINAL_TRIES = 10
"""Tries of the final `balance`, without which no comparison is possible."""


class CouldNotRun(Exception):
    """
    Raised by `run` if it cannot judge anything: no connection, a refused token, an unknown account. Carries the reason.
    """


async def read_start(player: Player) -> bool:
    """
    Starts the player's ledger with the balance that the wallet answers. Returns False if a violation prevents it.

    Raises CouldNotRun.
    """
    asked = await _balance(player, Case.BALANCE)
    for attempt in range(1 + BALANCE_RETRIES):
        if attempt:
            await player.pause(BALANCE_WAIT)
            asked = await _balance(player, Case.BALANCE_RETRY)
        if (problem := _hopeless(asked)) is not None:
            raise CouldNotRun(f"{problem} ({player.where}).")
        if asked.reading.result == Result.OK and asked.reading.balance is not None:
            player.start(asked.reading.balance)
            return True
        if not is_unanswered(asked):
            break
    answer = asked.exchange.answer
    if answer is not None and answer.http_status in HTTP_SERVER_ERRORS:
        raise CouldNotRun(f"`balance` was answered HTTP {answer.http_status} every time ({player.where}).")
    if not player.recorder.violations_total:
        raise CouldNotRun(f"`balance` got no definite answer ({player.where}).")
    return False


def _hopeless(asked: Asked) -> str | None:
    """Returns why further tries are useless, or None."""
    failure, answer = asked.exchange.failure, asked.exchange.answer
    if failure in {Failure.UNREACHABLE, Failure.BROKEN}:
        return f"No answer to `balance`: {asked.exchange.why}"
    if answer is not None and answer.http_status != HTTP_OK and answer.http_status not in HTTP_SERVER_ERRORS:
        return f"`balance` was answered HTTP {answer.http_status}: is this the callback URL?"
    return _NO_START.get(asked.reading.result) if asked.reading.result is not None else None


_NO_START: dict[int, str] = {
    Result.PLAYER_NOT_FOUND: "The wallet does not know the account: `balance` was answered result 21",
    Result.PLAYER_INACTIVE: "The account is not active: `balance` was answered result 22",
    Result.WRONG_TOKEN: "The callback token was refused: `balance` was answered result 100",
}


async def ask_end(player: Player) -> None:
    """
    Asks for the status of unsettled transactions, the final balance, then all other statuses. May be cut at any time.
    """
    unsettled = [transaction for transaction in player.transactions if not transaction.settled]
    await _statuses(player, unsettled)
    for attempt in range(_FINAL_TRIES):
        if attempt:
            await player.pause(BALANCE_WAIT)
        player.final = await _balance(player, Case.FINAL_BALANCE)
        if not is_unanswered(player.final):
            break
    await _statuses(player, [transaction for transaction in player.transactions if transaction.settled])


def compare_end(player: Player) -> AccountLine:
    """Compares the provider's book with the final balance. Reports a difference as a violation."""
    final = player.final
    balance = final.reading.balance if final is not None and final.reading.result == Result.OK else None
    line = compare(
        player.account,
        player.started_with,
        player.transactions,
        balance,
        faults_expected=player.plan.faults_expected,
    )
    if final is not None and line.agrees is False:
        got, rule = f"balance {line.balance}", Case.FINAL_BALANCE.rule
        player.recorder.violation(Case.FINAL_BALANCE, rule, f"balance {line.expected}", got, [final])
    return line


async def _statuses(player: Player, transactions: Iterable[Transaction]) -> None:
    """Asks for each status, and again for each without a definite answer."""
    for attempt in range(1 + BALANCE_RETRIES):
        if attempt and transactions:
            await player.pause(BALANCE_WAIT)
        transactions = [
            transaction
            for transaction in transactions
            if not (await player.status(transaction, Case.FINAL_STATUS)).reading.known
        ]


async def _balance(player: Player, case: Case) -> Asked:
    asked = await player.post(Call(command=Command.BALANCE, account=player.account))
    player.note(case, asked)
    return asked

"""
Calls that must be refused in any state of the ledger: wrong tokens, malformed bodies, other accounts.
"""

import time
from dataclasses import replace

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.checks import DOCUMENTED
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.transactions import Transaction
from walletbridge.simulator.play.conversation import is_unanswered
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Asked
from walletbridge.simulator.rules import Rule
from walletbridge.simulator.wire.calls import malformed
from walletbridge.simulator.wire.client import Token
from walletbridge.simulator.wire.readings import HTTP_OK, read

_CLIENT_ERRORS = range(400, 500)


async def unknown_account(player: Player) -> None:
    """Every command for an account that does not exist."""
    await _beside(player, f"nobody{player.random.randrange(10**8):08d}", Case.UNKNOWN_ACCOUNT, Result.PLAYER_NOT_FOUND)


async def inactive_account(player: Player) -> None:
    """Every command that makes check 22, for an account that is not active."""
    if player.plan.inactive_account is not None:
        await _beside(player, player.plan.inactive_account, Case.INACTIVE_ACCOUNT, Result.PLAYER_INACTIVE)


async def _beside(player: Player, account: str, case: Case, expected: Result) -> None:
    for command in Command:
        if expected.value in DOCUMENTED[command]:
            await player.ask_beside(
                case, replace(player.new_call(command, amount=player.step), account=account), expected
            )


async def tokens(player: Player) -> None:
    """Sends wrong tokens and no token, with a bet, a win and a broken body: the token must be checked first."""
    bet = player.new_call(Command.BET, amount=player.step)
    win = player.new_call(Command.WIN, amount=player.step)
    for case, token in (
        (Case.WRONG_TOKEN, Token.WRONG),
        (Case.WRONG_TOKEN, Token.CUT),
        (Case.MISSING_TOKEN, Token.MISSING),
    ):
        for call, body in ((bet, None), (win, None), (bet, b"{")):
            asked = await player.post(call, token=token, body=body)
            answer = asked.exchange.answer
            right = answer is not None and answer.http_status == HTTP_OK and not asked.reading.problems
            _judge(player, case, asked, right=right and asked.reading.result == Result.WRONG_TOKEN)
            await player.balance(blame=asked, case=case, rule=case.rule)
    for call in (bet, win):
        await player.status(Transaction(call), Case.STATUS_UNKNOWN)


async def malformed_bodies(player: Player) -> None:
    """Bodies that are no callbacks: any refusal is right, and no money may move."""
    for command in (Command.BET, Command.WIN):
        call = player.new_call(command, amount=player.step)
        for body in malformed(call, int(time.time())):
            asked = await player.post(call, body=body)
            _judge(player, Case.MALFORMED, asked, right=_is_refusal(asked))
            await player.balance(blame=asked, case=Case.MALFORMED, rule=Rule.MALFORMED)
        await player.status(Transaction(call), Case.STATUS_UNKNOWN)


def _is_refusal(asked: Asked) -> bool:
    """Whether the answer is HTTP 4xx or, with any HTTP status, an error result."""
    answer = asked.exchange.answer
    if answer is None:
        return False
    result = read(asked.call, HTTP_OK, answer.body).result
    return answer.http_status in _CLIENT_ERRORS or result not in {None, Result.OK}


def _judge(player: Player, case: Case, asked: Asked, *, right: bool) -> None:
    """Reports an answer that does not concern the ledger."""
    player.recorder.record(case, asked, decided=right)
    if right or (player.plan.faults_expected and is_unanswered(asked)):
        return
    expected = "HTTP 200 with result 100" if case is not Case.MALFORMED else "HTTP 4xx or an error result"
    answer = asked.exchange.answer
    got = asked.exchange.why if answer is None else f"HTTP {answer.http_status} with {asked.reading}"
    player.recorder.violation(case, case.rule, expected, got, [asked])

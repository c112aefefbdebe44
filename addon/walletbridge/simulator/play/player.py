"""
One player: an account, its book, and the provider's behaviour (bets, wins, retries, cancels).
"""

import asyncio
from collections.abc import Callable, Sequence

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.ledger import Ledger
from walletbridge.simulator.books.transactions import Belief, Transaction
from walletbridge.simulator.plan import DEPOSIT_WAIT, Plan
from walletbridge.simulator.play.conversation import Conversation, is_unanswered
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Asked, Recorder
from walletbridge.simulator.wire.calls import GAMES, UNIT_DECIMALS, Call
from walletbridge.simulator.wire.client import Client, Failure

_STAKE_STEPS_MAX = 1000
_FUNDS_STEPS = 100
_FUNDS_STEPS_MIN = 20
_UNSETTLED_MAX = 4
"""Each unsettled transaction doubles the possible worlds; with more, little is left to check."""
_UNSETTLED_WAIT = (1.0, 1.0)
_PROCESSED = frozenset({Result.OK, Result.ALREADY_PROCESSED})
_CANCELLED = frozenset({Result.OK, Result.TRANSACTION_NOT_FOUND})


class Player(Conversation):
    """Acts as the provider for one player."""

    def __init__(
        self, account: str, plan: Plan, client: Client, recorder: Recorder, *, new_id: Callable[[], int]
    ) -> None:
        super().__init__(account, plan, client, recorder)
        self.new_id = new_id
        self.transactions: list[Transaction] = []
        """The provider's book."""
        self.started_with = 0
        """In units of 10**-8."""
        self.final: Asked | None = None
        """The final `balance`."""

    def start(self, balance: int) -> None:
        """Starts the ledger with `balance`, in units of 10**-8."""
        self.ledger = Ledger(balance)
        self.started_with = balance

    # Amounts and calls

    @property
    def step(self) -> int:
        """The smallest amount played, in units of 10**-8."""
        return int(10 ** (UNIT_DECIMALS - self.plan.decimals))

    @property
    def steps(self) -> int:
        """How many steps every possible balance covers."""
        return max(0, self.ledger.balances[0] // self.step)

    def stake(self) -> int:
        """Returns an amount that the balance covers 20 times, if it covers 20 steps."""
        return self.random.randint(1, max(1, min(self.steps // 20, _STAKE_STEPS_MAX))) * self.step

    async def fund(self) -> None:
        """Wins an amount if the balance is too small to play with."""
        if self.steps < _FUNDS_STEPS_MIN:
            await self.win(_FUNDS_STEPS * self.step)

    def new_call(self, command: Command, **fields: int | str) -> Call:
        """Returns a call of a new transaction, in a new round of a random game."""
        new: dict[str, int | str] = {"trans_id": self.new_id(), "round_id": str(self.new_id())}
        return Call(command=command, account=self.account, game=self.random.choice(GAMES), **(new | fields))  # type: ignore[arg-type]

    def open(self, call: Call) -> Transaction:
        """Enters a bet or win in the book before it is sent."""
        transaction = Transaction(call)
        self.transactions.append(transaction)
        self.ledger.open(call.key, transaction.delta)
        return transaction

    # The provider's actions

    async def authenticate(self) -> None:
        """Opens a game."""
        await self.ask(Case.AUTHENTICATE, Call(command=Command.AUTHENTICATE, account=self.account))

    async def status(self, transaction: Transaction, case: Case = Case.STATUS) -> Asked:
        """Asks for the status of a transaction."""
        call = Call(command=Command.STATUS, account=self.account, trans_id=transaction.call.trans_id)
        asked = await self.ask(case, call)
        if asked.reading.state is not None:
            transaction.wallet_says = asked.reading.state
        elif asked.reading.result == Result.TRANSACTION_NOT_FOUND:
            transaction.wallet_says = "UNKNOWN"
        return asked

    async def bet(
        self,
        amount: int,
        case: Case = Case.BET,
        *,
        body: bytes | None = None,
        hang_up: bool = False,
        **fields: int | str,
    ) -> Transaction:
        """Takes a stake. Cancels an unanswered bet."""
        transaction = self.open(self.new_call(Command.BET, amount=amount, **fields))
        await self.conclude(transaction, [await self.ask(case, transaction.call, body=body, hang_up=hang_up)])
        return transaction

    async def win(
        self, amount: int, case: Case = Case.WIN, *, hang_up: bool = False, **fields: int | str
    ) -> Transaction:
        """Pays a win. Sends an unanswered win again, and gives up after the last retry."""
        transaction = self.open(self.new_call(Command.WIN, amount=amount, **fields))
        await self.conclude(transaction, [await self.ask(case, transaction.call, hang_up=hang_up)])
        return transaction

    async def again(self, transaction: Transaction, case: Case) -> Asked:
        """Sends a bet or win again, unchanged."""
        return await self.ask(case, transaction.call)

    async def cancel(self, transaction: Transaction, case: Case) -> None:
        """Cancels a bet or win. Sends an unanswered cancel again; after the last retry it counts as made."""
        before = transaction.belief, transaction.settled
        transaction.doubt(Belief.CANCELLED)
        transaction.cancel_sent = True
        call = self.cancel_of(transaction)
        try:
            asked = await self._until_answered(await self.ask(case, call), Case.CANCEL_RETRY)
        except asyncio.CancelledError:
            transaction.doubt(Belief.GIVEN_UP)
            raise
        if asked.reading.result in _CANCELLED:
            transaction.settle(Belief.CANCELLED)
        elif asked.reading.known:
            transaction.belief, transaction.settled = before

    def cancel_of(self, transaction: Transaction) -> Call:
        """Returns the cancel of a bet or win."""
        call = transaction.call
        return Call(
            command=Command.CANCEL,
            account=self.account,
            trans_id=call.trans_id,
            round_id=call.round_id,
            game=call.game,
        )

    async def conclude(self, transaction: Transaction, answers: Sequence[Asked]) -> None:
        """Acts on the answers to a movement as the provider does: believes, cancels or repeats."""
        if transaction.call.command is Command.BET:
            if any(asked.reading.result == Result.OK for asked in answers):
                transaction.settle(Belief.APPLIED)
            elif all(asked.reading.known for asked in answers):
                transaction.settle(Belief.REFUSED)
            else:
                await self.cancel(transaction, Case.CANCEL_UNANSWERED_BET)
            return
        if not any(asked.reading.result in _PROCESSED for asked in answers):
            unanswered = [asked for asked in answers if not asked.reading.known]
            if unanswered:
                answers = [await self._until_answered(unanswered[0], Case.WIN_RETRY)]
        if any(asked.reading.result in _PROCESSED for asked in answers):
            transaction.settle(Belief.APPLIED)
        elif all(asked.reading.known for asked in answers):
            transaction.settle(Belief.REFUSED)

    async def _until_answered(self, asked: Asked, case: Case) -> Asked:
        """Sends an unanswered deposit again, 2 to 4 seconds apart, or immediately if the provider itself hung up."""
        for _ in range(self.plan.deposit_retries):
            if not is_unanswered(asked):
                break
            if asked.exchange.failure is not Failure.HUNG_UP:
                await self.pause(DEPOSIT_WAIT)
            asked = await self.ask(case, asked.call)
        return asked

    async def settle_down(self) -> None:
        """Asks for the status of unsettled transactions until few are left."""
        while len(self.ledger.unsettled) > _UNSETTLED_MAX:
            for transaction in self.transactions:
                if transaction.call.key in self.ledger.unsettled:
                    await self.status(transaction)
            await self.pause(_UNSETTLED_WAIT)

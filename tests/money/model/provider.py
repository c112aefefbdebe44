"""The provider as PROTOCOL.md describes it, with a ledger of its own: what it takes for true of each transaction."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec.structs import replace
from tests.money.model.books import Books, Stand
from tests.money.model.world import LIMITS, World

from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

BETWEEN_SECONDS = 3.0
ACCOUNT = "test1234"
_MADE = frozenset({Result.OK, Result.ALREADY_PROCESSED})
_FINAL = frozenset({Result.OK, Result.TRANSACTION_NOT_FOUND})
_GAME: dict[str, Any] = {"provider_id": 1, "game_code": "", "game_name": "", "game_type": "", "requested_at": None}


class Belief(StrEnum):
    """What the provider takes for true."""

    UNSURE = "unsure"
    """Of a win: it is owed."""
    MADE = "made"
    REFUSED = "refused"
    NOT_MADE = "not made"
    DISPUTED = "disputed"
    """Its cancel was refused."""
    VOID = "void"
    """A win that it heard of, or that is under way, whose bet was cancelled."""
    ROLLED_BACK = "rolled back"
    """A win that it never heard of, whose bet it has cancelled."""


@dataclass(slots=True, eq=False)
class Entry:
    """A transaction in the provider's ledger."""

    callback: Bet | Win
    belief: Belief = Belief.UNSURE
    is_busy: bool = False
    """Something is under way for it."""
    zero_went_out: bool = False
    has_cancelled: bool = False
    gave_up: bool = False
    """No answer came to its cancel."""
    cancel_answer: Result | None = None
    is_decided: bool = False
    """By a person, who knows the wallet and not the provider."""
    is_forgotten: bool = False
    """The journal that knew of it is lost."""


class Provider:
    """Plays, and notes what is wrong as soon as it is."""

    def __init__(self, world: World, *, sends: int) -> None:
        """`sends`: of a win or cancel. The documents say 4, and that nothing may depend on it (PROTOCOL: Retries)."""
        self._world = world
        self._sends = sends
        self.entries: list[Entry] = []
        self.wrong: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def bet(self, amount: int) -> Entry:
        number = len(self.entries) + 1
        return self._play(Bet(**_of(number, f"r{number}", (21, 22, 41, 31)), amount=amount, call_id=0, type=1))

    def win(self, amount: int, of: Entry | None) -> Entry:
        """Of a bet's round, or of none that was seen."""
        number = len(self.entries) + 1
        round_id = of.callback.round_id if of else ""
        return self._play(Win(**_of(number, round_id, (21, 22, 41)), amount=amount, call_id=0, type=2))

    def cancel(self, entry: Entry) -> None:
        """Cancels what it believes in; with a bet the win of its round is void."""
        for other in self.entries:
            callback = other.callback
            is_win_of_it = isinstance(callback, Win) and callback.round_id == entry.callback.round_id != ""
            if is_win_of_it and isinstance(entry.callback, Bet):
                # Where it is not seen that nobody reads an answer, one that went out may not have been heard.
                is_unheard = other.belief is Belief.UNSURE and not other.is_busy and self._world.leaving_is_seen
                other.belief = Belief.ROLLED_BACK if is_unheard else Belief.VOID
        self._start(entry, self._cancel(entry))

    def repeat(self, entry: Entry) -> None:
        """Sends a bet once more, by mistake: it goes by the answer to the first."""
        if not entry.is_forgotten:
            # Of a double that comes after the journal was lost, nobody could tell that it is one.
            self._start(None, self._send(entry, entry.callback))

    def restored(self, lost: set[str]) -> None:
        """The journal is an older one now, without these transactions."""
        for entry in self.entries:
            entry.is_forgotten |= entry.callback.trans_key in lost

    def conflict(self, entry: Entry) -> None:
        """Uses a transaction's id for another amount."""
        other = replace(entry.callback, amount=entry.callback.amount + 1)
        self._start(None, self._send(None, other))

    def ask(self, entry: Entry) -> None:
        """Asks what became of it, and takes the gateway's word."""
        self._start(entry, self._ask(entry))

    async def rest(self) -> None:
        """Until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def verdict(self, entry: Entry) -> str:
        """What is wrong about it once all is at rest; empty if nothing is."""
        key = entry.callback.trans_key
        row = self._world.disk.rows.get((ACCOUNT, key))
        stand = self._world.wallet.books.get(key, Books()).stand
        if row is not None and row.for_human.startswith("refused"):
            return f"a wallet that was warming up has left {row} to a person"
        if entry.is_decided or entry.is_forgotten or (row is not None and row.for_human):
            return ""
        if row is not None and (row.is_listed or row.call is not None):
            return f"nobody settles {row}"
        return self._difference(entry, row, stand)

    def _difference(self, entry: Entry, row: Row | None, stand: Stand) -> str:
        key = entry.callback.trans_key
        if entry.gave_up and (row is None or (row.cancel is CancelState.NONE and not _is_written_off(row))):
            return ""  # Nothing but its cancel could have told.
        if entry.belief is Belief.UNSURE and (row is None or row.movement is Movement.REFUSED):
            return ""  # It never came to the disk, or its refusal got lost on the way.
        is_wanted = entry.belief in {Belief.MADE, Belief.UNSURE}
        if entry.belief in {Belief.DISPUTED, Belief.VOID} or is_wanted == (stand is Stand.MADE):
            return ""
        return f"the provider takes {key} for {entry.belief}, in the wallet it is {stand}: {row}"

    def _play(self, callback: Bet | Win) -> Entry:
        entry = Entry(callback)
        self.entries.append(entry)
        self._start(entry, self._bet(entry) if isinstance(callback, Bet) else self._win(entry))
        return entry

    def _start(self, entry: Entry | None, work: Coroutine[Any, Any, object]) -> None:
        if entry is not None:
            entry.is_busy = True

        async def run() -> None:
            await work
            if entry is not None:
                entry.is_busy = False

        task = self._world.loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.wrong.append(repr(task.exception()))

    async def _bet(self, entry: Entry) -> None:
        outcome = await self._send(entry, entry.callback)
        if outcome is None:
            await self._cancel(entry)
        else:
            entry.belief = Belief.MADE if outcome.result in _MADE else Belief.REFUSED

    async def _win(self, entry: Entry) -> None:
        for _ in range(self._sends):
            outcome = await self._send(entry, entry.callback)
            if entry.belief is not Belief.UNSURE:
                return
            if outcome is not None:
                entry.belief = Belief.MADE if outcome.result in _MADE else Belief.REFUSED
                return
            await asyncio.sleep(BETWEEN_SECONDS)

    async def _cancel(self, entry: Entry) -> None:
        entry.belief, entry.has_cancelled = Belief.NOT_MADE, True
        callback = entry.callback
        cancel = Cancel(**_of(int(callback.trans_key), callback.round_id, (21, 22, 42)))
        for _ in range(self._sends):
            outcome = await self._send(entry, cancel)
            if outcome is not None:
                entry.cancel_answer = outcome.result
                entry.belief = Belief.NOT_MADE if outcome.result in _FINAL else Belief.DISPUTED
                return
            await asyncio.sleep(BETWEEN_SECONDS)
        entry.gave_up = True

    async def _ask(self, entry: Entry) -> None:
        question = Status(account=ACCOUNT, trans_id=entry.callback.trans_id, checks=(21, 42), requested_at=None)
        outcome = await self._send(entry, question)
        if outcome is None or entry.belief in {Belief.VOID, Belief.DISPUTED}:
            return
        if outcome.state is TransactionState.OK:
            entry.belief = Belief.MADE
        elif entry.belief is not Belief.REFUSED:
            entry.belief = Belief.NOT_MADE

    async def _send(self, entry: Entry | None, callback: Callback) -> Outcome | None:
        callback = replace(callback, requested_at=int(self._world.loop.time()))
        worker = self._world.worker()
        if worker is None:
            await asyncio.sleep(0.1)
            return None
        heard = worker.receive(callback)
        await asyncio.wait({heard}, timeout=LIMITS[callback.command])
        if not heard.done():
            heard.cancel()
            return None
        outcome = heard.result()
        if entry is not None and outcome is not None and isinstance(callback, Bet):
            self._check_bet(entry, outcome)
        return outcome

    def _check_bet(self, entry: Entry, outcome: Outcome) -> None:
        if outcome.result is Result.OK:
            entry.zero_went_out = True
        elif outcome.result is Result.ALREADY_PROCESSED and not (entry.zero_went_out or entry.has_cancelled):
            self.wrong.append(f"41 to bet {entry.callback.trans_key}, for which no 0 went out")


def _is_written_off(row: Row) -> bool:
    """Whether the gateway can know that its sender takes the bet for not made."""
    return row.kind is Kind.BET and row.told in {Told.NOTHING, Told.MAYBE}


def _of(number: int, round_id: str, checks: tuple[int, ...]) -> dict[str, Any]:
    return {"account": ACCOUNT, "trans_id": number, "round_id": round_id, "checks": checks, **_GAME}

"""What is proved with a journal in memory is proved of the real one only if the two do the same."""

import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from tests.money.model.memory_journal import Disk, MemoryJournal
from tests.support.clock import FakeClock

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Change, Found, Journal, Step
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

OPERATIONS = 200
LONGER_THAN_ANY_TURN = 60
ACCOUNTS, TRANSACTIONS, ROUNDS = ["a", "b"], ["1", "2", "3"], ["", "r", "s"]
ROWS = [
    Row(account="", trans_id="", request="{}", kind=Kind.BET, amount=1, movement=Movement.CONFIRMED, told=Told.YES),
    Row(account="", trans_id="", request="{}", kind=Kind.BET, amount=1, movement_unresolved_since=5.5),
    Row(account="", trans_id="", request="{}", kind=Kind.WIN, amount=2),
    Row(account="", trans_id="", request="{}", cancel=CancelState.OWED),
    Row(account="", trans_id="", request="{}", kind=Kind.BET, amount=1, call=Kind.BET, call_ends_at=7.25),
]


class Operation(Struct, frozen=True):
    """What one of two workers does."""

    worker: int
    name: str
    account: str
    trans_id: str
    row: Row | None
    takes_turn: bool
    needs_round: bool

    def step(self) -> Step[Any]:
        """A step that tells what was found."""

        def step(found: Found) -> Change[Any]:
            return Change(self.row, self.takes_turn, found)

        return step


def any_operation(chance: random.Random) -> Operation:
    account, trans_id = chance.choice(ACCOUNTS), chance.choice(TRANSACTIONS)
    row = replace(chance.choice(ROWS), account=account, trans_id=trans_id, round_id=chance.choice(ROUNDS))
    name = chance.choice(["look", "look", "look", "end", "end", "end", "note", "note_soon", "to_look_at"])
    is_written, takes_turn, needs_round = (chance.random() < likely for likely in (0.7, 0.5, 0.5))
    return Operation(chance.randrange(2), name, account, trans_id, row if is_written else None, takes_turn, needs_round)


async def done(journal: Journal, operation: Operation) -> Any:
    """What came of it, as far as anybody is told."""
    account, trans_id, step = operation.account, operation.trans_id, operation.step()
    match operation.name:
        case "look":
            return await journal.look(account, trans_id, step, seconds=3, needs_round=operation.needs_round)
        case "end":
            return await journal.end(account, trans_id, step)
        case "note":
            return await journal.note(account, trans_id, step)
        case "note_soon":
            return journal.note_soon(account, trans_id, step)
        case _:
            return await journal.to_look_at(after=operation.worker, limit=3)


async def test_both_journals_do_the_same(tmp_path: Path) -> None:
    chance, clock = random.Random(7), FakeClock()  # noqa: S311 - chosen for variety
    disk = Disk(clock)
    async with AsyncExitStack() as stack:
        pairs = []
        for worker in ("one", "other"):
            real = SqliteJournal(
                tmp_path / "journal.db",
                keep_days=1,
                waiting_max=100,
                on_problem=lambda _: None,
                clock=JournalClock("an epoch", clock),
            )
            stack.push_async_callback(real.close)
            pairs.append((MemoryJournal(disk, worker), real))
        for _ in range(OPERATIONS):
            operation = any_operation(chance)
            clock.tick(chance.choice([0, 0, 0.25, 2]))
            model, real = pairs[operation.worker]
            assert await done(model, operation) == await done(real, operation), operation
            # What nobody waits for is written before the other worker comes.
            await done(real, replace(operation, name="to_look_at"))
            await done(model, replace(operation, name="to_look_at"))

        clock.tick(LONGER_THAN_ANY_TURN)
        rows = await pairs[0][1].to_look_at(after=0, limit=100)
    assert rows == disk.to_look_at(after=0, limit=100)
    assert len(disk.rows) > len(rows) > 1


async def test_a_dead_journal_writes_nothing_more() -> None:
    disk = Disk(FakeClock())
    journal = MemoryJournal(disk, "one")
    journal.note_soon("a", "1", lambda _: Change(ROWS[0], takes_turn=False, value=None))
    journal.is_dead = True
    await journal.close()

    assert disk.rows == {}

"""
Measures programs in turns, and one program's memory.
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psutil
from tests.bench.by_hand import CERT_VARIABLE, KEY_VARIABLE, WALLET_VARIABLE
from tests.bench.load import TOKEN_VARIABLE, Figures, Kind, Order
from tests.bench.programs import CONFIG, PROGRAMS, ROOT, WALLET, Running, running
from tests.bench.syncs import counted
from tests.bench.watching import watching
from tests.support.tls import Authority

MEMORY_CALLBACKS = 100_000
MEMORY_STEP = 10_000
MEMORY_CONNECTIONS = 32
WALLET_CALLS = 2048
"""At once, more than there are connections."""
COUNTED = 500
"""Callbacks during which syncs are counted."""


@dataclass(slots=True)
class Measured:
    """All rounds of one program with one number of connections."""

    program: str
    connections: int
    rounds: list[Figures] = field(default_factory=list)
    syncs: float | None = None
    """Of the disk, for one callback; None where they were not counted."""

    @property
    def best(self) -> Figures:
        """The least of each: whatever else ran on the machine can only have made a figure worse."""
        return Figures(
            rate=max(one.rate for one in self.rounds),
            p50=min(one.p50 for one in self.rounds),
            p99=min(one.p99 for one in self.rounds),
            cpu=min(one.cpu for one in self.rounds),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    programs: Sequence[str]
    connections: Sequence[int]
    kind: Kind
    rounds: int
    callbacks: int
    warm_up: int
    counts_syncs: bool = False
    tls: bool = False
    """Between the load and the program."""
    is_watched: bool = False
    """Whether a browser looks at mitmweb meanwhile."""


async def in_turns(plan: Plan) -> list[Measured]:
    """
    Measures all programs once in each round, so that a noisy minute meets them alike.

    Each turn is a new process: how one happens to lie in memory makes a few percent, and must not stay with a program.
    """
    cells = {
        (program, connections): Measured(program, connections)
        for connections in plan.connections
        for program in plan.programs
    }
    async with _stage(tls=plan.tls) as stage:
        for number in range(plan.rounds):
            _progress(f"round {number + 1} of {plan.rounds}")
            for program in plan.programs:
                async with (
                    stage.program(program) as running_program,
                    watching(running_program.page) if plan.is_watched else nullcontext(),
                ):
                    for connections in plan.connections:
                        order = stage.order(running_program, plan.kind, connections, plan.warm_up, plan.callbacks)
                        cell = cells[program, connections]
                        cell.rounds.append(await _carry_out(order))
                        if plan.counts_syncs and cell.syncs is None:
                            cell.syncs = await _syncs(stage.order(running_program, plan.kind, connections, 0, COUNTED))
    return list(cells.values())


async def _syncs(order: Order) -> float:
    """Syncs for one callback, counted beside the figures: whoever is looked at is slow."""
    async with counted(order.pids[0]) as count:
        await _carry_out(order)
    return count.syncs / order.callbacks


async def memory(program: str, kind: Kind) -> AsyncIterator[tuple[int, int]]:
    """Yields callbacks so far and the resident bytes of `program`, at the start and after every step."""
    async with _stage() as stage, stage.program(program) as running_program:
        process = psutil.Process(running_program.pids[0])
        yield 0, process.memory_info().rss
        for sent in range(MEMORY_STEP, MEMORY_CALLBACKS + 1, MEMORY_STEP):
            await _carry_out(stage.order(running_program, kind, MEMORY_CONNECTIONS, 0, MEMORY_STEP))
            yield sent, process.memory_info().rss


@dataclass(frozen=True, slots=True)
class _Stage:
    """A wallet that is up, and all that a program needs to find it."""

    folder: Path
    token: str
    environ: Mapping[str, str]
    ca_file: str | None

    def program(self, name: str) -> AbstractAsyncContextManager[Running]:
        """Starts a program."""
        return running(name, PROGRAMS[name], self.folder, self.environ)

    def order(self, program: Running, kind: Kind, connections: int, warm_up: int, callbacks: int) -> Order:
        """An order for the load."""
        return Order(
            address=program.address,
            pids=program.pids,
            ca_file=self.ca_file,
            token=self.token,
            kind=kind,
            connections=connections,
            warm_up=warm_up,
            callbacks=callbacks,
        )


@asynccontextmanager
async def _stage(*, tls: bool = False) -> AsyncIterator[_Stage]:
    token = secrets.token_urlsafe()
    with TemporaryDirectory(prefix="walletbridge-bench-") as name:
        folder = Path(name)
        authority = Authority(folder) if tls else None
        pair = authority.sign("gateway") if authority else None
        https = f"tls: {{cert_file: '{pair.cert_file}', key_file: '{pair.key_file}'}}\n" if pair else ""
        files = {CERT_VARIABLE: str(pair.cert_file), KEY_VARIABLE: str(pair.key_file)} if pair else {}
        async with running("wallet", WALLET, folder, {}) as wallet:
            (folder / CONFIG).write_text(
                f"listen: 127.0.0.1:0\nwallet: {{target: '{wallet.address}'}}\nui: {{listen: '127.0.0.1:0'}}\n"
                # Hand-written programs refuse nothing, and to refuse is cheap.
                f"limits: {{wallet_calls: {WALLET_CALLS}}}\n{https}"
            )
            yield _Stage(
                folder,
                token,
                {TOKEN_VARIABLE: token, WALLET_VARIABLE: wallet.address, **files},
                str(authority.ca_file) if authority else None,
            )


async def _carry_out(order: Order) -> Figures:
    """Has `order` carried out by a process of its own. Raises RuntimeError with what went wrong there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.load"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(msgspec.json.encode(order))
    if process.returncode:
        raise RuntimeError(f"the load on {order.address} failed:\n{errors.decode(errors='replace')}")
    return msgspec.json.decode(output, type=Figures)


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - shows that something is going on

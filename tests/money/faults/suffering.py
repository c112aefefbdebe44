"""
Has a blow happen to a system, until it is over.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.money.faults import files
from tests.money.faults.blows import Blow, Event
from tests.money.faults.heard import Said, Span
from tests.money.faults.people import meddle
from tests.money.faults.processes import START_SECONDS
from tests.money.faults.shifted import move_clock
from tests.money.faults.system import ANSWER_SECONDS, System
from tests.support.freezing import freeze_with_lock
from tests.support.waiting import until

from walletbridge.rules.row import Row

RETURN_SECONDS = 1.2
"""How long a wallet that returns slow takes for each answer. Of the protocol's time, as all that follows."""
_IN_FLIGHT_SECONDS = 1.0
"""How long the wallet takes for a call while a backup is made, so that some are in flight."""
_YEARS = 2 * 365 * 86400.0
ENDED_SECONDS = 6.0
"""Within which a worker that stands still with the lock must be ended: 2 s, the time between looks, a busy machine."""


async def suffer(system: System, event: Event) -> None:
    """Returns when it is over and all processes are as they were."""
    system.kills[event.blow] += 1
    await _BLOWS[event.blow](system, event)


async def _pause(system: System, seconds: float) -> None:
    await asyncio.sleep(seconds / system.plan.scale)


# Processes


async def _kill(system: System, event: Event) -> None:
    async with system.one_restart:
        system.expect_running(system.gateways[event.gateway])
        await system.gateways[event.gateway].kill()


async def _stop(system: System, event: Event) -> None:
    async with system.one_restart:
        system.expect_good_end(await system.gateways[event.gateway].restart())


async def _disk_full(system: System, event: Event) -> None:
    since = time.time()
    program = system.gateways[event.gateway].program
    program.limit_files(system.log_bytes() + event.bytes_left if event.bytes_left else 0)
    await _pause(system, event.seconds)
    program.limit_files(None)
    system.logs.times.no_disk.append(Span(since, time.time() + ANSWER_SECONDS, event.gateway))


async def _disk_full_at_start(system: System, event: Event) -> None:
    since = time.time()
    gateway = system.gateways[event.gateway]
    async with system.one_restart:
        gateway.program.prefix = ["prlimit", "--fsize=0:unlimited"]
        try:
            system.expect_running(gateway)
            await gateway.kill()
        finally:
            gateway.program.prefix = []
    await _pause(system, event.seconds)
    gateway.program.limit_files(None)
    system.logs.times.no_disk.append(Span(since, time.time() + ANSWER_SECONDS, event.gateway))


async def _freeze(system: System, event: Event) -> None:
    program = system.gateways[event.gateway].program
    with _locked_out(system):
        program.send(signal.SIGSTOP)
        await _pause(system, event.seconds)
        program.send(signal.SIGCONT)


async def _freeze_lock(system: System, event: Event) -> None:
    """At a moment at which nobody else can write the journal."""
    program = system.gateways[event.gateway].program
    with _locked_out(system):
        if await freeze_with_lock(lambda: program.pids[:1], system.journal, _random(event)):
            system.kills["lock frozen"] += 1
            await _pause(system, event.seconds)
        program.send(signal.SIGCONT)


async def _freeze_worker(system: System, event: Event) -> None:
    """The same with a worker, which its supervisor must end."""
    gateway = system.gateways[event.gateway]
    async with system.one_restart:
        with _locked_out(system):
            pid = await freeze_with_lock(lambda: gateway.program.pids[1:], system.journal, _random(event))
            if not pid:
                return
            system.kills["lock frozen"] += 1
            stopped_at = time.time()
            try:
                await until(lambda: pid not in gateway.program.pids, seconds=ENDED_SECONDS)
                system.kills["frozen worker ended"] += 1
            except TimeoutError:
                system.wrong.append(f"a worker that stood still with the lock was not ended within {ENDED_SECONDS:g} s")
                os.kill(pid, signal.SIGKILL)
        # What it had said last was lost with it.
        system.logs.times.kills += [Said("", at, gateway.number) for at in (stopped_at, time.time())]


def _random(event: Event) -> Random:
    return Random(event.variant)  # noqa: S311 - to be repeated, not to be secret


@contextmanager
def _locked_out(system: System) -> Iterator[None]:
    """Whoever stands still may hold the journal's lock, and then no other can write it either."""
    since = time.time()
    yield
    system.logs.times.no_disk.append(Span(since, time.time() + ANSWER_SECONDS))


# The wallet


async def _wallet_away(system: System, event: Event) -> None:
    await system.send_wallet_away(event.seconds / system.plan.scale)


async def _wallet_stopped(system: System, event: Event) -> None:
    system.wallet.send(signal.SIGSTOP)
    await _pause(system, event.seconds)
    system.wallet.send(signal.SIGCONT)


async def _wallet_warms_up(system: System, event: Event) -> None:
    system.set_mood(refuses=True)
    await system.send_wallet_away(event.seconds / system.plan.scale)
    await until(lambda: system.wallet.is_up, seconds=START_SECONDS)
    await _pause(system, 10)
    system.set_mood(refuses=False)


async def _wallet_returns_slow(system: System, event: Event) -> None:
    system.set_mood(seconds=RETURN_SECONDS)
    await system.send_wallet_away(event.seconds / system.plan.scale)


async def _method_hangs(system: System, event: Event) -> None:
    system.set_mood(hangs=("bet", "win", "cancel")[event.variant % 3])
    await _pause(system, event.seconds)
    system.set_mood(hangs="")


# Files and clocks


async def _file_goes(system: System, event: Event) -> None:
    """Under the running gateways; then a person puts a backup in its place."""
    backup = system.folder / "backup.db"
    async with system.one_restart:
        files.back_up(system.journal, backup)
        await _pause(system, event.seconds / 2)
        unsaved_since, before = time.time(), files.rows_of(system.journal)
        if event.blow is Blow.JOURNAL_REPLACED:
            files.replace(backup, system.journal)
        else:
            system.journal.unlink()
            if event.variant % 2:
                files.remove_logs(system.journal)
        since = time.time()
        await _pause(system, event.seconds)
        await system.end_gateways(killed=event.variant % 4 < 2)
        system.losses.gone.append((since, time.time()))
        system.losses.unsaved.append((unsaved_since, time.time()))
        await _start_on(system, backup, before)


async def _wal_goes(system: System, event: Event) -> None:
    async with system.one_restart:
        unsaved_since, before = time.time(), files.rows_of(system.journal)
        system.journal.with_name(f"{system.journal.name}-wal").unlink(missing_ok=True)
        since = time.time()
        await _pause(system, event.seconds)
        await system.end_gateways(killed=event.variant % 4 < 2)
        files.remove_logs(system.journal)
        system.losses.gone.append((since, time.time()))
        system.losses.unsaved.append((unsaved_since, time.time()))
        system.losses.note(before, files.rows_of(system.journal), at=time.time())
        await system.start_gateways()


async def _restore(system: System, event: Event) -> None:
    backup = system.folder / "backup.db"
    async with system.one_restart:
        system.set_mood(seconds=_IN_FLIGHT_SECONDS)
        await _pause(system, 3 * _IN_FLIGHT_SECONDS)
        await system.back_up(backup)
        system.set_mood(seconds=0)
        await _pause(system, event.seconds)
        await system.end_gateways(killed=event.variant % 4 < 2)
        await _start_on(system, backup, files.rows_of(system.journal))


async def _start_on(system: System, backup: Path, before: dict[str, Row]) -> None:
    files.restore(backup, system.journal)
    system.own(system.journal)
    system.losses.note(before, files.rows_of(backup), at=time.time())
    await system.start_gateways()


async def _clock_jumps(system: System, event: Event) -> None:
    """Of those that began in 1970 the clock is set right; of the others it is years ahead for some time."""
    if system.plan.begins_in_1970:
        move_clock(system.clock, 0)
        return
    move_clock(system.clock, _YEARS)
    await _pause(system, event.seconds)
    move_clock(system.clock, 0)


_BLOWS: dict[Blow, Callable[[System, Event], Awaitable[None]]] = {
    Blow.GATEWAY_KILLED: _kill,
    Blow.GATEWAY_STOPPED: _stop,
    Blow.DISK_FULL: _disk_full,
    Blow.DISK_FULL_AT_START: _disk_full_at_start,
    Blow.GATEWAY_FROZEN: _freeze,
    Blow.LOCK_FROZEN: _freeze_lock,
    Blow.WORKER_FROZEN: _freeze_worker,
    Blow.WALLET_AWAY: _wallet_away,
    Blow.WALLET_STOPPED: _wallet_stopped,
    Blow.WALLET_WARMS_UP: _wallet_warms_up,
    Blow.WALLET_RETURNS_SLOW: _wallet_returns_slow,
    Blow.METHOD_HANGS: _method_hangs,
    Blow.JOURNAL_REMOVED: _file_goes,
    Blow.JOURNAL_REPLACED: _file_goes,
    Blow.WAL_REMOVED: _wal_goes,
    Blow.JOURNAL_RESTORED: _restore,
    Blow.CLOCK_JUMPS: _clock_jumps,
    Blow.PEOPLE: meddle,
}

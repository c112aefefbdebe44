"""
Somebody who uses `walletbridge journal` under traffic, and mistypes numbers.
"""

import asyncio
import json
from collections.abc import Sequence
from random import Random
from typing import Any

import apsw
from tests.money.faults import ledgers
from tests.money.faults.blows import Event
from tests.money.faults.files import connected
from tests.money.faults.processes import environment, python
from tests.money.faults.system import System
from tests.support.processes import ROOT

_ACTS = 4
_COMMAND_SECONDS = 120.0
_REFUSED = {1, 2}
"""Exit codes of a command that did nothing."""


async def meddle(system: System, event: Event) -> None:
    """Some commands, one after the other: what a person sees, and what they make of it."""
    random = Random(f"people:{event.variant}")  # noqa: S311 - to be repeated, not to be secret
    for _ in range(_ACTS):
        await random.choice([_list, _show, _resolve_right, _mistype, _mistype, _mistype])(system, random)
        await asyncio.sleep(random.uniform(0, 2) / system.plan.scale)


async def _list(system: System, random: Random) -> None:
    del random
    await _listed(system)


async def _show(system: System, random: Random) -> None:
    await _command(system, "show", str(random.randint(1, _last(system) + 5)))


async def _resolve_right(system: System, random: Random) -> None:
    """A listed row, as the wallet's books say."""
    listed = [row for row in await _listed(system) if str(row["state"]).startswith("left to a person")]
    if not listed:
        return
    row = random.choice(listed)
    entry = ledgers.read(system.plan, system.folder)[0].get(row["trans_id"])
    decision = "applied" if entry is not None and entry.is_applied else "cancelled"
    if await _resolve(system, row["id"], decision):
        system.decided.add(row["trans_id"])


async def _mistype(system: System, random: Random) -> None:
    """A number that is not listed: nothing may come of it."""
    listed = {row["id"] for row in await _listed(system)}
    numbers = set(range(1, _last(system) + 3)) - listed
    if numbers:
        await _resolve(system, random.choice(sorted(numbers)), random.choice(["applied", "cancelled", "cancelled"]))


async def _resolve(system: System, number: int, decision: str) -> bool:
    code, _ = await _command(system, "resolve", str(number), "--as", decision, answers="y\n")
    return code == 0


async def _listed(system: System) -> Sequence[dict[str, Any]]:
    code, output = await _command(system, "list", "--json")
    found: list[dict[str, Any]] = json.loads(output) if code == 0 else []
    return found


async def _command(system: System, *words: str, answers: str = "") -> tuple[int, str]:
    """Runs `walletbridge journal` as the user of the bench; the exit code and what it printed to stdout."""
    process = await asyncio.create_subprocess_exec(
        *python("walletbridge", "journal", *words, "--config", str(system.config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(system.folder, ROOT),
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(answers.encode()), _COMMAND_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    code = process.returncode or 0
    if code not in {0, *_REFUSED} or b"Traceback" in errors:
        system.wrong.append(f"journal {' '.join(words)} ended with {code}: {errors.decode()[-300:]}")
    with (system.folder / "people.log").open("a") as log:
        log.write(json.dumps({"event": "command", "words": words, "code": code, "errors": errors.decode()}) + "\n")
    return code, output.decode()


def _last(system: System) -> int:
    try:
        with connected(system.journal) as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM transactions").get)
    except (apsw.CantOpenError, apsw.SQLError):
        # The file was removed, or has lost its tables.
        return 0

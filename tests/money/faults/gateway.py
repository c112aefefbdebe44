"""
A gateway as a process of a run: how it is set up, killed and stopped, and what its log says of each transaction.
"""

import asyncio
import json
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.examples.protos import EXAMPLES
from tests.money.faults.files import JOURNAL
from tests.money.faults.heard import Heard, Said, Span, Times
from tests.money.faults.plan import Plan
from tests.money.faults.processes import NO_JSON, Line, Program, environment, python, seconds_of
from tests.money.faults.provider import LIMITS
from tests.money.faults.worlds import World
from tests.support.processes import ROOT, TOKEN, TOKEN_VARIABLE

NOBODY_ID = 65534
"""The user and group of gateways that are not the user of those who look into the journal."""
_SETPRIV = (
    *("setpriv", f"--reuid={NOBODY_ID}", f"--regid={NOBODY_ID}", "--clear-groups"),
    # It may read the programs and settings of the bench, wherever they are, and write only what is its own.
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)
_NOT_JOURNALLED = frozenset({"not journalled, so not sent to the wallet", "not journalled, and not sent to the wallet"})
_SLOW_DISK = "the outcome could not be written"
"""The disk takes too long."""
_HTTP_OK = 200
_LAST_SECONDS = 2.0
"""How long a gateway may take to end once it has said that it has stopped."""
_LINE_SECONDS = 0.1
"""How long a line of the log may take to come out."""
_CLOCK_SECONDS = 5.0
"""By how much a gateway's clock must be wrong for its times not to count."""


class Gateway:
    """One gateway process."""

    def __init__(self, program: Program, number: int, times: Times) -> None:
        self.program = program
        self.number = number
        self._times = times
        self.address: tuple[str, int] | None = None
        """None while it is not up."""
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Starts it and learns where it listens."""
        line = await self.program.start()
        host, _, port = line["addresses"][0].rpartition(":")
        self.address = (host, int(port))

    async def kill(self) -> None:
        """SIGKILL, and a new start on the same journal."""
        async with self._one_at_a_time:
            self.address = None
            await self.end(killed=True)
            await self.start()

    async def restart(self) -> int:
        """SIGTERM, and a new start on the same journal; returns the exit code."""
        async with self._one_at_a_time:
            code = await self.stop()
            self.address = None
            await self.start()
        return code

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self.end(killed=False)

    async def end(self, *, killed: bool) -> int:
        """SIGKILL or SIGTERM; returns the exit code."""
        since = time.time()
        if killed:
            self._times.kills.append(Said("", since, self.number))
            return await self.program.end(signal.SIGKILL)
        code = await self.program.end(signal.SIGTERM)
        self._times.no_disk.append(Span(since, time.time(), self.number))
        return code


class Logs:
    """What the gateways of a run say."""

    def __init__(self, plan: Plan) -> None:
        self._scale = plan.scale
        self.heard: dict[str, Heard] = {}
        """By transaction."""
        self.late = 0
        """Answers that were given after the provider's limit."""
        self.times = Times()
        self.wrong: list[str] = []
        """What no gateway should say."""

    def of(self, trans_id: object) -> Heard:
        """What is known of a transaction."""
        return self.heard.setdefault(str(trans_id), Heard())

    def listen(self, line: Line, gateway: int = 0) -> None:
        """Takes in a line of a gateway."""
        event, at = line.get("event"), _real_seconds(line)
        if event == "stopped":
            self.times.closed.append(Span(at - _LINE_SECONDS, at + _LAST_SECONDS, gateway))
        elif event in {"fault", "lines of log dropped", NO_JSON}:
            self.wrong.append(str(line))
        elif "trans_id" in line and "command" in line:
            said = Said(line["command"], at, gateway)
            if event == _SLOW_DISK:
                self.times.slow.append(said)
            self._listen(event, said, self.of(line["trans_id"]), line)

    def _listen(self, event: str | None, said: Said, heard: Heard, line: Line) -> None:
        command = said.command
        if event in _NOT_JOURNALLED:
            heard.lost.append(said)
        elif event == "callback":
            heard.answered.append(said)
            self.late += line["ms"] > 1000 * LIMITS[command] / self._scale
            if line["http_status"] == _HTTP_OK:
                heard.undelivered.discard(command)
                heard.definite_at[command] = said.at
        elif event == "answer not delivered" and line["http_status"] == _HTTP_OK:
            heard.undelivered.add(command)


def _real_seconds(line: Line) -> float:
    """When a line was written, in Unix seconds: now, where it was written by a clock that somebody has moved."""
    at, now = seconds_of(line), time.time()
    return at if abs(now - at) < _CLOCK_SECONDS else now


def gateway_in(folder: Path, number: int, plan: Plan, wallet_port: int, logs: Logs) -> Gateway:
    """The gateway of that number, not yet started."""
    name = f"gateway-{number}"
    config = folder / f"{name}.yaml"
    config.write_text(json.dumps(settings(plan, wallet_port)))
    arguments = ["serve", "--config", str(config)]
    if plan.workers:
        arguments += ["--workers", str(plan.workers)]
    moves = World.CLOCKS in plan.worlds
    command = python("tests.money.faults.shifted", str(folder / "clock"), *arguments) if moves else _plain(arguments)
    if plan.has_users:
        command = [*_SETPRIV, "--", *command]
    environ = environment(folder, ROOT, **{TOKEN_VARIABLE: TOKEN})
    program = Program(
        lambda _: command, folder / f"{name}.log", environ, "all workers serve" if plan.workers else "listening"
    )
    program.listeners.append(partial(logs.listen, gateway=number))
    return Gateway(program, number, logs.times)


def _plain(arguments: list[str]) -> list[str]:
    return python("walletbridge", *arguments)


def settings(plan: Plan, wallet_port: int) -> dict[str, Any]:
    """The gateway's settings."""
    limits = {"bet": 2.0, "balance": 2.0, "authenticate": 4.0, "win": 4.0, "cancel": 4.0, "status": 4.0, "margin": 0.25}
    journal = {
        "settle_after": 6,
        "abandon_after": 15,
        "retry_seconds": 5,
        "recheck_after": 0.5,
        "give_up_after": 30,
        "refused_retry_seconds": 10,
    }
    breaker = {"patience": 0.5, "away_after": 0.5, "probe_every": 0.25}
    return {
        "listen": "127.0.0.1:0",
        "wallet": {"target": f"127.0.0.1:{wallet_port}", **_wallet(plan)},
        "deadlines": {name: seconds / plan.scale for name, seconds in limits.items()},
        "journal": {
            "path": JOURNAL,
            "rollback_rounds": plan.has_rollback_rounds,
            **{name: seconds / plan.scale for name, seconds in journal.items()},
        },
        "breaker": {name: seconds / plan.scale for name, seconds in breaker.items()},
        # A gateway does not know of the other's cancels: what it has cached may be out of date.
        "status_cache": {"ok_seconds": 0} if plan.gateways > 1 else {"ok_seconds": 5 / plan.scale},
    }


def _wallet(plan: Plan) -> dict[str, Any]:
    """What the gateway is told of its wallet; an example's promises stand in its mapping."""
    if plan.example:
        return {"mapping": str(EXAMPLES / plan.example / "mapping.yaml")}
    return {"late_bets_refused": plan.remembers_cancels}

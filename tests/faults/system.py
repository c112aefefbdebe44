"""
The whole chain for one run: proxy, gateways, wallet, with what happens to them.
"""

import asyncio
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Self

import msgspec
from tests.faults.books import Heard
from tests.faults.plan import Blow, Event, NetFault, Plan, draw
from tests.faults.players import ACCOUNTS
from tests.faults.processes import Line, Program, environment, free_port, python, until
from tests.faults.provider import LIMITS
from tests.faults.proxy import Address, Decision, Proxy
from tests.faults.wallet_process import EXIT_CODE, Order
from tests.helpers.processes import ROOT, TOKEN, TOKEN_VARIABLE

from walletbridge.demo.ledger import Ledger

JOURNAL = "journal.db"
WALLET = "wallet.db"
_NOT_JOURNALLED = frozenset({"not journalled, so not sent to the wallet", "not journalled, and not sent to the wallet"})
_ANSWER_SECONDS = 0.5
"""How long an answer may have been under way."""
_STRAGGLE = frozenset({NetFault.DUPLICATE, NetFault.STALL_REQUEST})
_REPEATED = frozenset({"win", "cancel", "status"})
"""What may come twice at once: a bet is sent once, and whoever hears 41 to it keeps the stake."""


class Gateway:
    """One gateway process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.address: Address | None = None
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
            await self.program.end(signal.SIGKILL)
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
        return await self.program.end(signal.SIGTERM)


class System:
    """What stands behind the provider."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.heard: dict[str, Heard] = {}
        self.wrong: list[str] = []
        """What no process should have done."""
        self.late = 0
        """Answers that a gateway gave after the provider's limit."""
        self.full: list[tuple[float, float]] = []
        """From when to when a disk was full, in Unix seconds."""
        self.kills: Counter[str] = Counter()
        self._random = Random(f"net:{plan.seed}")  # noqa: S311 - to be repeated, not to be secret
        self._requests: Counter[tuple[str, str]] = Counter()
        self._faults: Mapping[NetFault, float] = plan.net
        self._shares: Mapping[str, float] = {str(fault): share for fault, share in plan.wallet.items()}
        self.proxy = Proxy(self._upstream, self._decide)
        port = free_port()
        self.wallet = self._wallet_program(port)
        self.gateways = [Gateway(self._gateway_program(number, port)) for number in range(plan.gateways)]
        self._turn = itertools.count()
        self._wallet_may_run = asyncio.Event()
        self._wallet_may_run.set()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        ledger = Ledger(self.folder / WALLET)
        for account, (balance, active) in ACCOUNTS.items():
            ledger.add_player(account, balance, active=active)
        ledger.close()
        try:
            await self.proxy.__aenter__()
            await self.wallet.start()
            self._watch = asyncio.create_task(self._keep_wallet())
            async with asyncio.TaskGroup() as group:
                for gateway in self.gateways:
                    group.create_task(gateway.start())
        except BaseException:
            await self._end_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end_all()

    @property
    def is_reachable(self) -> bool:
        """Whether a gateway is up."""
        return any(gateway.address for gateway in self.gateways)

    @property
    def url(self) -> str:
        """Where the provider sends its callbacks."""
        return f"http://127.0.0.1:{self.proxy.port}/callback"

    async def suffer(self, event: Event) -> None:
        """Something happens to a process, until it is over."""
        self.kills[event.blow] += 1
        gateway = self.gateways[event.gateway]
        match event.blow:
            case Blow.GATEWAY_KILLED:
                await gateway.kill()
            case Blow.GATEWAY_STOPPED:
                self._expect_good_end(await gateway.restart())
            case Blow.DISK_FULL:
                since = time.time()
                gateway.program.limit_files(self._log_bytes() + event.bytes_left if event.bytes_left else 0)
                await asyncio.sleep(event.seconds / self.plan.scale)
                gateway.program.limit_files(None)
                self.full.append((since, time.time() + _ANSWER_SECONDS))
            case Blow.WALLET_AWAY:
                await self.send_wallet_away(event.seconds / self.plan.scale)
            case Blow.WALLET_STOPPED:
                self.wallet.send(signal.SIGSTOP)
                await asyncio.sleep(event.seconds / self.plan.scale)
                self.wallet.send(signal.SIGCONT)

    async def send_wallet_away(self, seconds: float) -> None:
        """Kills the wallet and starts it again after so long."""
        self._wallet_may_run.clear()
        try:
            self.wallet.send(signal.SIGKILL)
            await asyncio.sleep(seconds)
        finally:
            self._wallet_may_run.set()

    async def calm(self) -> None:
        """No more faults; returns when all processes are up."""
        self._faults = {}
        self.plan_faults({})
        await until(lambda: self.wallet.is_up and all(gateway.address for gateway in self.gateways), seconds=60)

    def plan_faults(self, shares: Mapping[str, float]) -> None:
        """The wallet's faults from now on, also after a new start."""
        self._shares = shares
        self.wallet.write(shares)

    async def stop_gateways(self) -> None:
        """SIGTERM to each; all must end well."""
        for gateway in self.gateways:
            self._expect_good_end(await gateway.stop())

    def _expect_good_end(self, code: int) -> None:
        if code:
            self.wrong.append(f"a gateway ended with {code}")

    async def _end_all(self) -> None:
        if self._watch:
            self._watch.cancel()
        await asyncio.gather(*(gateway.program.end(signal.SIGKILL) for gateway in self.gateways))
        await self.wallet.end(signal.SIGKILL)
        await self.proxy.__aexit__()

    async def _keep_wallet(self) -> None:
        while True:
            code = await self.wallet.ended()
            if code not in {EXIT_CODE, -signal.SIGKILL}:
                self.wrong.append(f"the wallet ended with {code}")
            self.kills["wallet restarted"] += 1
            await self._wallet_may_run.wait()
            # It may be killed again before it is up.
            with suppress(RuntimeError):
                await self.wallet.start()

    # The network

    def _upstream(self) -> Address | None:
        up = [gateway.address for gateway in self.gateways if gateway.address]
        return up[next(self._turn) % len(up)] if up else None

    def _decide(self, body: bytes) -> Decision:
        """The same request of the same run meets the same fault, in whichever order requests come."""
        callback = json.loads(body)
        key = (callback["command"], str(callback["data"]["trans_id"]))
        self._requests[key] += 1
        random = Random(f"net:{self.plan.seed}:{key}:{self._requests[key]}")  # noqa: S311 - to be repeated
        fault = draw(self._faults, random)
        if fault is NetFault.DUPLICATE and key[0] not in _REPEATED:
            fault = None
        if fault in _STRAGGLE:
            self._heard(callback["data"]).straggled = True
        return Decision(fault, random.uniform(0.5, 8) / self.plan.scale)

    # The processes

    def _wallet_program(self, port: int) -> Program:
        plan = self.plan

        def command(start: int) -> list[str]:
            order = Order(
                port=port,
                db=str(self.folder / WALLET),
                seed=plan.seed,
                start=start,
                remembers_cancels=plan.remembers_cancels,
                scale=plan.scale,
                faults=dict(self._shares),
            )
            return python("tests.faults.wallet_process", msgspec.json.encode(order).decode())

        return Program(command, self.folder / "wallet.log", environment(self.folder, ROOT), "ready")

    def _gateway_program(self, number: int, wallet_port: int) -> Program:
        name = f"gateway-{number}"
        config = self.folder / f"{name}.yaml"
        config.write_text(json.dumps(settings(self.plan, wallet_port)))
        environ = environment(self.folder, ROOT, **{TOKEN_VARIABLE: TOKEN})
        program = Program(
            lambda _: python("walletbridge", "serve", "--config", str(config)),
            self.folder / f"{name}.log",
            environ,
            "listening",
        )
        program.listeners.append(self._listener(name))
        return program

    def _listener(self, name: str) -> Callable[[Line], None]:
        def listen(line: Line) -> None:
            event = line.get("event")
            if event == "callback" and "trans_id" in line:
                self._heard(line).commands.add(line["command"])
                self.late += line["ms"] > 1000 * LIMITS[line["command"]] / self.plan.scale
            elif event in _NOT_JOURNALLED:
                self._heard(line).lost.add(line["command"])
            elif event in {"fault", "lines of log dropped"}:
                self.wrong.append(f"{name}: {line}")

        return listen

    def _heard(self, line: Line) -> Heard:
        return self.heard.setdefault(str(line["trans_id"]), Heard())

    def _log_bytes(self) -> int:
        log = self.folder / f"{JOURNAL}-wal"
        return log.stat().st_size if log.exists() else 0


def settings(plan: Plan, wallet_port: int) -> dict[str, Any]:
    """The gateway's settings."""
    limits = {"bet": 2.0, "balance": 2.0, "authenticate": 4.0, "win": 4.0, "cancel": 4.0, "status": 4.0, "margin": 0.25}
    journal = {"settle_after": 6, "abandon_after": 15, "call_seconds": 1, "retry_seconds": 5, "recheck_after": 0.5}
    return {
        "listen": "127.0.0.1:0",
        "wallet": {"target": f"127.0.0.1:{wallet_port}", "late_bets_refused": plan.remembers_cancels},
        "deadlines": {name: seconds / plan.scale for name, seconds in limits.items()},
        "journal": {"path": JOURNAL, **{name: seconds / plan.scale for name, seconds in journal.items()}},
        # A gateway does not know of the other's cancels: what it has cached may be out of date.
        "status_cache": {"ok_seconds": 0} if plan.gateways > 1 else {"ok_seconds": 5 / plan.scale},
    }

"""
The whole chain for one run: proxy, gateways, wallet, with what happens to them.
"""

import asyncio
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Self

import msgspec
from tests.faults import ledgers
from tests.faults.gateway import JOURNAL, Logs, gateway_in
from tests.faults.plan import Blow, Event, NetFault, Plan, draw
from tests.faults.processes import START_SECONDS, Program, environment, free_port, python
from tests.faults.proxy import Address, Decision, Proxy
from tests.faults.refusals import Refusals
from tests.faults.wallet_process import EXIT_CODE, Order
from tests.helpers.processes import ROOT
from tests.helpers.waiting import until

_ANSWER_SECONDS = 0.5
"""How long an answer may have been under way."""
_STRAGGLE = frozenset({NetFault.DUPLICATE, NetFault.STALL_REQUEST})
_REPEATED = frozenset({"win", "cancel", "status"})
"""What may come twice at once: a bet is sent once, and whoever hears 41 to it keeps the stake."""


class System:
    """What stands behind the provider."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.logs = Logs(plan)
        self.refusals = Refusals()
        self.wrong: list[str] = []
        """What no process should have done."""
        self.kills: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._faults: Mapping[NetFault, float] = plan.net
        self._shares: Mapping[str, float] = {str(fault): share for fault, share in plan.wallet.items()}
        self.proxy = Proxy(self._upstream, self._decide)
        port = free_port()
        self.wallet = self._wallet_program(port)
        self.wallet.listeners.append(self.refusals.listen)
        self.gateways = [gateway_in(folder, number, plan, port, self.logs.listen) for number in range(plan.gateways)]
        self._turn = itertools.count()
        self._wallet_may_run = asyncio.Event()
        self._wallet_may_run.set()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        ledgers.seed(self.plan, self.folder)
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
        hit = self.gateways[event.gateway]
        match event.blow:
            case Blow.GATEWAY_KILLED:
                await hit.kill()
            case Blow.GATEWAY_STOPPED:
                self._expect_good_end(await hit.restart())
            case Blow.DISK_FULL:
                since = time.time()
                hit.program.limit_files(self._log_bytes() + event.bytes_left if event.bytes_left else 0)
                await asyncio.sleep(event.seconds / self.plan.scale)
                hit.program.limit_files(None)
                self.logs.blind.append((since, time.time() + _ANSWER_SECONDS))
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
        await until(
            lambda: self.wallet.is_up and all(gateway.address for gateway in self.gateways), seconds=START_SECONDS
        )

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
            await asyncio.wait({self._watch})
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
            self.logs.of(key[1]).straggled = True
        return Decision(fault, random.uniform(0.5, 8) / self.plan.scale)

    # The processes

    def _wallet_program(self, port: int) -> Program:
        plan = self.plan

        def command(start: int) -> list[str]:
            order = Order(
                port=port,
                db=str(self.folder / ledgers.WALLET),
                seed=plan.seed,
                start=start,
                wallet=plan.example,
                remembers_cancels=plan.remembers_cancels,
                scale=plan.scale,
                faults=dict(self._shares),
            )
            return python("tests.faults.wallet_process", msgspec.json.encode(order).decode())

        return Program(command, self.folder / "wallet.log", environment(self.folder, ROOT), "ready")

    def _log_bytes(self) -> int:
        log = self.folder / f"{JOURNAL}-wal"
        return log.stat().st_size if log.exists() else 0

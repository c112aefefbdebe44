"""
The whole chain for one run: proxy, gateways, wallet, with what happens to them.
"""

import asyncio
import itertools
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from tests.money.faults import files, ledgers
from tests.money.faults.files import JOURNAL, Losses
from tests.money.faults.gateway import NOBODY_ID, Gateway, Logs, gateway_in
from tests.money.faults.heard import Said
from tests.money.faults.mood import Mood
from tests.money.faults.plan import NetFault, Plan, draw
from tests.money.faults.processes import START_SECONDS, Program, environment, free_port, python
from tests.money.faults.proxy import Address, Decision, Proxy
from tests.money.faults.refusals import Refusals
from tests.money.faults.shifted import move_clock
from tests.money.faults.wallet_process import EXIT_CODE, Order
from tests.support.processes import ROOT
from tests.support.waiting import until

ANSWER_SECONDS = 0.5
"""How long an answer may have been under way."""
_DEFINITE = b"200"
_STRAGGLE = frozenset({NetFault.DUPLICATE, NetFault.STALL_REQUEST})


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
        self._mood = Mood(shares={str(fault): share for fault, share in plan.wallet.items()}, lag=plan.lag)
        self.losses = Losses()
        self.decided: set[str] = set()
        """Transactions that were listed and that a person resolved."""
        self.one_restart = asyncio.Lock()
        """Held by what ends gateways and starts them."""
        self.clock = folder / "clock"
        move_clock(self.clock, -time.time() if plan.begins_in_1970 else 0)
        self.proxy = Proxy(self._upstream, self._decide, self._arrived)
        port = free_port()
        self.wallet = self._wallet_program(port)
        self.wallet.listeners.append(self.refusals.listen)
        self.gateways = [gateway_in(folder, number, plan, port, self.logs) for number in range(plan.gateways)]
        self._turn = itertools.count()
        self._wallet_may_run = asyncio.Event()
        self._wallet_may_run.set()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        ledgers.seed(self.plan, self.folder)
        self.own(self.folder)
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
        self.set_mood(shares={}, hangs="", refuses=False)
        await until(
            lambda: self.wallet.is_up and all(gateway.address for gateway in self.gateways), seconds=START_SECONDS
        )

    def plan_faults(self, shares: Mapping[str, float]) -> None:
        """The wallet's faults from now on, also after a new start."""
        self.set_mood(shares=dict(shares))

    def set_mood(self, **changes: Any) -> None:
        """How the wallet is from now on, also after a new start."""
        self._mood = replace(self._mood, **changes)
        self.wallet.write(msgspec.to_builtins(self._mood))

    async def stop_gateways(self) -> None:
        """SIGTERM to each; all must end well."""
        for gateway in self.gateways:
            self.expect_good_end(await gateway.stop())

    async def end_gateways(self, *, killed: bool) -> None:
        """Ends all, to be started again. The caller has `one_restart`."""
        for gateway in self.gateways:
            gateway.address = None
            self.expect_running(gateway)
        codes = await asyncio.gather(*(gateway.end(killed=killed) for gateway in self.gateways))
        if not killed:
            for code in codes:
                self.expect_good_end(code)

    async def start_gateways(self) -> None:
        """Starts all that were ended."""
        await asyncio.gather(*(gateway.start() for gateway in self.gateways))

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / JOURNAL

    @property
    def config(self) -> Path:
        """The settings of the first gateway."""
        return self.folder / "gateway-0.yaml"

    @property
    def pids(self) -> list[int]:
        """The processes through which a callback goes."""
        return [os.getpid(), self.wallet.pid, *(pid for gateway in self.gateways for pid in gateway.program.pids)]

    def own(self, path: Path) -> None:
        """Gives a file to the user of the gateways, where that is another one."""
        if self.plan.has_users:
            os.chown(path, NOBODY_ID, NOBODY_ID)

    async def back_up(self, target: Path) -> None:
        """A backup of the journal while gateways have it."""
        await asyncio.to_thread(files.back_up, self.journal, target)

    def expect_running(self, gateway: Gateway) -> None:
        """What ended by itself would not be noticed once it is started anew."""
        if not gateway.program.is_running:
            self.wrong.append("a gateway ended by itself")

    def expect_good_end(self, code: int) -> None:
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

    def _upstream(self, request: bytes) -> Address | None:
        up = [gateway for gateway in self.gateways if gateway.address]
        if not up:
            return None
        gateway = up[next(self._turn) % len(up)]
        # Half of a request says nothing to anybody.
        with suppress(ValueError):
            callback = json.loads(request.partition(b"\r\n\r\n")[2])
            asked = Said(callback["command"], time.time(), gateway.number)
            self.logs.of(callback["data"]["trans_id"]).asked.append(asked)
        return gateway.address

    def _arrived(self, request: bytes, answer: bytes) -> None:
        if answer.partition(b"\r\n")[0].split()[1] == _DEFINITE:
            callback = json.loads(request.partition(b"\r\n\r\n")[2])
            self.logs.of(callback["data"]["trans_id"]).arrived.add(callback["command"])

    def _decide(self, body: bytes) -> Decision:
        """The same request of the same run meets the same fault, in whichever order requests come."""
        callback = json.loads(body)
        key = (callback["command"], str(callback["data"]["trans_id"]))
        self._requests[key] += 1
        random = Random(f"net:{self.plan.seed}:{key}:{self._requests[key]}")  # noqa: S311 - to be repeated
        fault = draw(self._faults, random)
        if fault is NetFault.DUPLICATE and key[0] == "bet":
            self.logs.of(key[1]).doubled = True
        if fault in _STRAGGLE and key[0] == "win":
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
                refuses_late_seconds=plan.refuses_late_seconds,
                mood=self._mood,
            )
            return python("tests.money.faults.wallet_process", msgspec.json.encode(order).decode())

        return Program(command, self.folder / "wallet.log", environment(self.folder, ROOT), "ready")

    def log_bytes(self) -> int:
        """How large SQLite's log is."""
        log = self.folder / f"{JOURNAL}-wal"
        return log.stat().st_size if log.exists() else 0

"""
Answers each callback in a task of its own: the caller may stop waiting, but a call begun at the wallet goes on, and its
outcome is written down.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from walletbridge.gateway.gateway import Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer

type Answers = Callable[[Request, Trace], Coroutine[Any, Any, Answer]]


class Answering:
    """For one event loop."""

    def __init__(self, answer: Answers, *, on_fault: Callable[[BaseException], None]) -> None:
        """`answer`: see `Gateway.answer`. `on_fault` receives errors that it should not have raised."""
        self._answer = answer
        self._on_fault = on_fault
        self._stopped = False
        self.tasks: set[asyncio.Future[Any]] = set()
        """The tasks that have not ended."""

    async def answer(self, request: Request, trace: Trace) -> Answer:
        """See `Gateway.answer`. If the caller is cancelled, the wallet call goes on, and its answer is returned."""
        if self._stopped:
            return answers.UNKNOWN
        task = asyncio.ensure_future(self._answer(request, trace))
        if task.done():
            return answers.UNKNOWN if task.cancelled() else task.result()
        told: asyncio.Future[Answer] = task.get_loop().create_future()

        def ended(_: object) -> None:
            # Does the work of `shield` in half as many steps of the loop.
            self.tasks.discard(task)
            if task.cancelled():
                told.cancel()
            elif error := task.exception():
                if not told.done():
                    told.set_exception(error)
            elif not told.done():
                told.set_result(task.result())

        self.tasks.add(task)
        task.add_done_callback(ended)
        try:
            return await told
        except asyncio.CancelledError:
            # Bounded by the deadline of the call. A second cancellation is obeyed.
            await asyncio.wait({task})
            return answers.UNKNOWN if task.cancelled() else task.result()

    def begin(self, request: Request, trace: Trace, told: Callable[[Answer], None]) -> None:
        """
        For callers that do not wait: calls `told` with the answer, possibly before returning. `told` must not raise.

        A waiting caller has its own task, which costs as much as decoding a callback. Without that task, no
        cancellation of a caller can end the wallet call.
        """
        if self._stopped:
            told(answers.UNKNOWN)
            return
        answering = self._answer_and_tell(request, trace, told)
        task = asyncio.Task(answering, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            self._keep(task)

    async def shielded[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs other work that must end once it has begun, and returns its result."""
        task = asyncio.ensure_future(work)
        self._keep(task)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Waits until all tasks have ended, including those begun meanwhile."""
        while self.tasks:
            await asyncio.wait(self.tasks)

    def stop(self) -> None:
        """Answers all later requests as unknown."""
        self._stopped = True

    def _keep(self, task: asyncio.Future[Any]) -> None:
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer_and_tell(self, request: Request, trace: Trace, told: Callable[[Answer], None]) -> None:
        try:
            answer = await self._answer(request, trace)
        except asyncio.CancelledError:
            answer = answers.UNKNOWN
        except Exception as error:  # noqa: BLE001 - the provider must get its answer; the log gets the error
            answer = answers.UNKNOWN
            with suppress(Exception):
                self._on_fault(error)
        told(answer)

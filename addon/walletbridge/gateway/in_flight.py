"""
Callbacks that are being answered, each in a task of its own: whoever waits for an answer may go, but what was begun at
the wallet goes on, and its outcome is written down.
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
        """`answer` makes an answer; see `Gateway.answer`. `on_fault` hears of what it should not have raised."""
        self._answer = answer
        self._on_fault = on_fault
        self._stopped = False
        self.tasks: set[asyncio.Future[Any]] = set()
        """Those that have not ended."""

    async def answer(self, request: Request, trace: Trace) -> Answer:
        """
        See `Gateway.answer`. Whoever waits here may be cancelled: the wallet call goes on, and its answer is given.
        """
        if self._stopped:
            return answers.UNKNOWN
        task = asyncio.ensure_future(self._answer(request, trace))
        if task.done():
            return answers.UNKNOWN if task.cancelled() else task.result()
        told: asyncio.Future[Answer] = task.get_loop().create_future()

        def ended(_: object) -> None:
            # What `shield` does, in half as many steps of the loop.
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
            # Bounded by the deadline of the call; a second cancellation is obeyed.
            await asyncio.wait({task})
            return answers.UNKNOWN if task.cancelled() else task.result()

    def begin(self, request: Request, trace: Trace, told: Callable[[Answer], None]) -> None:
        """
        See `Gateway.answer`, for who does not wait: `told`, which raises nothing, gets the answer, perhaps before this
        returns.

        Who waits has a task of his own, which costs as much as to decode a callback. Without it there is also nobody
        whose end could end the wallet call.
        """
        if self._stopped:
            told(answers.UNKNOWN)
            return
        answering = self._answer_and_tell(request, trace, told)
        task = asyncio.Task(answering, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            self._keep(task)

    async def shielded[T](self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of other work that has to end once it was begun."""
        task = asyncio.ensure_future(work)
        self._keep(task)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Waits until all have ended, those that come meanwhile as well."""
        while self.tasks:
            await asyncio.wait(self.tasks)

    def stop(self) -> None:
        """From here on whatever comes is answered as unknown."""
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

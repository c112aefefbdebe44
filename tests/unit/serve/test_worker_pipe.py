"""The wire from the supervisor: one word, and its end."""

import asyncio
import os

from walletbridge.serve.worker_pipe import SERVE, Control


async def test_a_worker_waits_for_the_word() -> None:
    theirs, ours = os.pipe()
    waiting = asyncio.ensure_future(Control(theirs).told_to_serve(on_end=lambda: None))
    await asyncio.sleep(0.01)
    assert not waiting.done()

    os.write(ours, SERVE)
    await asyncio.wait_for(waiting, 10)

    asyncio.get_running_loop().remove_reader(theirs)
    os.close(ours)
    os.close(theirs)


async def test_a_worker_hears_that_its_supervisor_is_gone() -> None:
    """Before and after the word."""
    for words in (b"", SERVE):
        theirs, ours = os.pipe()
        gone = asyncio.Event()
        waiting = asyncio.ensure_future(Control(theirs).told_to_serve(on_end=gone.set))
        await asyncio.sleep(0)
        os.write(ours, words)
        os.close(ours)
        await asyncio.wait_for(gone.wait(), 10)

        assert waiting.done() is bool(words)
        waiting.cancel()
        os.close(theirs)

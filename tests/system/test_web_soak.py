"""
The acceptance of flat memory under mitmweb: 100,000 callbacks with a browser attached. Takes some minutes.

`uv run pytest tests/system/test_web_soak.py`
"""

import asyncio
import itertools
import os
import time
from pathlib import Path

import psutil
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from tests.process.load import PLAYER, send_callbacks
from tests.support.mitmweb import running_web
from tests.support.processes import running_wallet
from tests.system.helpers import until

COUNT = int(os.environ.get("SOAK_CALLBACKS", "100000"))
STEP = COUNT // 10
"""Callbacks between two looks at the memory, and flows that are kept."""
SETTLED = 2 * STEP
"""Callbacks after which memory should not grow: by then as many flows are kept as ever will be."""
GROWTH_MAX = 1.15
_MEBIBYTE = 1 << 20


@pytest.mark.timeout(3600)
async def test_memory_does_not_grow_while_somebody_looks(browser: webdriver.Chrome, tmp_path: Path) -> None:
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_web(tmp_path, wallet_port=wallet.port, status_cache={"size": 100}, ui={"keep_flows": STEP}) as web,
    ):
        process, ids = psutil.Process(web.gateway.process.pid), itertools.count(1)
        await asyncio.to_thread(browser.get, web.address)
        resident: dict[int, int] = {}
        begun = time.monotonic()
        for sent in range(STEP, COUNT + 1, STEP):
            await send_callbacks(web.gateway, STEP, ids)
            resident[sent] = process.memory_info().rss
            print(  # noqa: T201 - for pytest -s
                f"{sent:7,} callbacks, {time.monotonic() - begun:4.0f} s: {resident[sent] / _MEBIBYTE:6.1f} MiB; "
                f"browser {_resident(browser) / _MEBIBYTE:6.1f} MiB",
                flush=True,
            )
        kept = len(await web.flows())

        assert resident[sent] < GROWTH_MAX * resident[SETTLED]
        assert kept <= STEP
        # Its page has heard of all that came and went.
        await asyncio.to_thread(until, lambda: f" of {kept} flows" in _text(browser, "footer"))
        assert "/callback" in _text(browser, ".flow-table")


def _resident(browser: webdriver.Chrome) -> int:
    """The memory of the browser with all its processes."""
    driver = psutil.Process(browser.service.process.pid)
    return sum(one.memory_info().rss for one in driver.children(recursive=True))


def _text(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text

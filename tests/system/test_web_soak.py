"""
The acceptance of flat memory under mitmweb: 100,000 callbacks with a browser attached. Takes some minutes.

`uv run pytest tests/system/test_web_soak.py`
"""

import asyncio
import itertools
import os
from pathlib import Path

import psutil
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from tests.e2e.load import PLAYER, send_callbacks
from tests.helpers.mitmweb import running_web
from tests.helpers.processes import running_wallet

COUNT = int(os.environ.get("SOAK_CALLBACKS", "100000"))
SETTLED = min(20_000, COUNT // 2)
"""Callbacks after which memory should not grow: by then as many flows are kept as ever will be."""
GROWTH_MAX = 1.15


@pytest.mark.timeout(3600)
async def test_memory_does_not_grow_while_somebody_looks(browser: webdriver.Chrome, tmp_path: Path) -> None:
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_web(tmp_path, wallet_port=wallet.port, status_cache={"size": 100}) as web,
    ):
        process, ids = psutil.Process(web.gateway.process.pid), itertools.count(1)
        await asyncio.to_thread(browser.get, web.address)
        await send_callbacks(web.gateway, SETTLED, ids)
        before = process.memory_info().rss
        await send_callbacks(web.gateway, COUNT - SETTLED, ids)
        after = process.memory_info().rss
        rows = await asyncio.to_thread(browser.find_elements, By.CSS_SELECTOR, ".flow-table tbody tr")

        print(f"after {SETTLED}: {before} bytes, after {COUNT}: {after} bytes")  # noqa: T201 - for pytest -s
        assert after < GROWTH_MAX * before
        assert len(rows) > 2
        assert len(await web.flows()) <= 10_000

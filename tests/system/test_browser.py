"""
`walletbridge demo` in a browser, as people see it. Needs chromium, chromedriver and selenium.

With SCREENSHOTS set to a folder the screenshot is kept there.
"""

import os
import re
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tests.system.helpers import SECONDS, running, until

THE_BET = 2
"""Its row: the demo's players begin with `authenticate` and `balance`."""


def test_callbacks_appear_live_in_the_browser(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with running(tmp_path, "demo", prints=r"mitmweb: (http://\S+)\n") as address:
        begun = time.monotonic()
        browser.get(address)
        first = until(lambda: _rows(browser))
        assert time.monotonic() - begun < SECONDS
        # The list is live: more come without a reload.
        until(lambda: len(_rows(browser)) > len(first) + 5)
        assert all("/callback" in row.text for row in _rows(browser))

        _rows(browser)[THE_BET].click()
        request = _open_tab(browser, "Request")
        answer = _open_tab(browser, "Response")
        browser.save_screenshot(str(Path(os.environ.get("SCREENSHOTS", tmp_path)) / "mitmweb.png"))

    assert "Callback-Token: ***\n" in request
    assert '"command": "bet"' in request
    assert "Content-Type: application/json\n" in answer
    assert re.search(r'"result": \d+', answer)


def _rows(browser: webdriver.Chrome) -> list[WebElement]:
    rows = browser.find_elements(By.CSS_SELECTOR, ".flow-table tbody tr")
    # Above and below there is an empty one, for what is scrolled away.
    return [row for row in rows if row.text.strip()]


def _open_tab(browser: webdriver.Chrome, name: str) -> str:
    """The text of a part of the open flow, once its body is there."""
    browser.find_element(By.XPATH, f"//nav//a[normalize-space()='{name}']").click()
    detail = browser.find_element(By.CSS_SELECTOR, ".flow-detail")
    return until(lambda: detail.text if "View: " in detail.text and "Loading" not in detail.text else "")

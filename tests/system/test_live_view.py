"""
The live view in a browser and in a terminal, as people see it. Needs chromium, chromedriver, selenium and tmux.

With SCREENSHOTS set to a folder the screenshots are kept there.
"""

import io
import os
import re
import shlex
import socket
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from tests.support.callbacks import body, make_callback
from tests.support.processes import NOWHERE, ROOT, SCRIPTS, TOKEN
from tests.system.helpers import running, until
from tests.system.session import Listening, Sending, send, send_all, threaded_wallet, until_shown, write_config
from tests.system.terminal import Terminal, opened

TERMINAL_PAGE = (
    "<meta charset=utf-8><body style='margin:0;background:#191919'><pre style=\"display:inline-block;margin:0;"
    "padding:8px;font:14px/1.25 'DejaVu Sans Mono',monospace;color:#c4c5b5;background:#191919\">{code}</pre>"
)
MARKERS = "✅🔁💸👤💤🔍⚡🔒❌❓"
HELD = make_callback("bet", trans_id=100, amount=10)
EDITED = body(make_callback("bet", trans_id=101, amount=33)).decode()


def test_everything_is_seen_and_done_in_the_browser(browser: webdriver.Chrome, tmp_path: Path) -> None:
    address = _free_address()
    url = f"http://{address}/callback"
    with threaded_wallet(tmp_path) as (port, wallet):
        config = write_config(tmp_path, listen=address, wallet_port=port)
        with running(tmp_path, "web", "--config", str(config), prints=r"mitmweb: (http://\S+)\n", token=TOKEN) as page:
            browser.get(page)
            send_all(url)
            until_shown(lambda: _list(browser))
            assert all(marker in _list(browser) for marker in MARKERS)
            assert "127.0.0.1:9/" not in _list(browser)
            _picture(browser, "list")

            _row(browser, "bet test1234 10 #1676358190 -> 0").click()
            request = _tab(browser, "Request")
            assert "The wallet took the stake." in request
            assert "wallet.v1.WalletService/PlaceBet" in request
            assert "Callback-Token: ***" in request
            _picture(browser, "callback")
            assert "win test1234 25 #6 -> 0 balance 1015" in _tab(browser, "Response")

            _row(browser, "bet test1234 10 #1676358190 -> 41").click()
            _button(browser, "Replay").click()
            until(lambda: "bet test1234 10 #1676358190 -> 403 replay refused" in _list(browser))
            assert "🚫" in _list(browser)

            _intercept(browser, "~u /callback & ~q")
            calls = len(wallet.requests)
            held = Sending(url, HELD)
            until(lambda: "held: bet test1234 10" in _list(browser))
            _row(browser, "held: bet").click()
            _tab(browser, "Request")
            _edit(browser, EDITED)
            _picture(browser, "held")
            assert len(wallet.requests) == calls
            _button(browser, "Resume").click()
            status, answer = held.wait()
            assert (status, b'"result":0' in answer) == (200, True)
            assert [(one.trans_id, one.amount) for one in wallet.requests[calls:]] == [("101", 3300)]

            calls = len(wallet.requests)
            held = Sending(url, HELD)
            until(lambda: "held: bet test1234 10" in _list(browser))
            _row(browser, "held: bet").click()
            _button(browser, "Abort").click()
            assert held.wait()[0] == 0
            until(lambda: "aborted by hand, no wallet call" in _list(browser))
            assert len(wallet.requests) == calls
            assert TOKEN not in browser.page_source.replace(f"not-{TOKEN}", TOKEN)
    printed = (tmp_path / "web.txt").read_text()
    assert TOKEN not in printed


def test_everything_is_seen_and_done_in_the_console(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """At 80 columns. The browser takes its picture."""
    address = _free_address()
    with threaded_wallet(tmp_path) as (port, wallet), opened(tmp_path, columns=80, lines=60) as terminal:
        config = write_config(tmp_path, listen=address, wallet_port=port)
        terminal.run(_command(tmp_path, "-m", "walletbridge", "tui", "--config", str(config)))
        until(lambda: "Flows" in terminal.text(), seconds=60)
        send_all(f"http://{address}/callback")
        until_shown(terminal.text)
        _picture_of(browser, terminal, "console-list")
        shown = terminal.text()

        for _ in range(3):
            terminal.press("Down")
        terminal.press("Enter")
        until(lambda: "The wallet took the stake." in terminal.text())
        _picture_of(browser, terminal, "console")
        page = terminal.text()
        terminal.press("q")
        until(lambda: "Flows" in terminal.text())
        terminal.press("F4")
        until(lambda: "curl -X POST" in terminal.text())
        terminal.press("q")
        _cancel(terminal)
        # Once it only says what it would do.
        until(lambda: "The same command within" in terminal.text())
        terminal.press("q")
        until(lambda: "Flows" in terminal.text())
        _cancel(terminal)
        until(lambda: any(one.DESCRIPTOR.name == "CancelTransactionRequest" for one in wallet.requests[-1:]))
        until(lambda: "is being cancelled" in terminal.text())
        terminal.press("q")
        until(lambda: "Flows" in terminal.text())
        _hold_and_edit(terminal, f"http://{address}/callback", wallet)
        _leave(terminal)

    assert TOKEN not in shown
    assert "✅" in shown
    assert "wallet.v1.WalletService/PlaceBet" in page
    assert re.search(r"Callback-Token:\s+\*\*\*", page)


def test_a_script_in_the_console_stops_before_the_wallet_as_well(tmp_path: Path) -> None:
    address = _free_address()
    with threaded_wallet(tmp_path) as (port, wallet), opened(tmp_path, columns=80, lines=40) as terminal:
        config = write_config(tmp_path, listen=address, wallet_port=port)
        host, _, listen_port = address.partition(":")
        options = ["--mode", f"reverse:{NOWHERE}", "--listen-host", host, "--listen-port", listen_port]
        options += ["-s", str(ROOT / "addon" / "main.py"), "--set", f"walletbridge_config={config}"]
        terminal.run(_command(tmp_path, str(SCRIPTS / "mitmproxy"), *options))
        until(lambda: "Flows" in terminal.text(), seconds=60)
        url = f"http://{address}/callback"
        until(lambda: send(url, make_callback("balance"))[0] == 200)
        _hold_and_edit(terminal, url, wallet)
        _leave(terminal)


def _command(folder: Path, *arguments: str) -> str:
    """A line for a shell; the editor is one that writes what the test wants."""
    editor = folder / "editor.sh"
    editor.write_text(f'#!/bin/sh\nprintf %s {shlex.quote(EDITED)} > "$1"\n')
    editor.chmod(0o700)
    environ = ["env", f"HOME={folder}", f"WALLETBRIDGE_CALLBACK_TOKEN={TOKEN}", f"MITMPROXY_EDITOR={editor}"]
    return shlex.join([*environ, sys.executable, *arguments])


def _hold_and_edit(terminal: Terminal, url: str, wallet: Listening) -> None:
    """Stops a bet, edits it, lets it go; then stops another, and kills it."""
    terminal.type(":set intercept '~u /callback & ~q'")
    terminal.press("Enter")
    until(lambda: "[i:~u /callback" in terminal.text())
    calls = len(wallet.requests)
    held = Sending(url, HELD)
    until(lambda: "held: bet test1234 10" in terminal.text())
    terminal.press("G")
    terminal.press("e")
    until(lambda: "request-body" in terminal.text())
    key = re.findall(r"(\w)\) request-body", terminal.text())[0]
    terminal.press(key)
    # The editor has the keys until it has ended.
    until(lambda: "held: bet test1234 33" in terminal.text())
    assert len(wallet.requests) == calls
    terminal.press("a")
    assert held.wait()[0] == 200
    assert [(one.trans_id, one.amount) for one in wallet.requests[calls:]] == [("101", 3300)]

    calls = len(wallet.requests)
    held = Sending(url, HELD)
    until(lambda: "held: bet test1234 10" in terminal.text())
    terminal.press("G")
    terminal.press("X")
    assert held.wait()[0] == 0
    until(lambda: "aborted by hand, no wallet call" in terminal.text())
    assert len(wallet.requests) == calls


def _list(browser: webdriver.Chrome) -> str:
    return browser.find_element(By.CSS_SELECTOR, ".flow-table").text


def _row(browser: webdriver.Chrome, text: str) -> WebElement:
    rows = browser.find_elements(By.CSS_SELECTOR, ".flow-table tbody tr")
    return next(row for row in rows if text in row.text)


def _tab(browser: webdriver.Chrome, name: str) -> str:
    """The text of a part of the open flow, once its body is there."""
    browser.find_element(By.XPATH, f"//nav//a[normalize-space()='{name}']").click()
    detail = browser.find_element(By.CSS_SELECTOR, ".flow-detail")
    return until(lambda: detail.text if "View: " in detail.text and "Loading" not in detail.text else "")


def _button(browser: webdriver.Chrome, name: str) -> WebElement:
    browser.find_element(By.XPATH, "//nav//a[normalize-space()='Flow']").click()
    # Its picture stands before a blank that does not break.
    path = f"//button[normalize-space(translate(., '\N{NO-BREAK SPACE}', ' '))='{name}' and not(@disabled)]"
    return until(lambda: browser.find_elements(By.XPATH, path))[0]


def _intercept(browser: webdriver.Chrome, expression: str) -> None:
    browser.find_element(By.XPATH, "//nav//a[normalize-space()='Flow List']").click()
    field = browser.find_element(By.CSS_SELECTOR, "input[placeholder='Intercept']")
    field.click()
    # At once: each letter would be a filter of its own, and the last need not be the last to arrive.
    browser.execute_cdp_cmd("Input.insertText", {"text": expression})
    field.send_keys(Keys.ENTER)
    until(lambda: f"Intercept: {expression}" in browser.find_element(By.CSS_SELECTOR, "footer").text)


def _edit(browser: webdriver.Chrome, text: str) -> None:
    """Writes another body."""
    browser.find_element(By.XPATH, "//button[contains(., 'Edit')]").click()
    editor = until(lambda: browser.find_elements(By.CSS_SELECTOR, ".cm-content"))[0]
    editor.click()
    editor.send_keys(Keys.CONTROL + "a")
    browser.execute_cdp_cmd("Input.insertText", {"text": text})
    browser.find_element(By.XPATH, "//button[contains(., 'Done')]").click()
    until(lambda: not browser.find_elements(By.CSS_SELECTOR, ".cm-content"))


def _picture(browser: webdriver.Chrome, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _cancel(terminal: Terminal) -> None:
    terminal.press("F9")
    until(lambda: ": walletbridge.cancel @focus" in terminal.text())
    terminal.press("Enter")


def _leave(terminal: Terminal) -> None:
    terminal.press("C-c")
    until(lambda: "Quit (yes" in terminal.text())
    terminal.press("y")
    until(lambda: "exit code 0" in terminal.text())


def _picture_of(browser: webdriver.Chrome, terminal: Terminal, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    console = Console(record=True, width=terminal.columns, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(terminal.colors().rstrip()))
    page = Path(folder) / f"{name}.html"
    page.write_text(console.export_html(theme=DIMMED_MONOKAI, code_format=TERMINAL_PAGE, inline_styles=True))
    size = {"width": 1280, "height": 1400, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.absolute().as_uri())
    page.unlink()
    browser.find_element(By.TAG_NAME, "pre").screenshot(str(Path(folder) / f"{name}.png"))

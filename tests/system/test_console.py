"""`walletbridge tui` in a terminal, as people see it. Needs tmux."""

import json
import re
import shlex
import socket
import sys
import urllib.request
from pathlib import Path

from tests.support.callbacks import body, make_callback
from tests.support.processes import TOKEN, TOKEN_VARIABLE, headers
from tests.system.helpers import running, until
from tests.system.terminal import opened


def test_the_console_shows_callbacks(tmp_path: Path) -> None:
    database = str(tmp_path / "wallet.db")
    demo_wallet = ("demo-wallet", "--listen", "127.0.0.1:0", "--db", database)
    with running(tmp_path, *demo_wallet, prints=r"wallet: (\S+)\n") as wallet, opened(tmp_path) as terminal:
        address = f"127.0.0.1:{_free_port()}"
        config = tmp_path / "walletbridge.yaml"
        config.write_text(json.dumps({"listen": address, "wallet": {"target": wallet}}))
        environ = shlex.join(["env", f"HOME={tmp_path}", f"{TOKEN_VARIABLE}={TOKEN}"])
        terminal.run(f"{environ} {shlex.quote(sys.executable)} -m walletbridge tui --config {shlex.quote(str(config))}")
        until(lambda: "Flows" in terminal.text(), seconds=60)

        for command in ("balance", "bet", "bet"):
            _post(f"http://{address}/callback", command)
        until(lambda: len(re.findall(r"POST .*/callback", terminal.text())) >= 3)
        flows = terminal.text()
        terminal.press("Enter")
        until(lambda: "Callback-Token" in terminal.text())
        request = terminal.text()
        terminal.press("Tab")
        until(lambda: '"result"' in terminal.text())
        answer = terminal.text()
        terminal.press("C-c")
        until(lambda: "Quit (yes" in terminal.text())
        terminal.press("y")
        until(lambda: "exit code 0" in terminal.text())

    assert len(re.findall(r"200", flows)) >= 3
    # The log does not run over the screen.
    assert '"event"' not in flows
    assert re.search(r"Callback-Token:\s+\*\*\*", request)
    assert re.search(r'"balance": \d+', answer)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _post(url: str, command: str) -> None:
    """Sends a callback, again and again until the gateway has found its wallet."""
    request = urllib.request.Request(url, body(make_callback(command)), headers())  # noqa: S310 - our own

    def is_answered() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own
                return True
        except OSError:
            return False

    until(is_answered)

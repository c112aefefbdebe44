"""The command for health checks: it asks the gateway that runs, and says what is wrong in one line."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.processes import Way, arguments, end_of, running, running_wallet, write_settings
from tests.support.tls import Authority

from walletbridge.cli import main
from walletbridge.connect import health
from walletbridge.serve.launch import free_port
from walletbridge.settings import load

HOST = "127.0.0.1"


def free() -> str:
    return f"{HOST}:{free_port(HOST)}"


def settings_of(folder: Path, **sections: Any) -> Path:
    return write_settings(folder, wallet_port=1, **sections)


def problem_of(folder: Path, **sections: Any) -> str:
    return health.problem_of(load(settings_of(folder, **sections)))


@pytest.fixture
def statuses() -> Iterator[dict[str, int]]:
    """What a server answers, by path; its address is under `address`."""
    answers: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers[self.path])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        answers["address"] = f"{HOST}:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield answers
        server.shutdown()


@pytest.mark.parametrize(("status", "problem"), [(200, ""), (503, "/healthz: HTTP 503"), (404, "/healthz: HTTP 404")])
def test_the_admin_endpoint_is_asked_where_there_is_one(
    tmp_path: Path, statuses: dict[str, Any], status: int, problem: str
) -> None:
    statuses["/healthz"] = status
    found = problem_of(tmp_path, listen=free(), admin={"listen": statuses["address"]})

    assert found == (problem and f"admin.listen: {statuses['address']}: {problem}")


@pytest.mark.parametrize("status", [200, 405, 500])
def test_without_it_any_http_answer_to_the_callback_path_will_do(
    tmp_path: Path, statuses: dict[str, Any], status: int
) -> None:
    statuses["/provider"] = status

    assert problem_of(tmp_path, listen=statuses["address"], callback={"path": "/provider"}) == ""


@pytest.mark.parametrize("sections", [{}, {"admin": {"listen": free()}}])
def test_where_nobody_listens_one_line_says_so(tmp_path: Path, sections: dict[str, Any]) -> None:
    config = settings_of(tmp_path, listen=free(), **sections)
    result = CliRunner().invoke(main, ["health", "--config", str(config)])

    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert result.output.endswith(": Connection refused\n")


def test_a_gateway_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LIMIT_SECONDS", 0.2)
    with socket.create_server((HOST, 0)) as silent:
        address = f"{HOST}:{silent.getsockname()[1]}"
        found = problem_of(tmp_path, listen=address, callback={"proxy_protocol": True, "trusted_proxies": [HOST]})

    assert found.startswith(f"listen: {address}: ")


def test_what_is_no_http_is_no_answer(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:

        def close() -> None:
            accepted, _ = server.accept()
            accepted.recv(65536)
            accepted.sendall(b"+OK\r\n")
            accepted.close()

        Thread(target=close, daemon=True).start()
        assert problem_of(tmp_path, listen=f"{HOST}:{server.getsockname()[1]}") != ""


def test_a_port_that_nobody_knows_cannot_be_asked(tmp_path: Path) -> None:
    assert problem_of(tmp_path, listen="127.0.0.1:0").startswith("listen: port 0 ")


def test_wrong_settings_are_said_as_everywhere(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["health", "--config", str(settings_of(tmp_path, nonsense=1))])

    assert result.exit_code == 1
    assert "nonsense" in result.output


def test_an_address_for_all_is_asked_at_the_loopback(tmp_path: Path, statuses: dict[str, Any]) -> None:
    statuses["/callback"] = 405

    assert problem_of(tmp_path, listen=statuses["address"].replace(HOST, "0.0.0.0")) == ""  # noqa: S104 - see name


def test_it_does_not_wait_for_mitmproxy() -> None:
    code = "import sys, walletbridge.connect.health as h; sys.exit('mitmproxy' in sys.modules or 'grpc' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("case", ["default", "tls", "client certificates", "addresses", "proxy header"])
async def test_a_gateway_that_runs_is_well_and_one_that_does_not_is_not(tmp_path: Path, case: str) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    tls = {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}
    sections: dict[str, dict[str, Any]] = {
        "default": {},
        "tls": {"tls": tls},
        "client certificates": {"tls": {**tls, "client_ca_file": str(authority.ca_file)}},
        "addresses": {"callback": {"allow_from": ["192.0.2.0/24"]}},
        "proxy header": {"callback": {"proxy_protocol": True, "trusted_proxies": ["192.0.2.0/24"]}},
    }
    async with running_wallet(tmp_path) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port, listen=free(), **sections[case])
        command = [sys.executable, "-m", "walletbridge", "health", "--config", str(config)]
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            assert await end_of(command, tmp_path) == (0, "")
            assert await gateway.stop() == 0
        code, printed = await end_of(command, tmp_path)
        assert (code, len(printed.splitlines())) == (1, 1)

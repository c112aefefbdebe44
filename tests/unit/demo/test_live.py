"""`walletbridge demo`: wallet, gateway and traffic in one process, to look at in a browser."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import grpc
import grpc.aio
import pytest
from tests.support.callbacks import make_callback

from walletbridge.demo.ledger import Ledger
from walletbridge.demo.live import HOST, Demo, _port
from walletbridge.serve.launch import free_port
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
TIMEOUT = 60.0


async def balance(client: aiohttp.ClientSession, url: str, token: str) -> tuple[int, int]:
    """The result and the balance of the demo's first player; a wallet that is not there yet is 99."""
    async with client.post(url, json=make_callback("balance"), headers={"Callback-Token": token}) as response:
        answer = await response.json()
        return answer["result"], answer.get("data", {}).get("balance", 0)


async def play_demo(folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Runs the demo until a callback was answered; its exit code and what it printed."""
    token = environ.get(VARIABLE, "demo").partition("\n")[0]
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "walletbridge", "demo"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**inherited, **environ, "TMPDIR": str(folder), "HOME": str(folder / "home")},
    )
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(TIMEOUT), aiohttp.ClientSession() as client:
        while not (lines and lines[-1].startswith("mitmweb: ")):
            line = (await process.stdout.readline()).decode()
            assert line, lines
            lines.append(line.rstrip("\n"))
        url = lines[0].split()[1]
        assert (await balance(client, url, "wrong"))[0] == 100
        while (answer := await balance(client, url, token))[0] == 99:
            pass  # the gateway is there before the wallet
        assert answer[0] == 0
        assert answer[1] > 0
        process.send_signal(signal.SIGTERM)
        lines.append((await process.stdout.read()).decode())
        return await process.wait(), "\n".join(lines)


@pytest.mark.parametrize(
    ("environ", "told"),
    [({}, "demo"), ({VARIABLE: "first-of-two\nsecond"}, "the value of WALLETBRIDGE_CALLBACK_TOKEN")],
    ids=["own token", "token of the environment"],
)
def test_everything_is_there_and_nothing_stays_behind(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    code, output = asyncio.run(play_demo(tmp_path, environ))

    assert code == 0
    assert told in output
    assert "first-of-two" not in output
    assert "error" not in output.lower()
    assert f"\nwallet: {HOST}:" in output
    assert f"\nmitmweb: http://{HOST}:" in output
    assert "/?token=" in output
    assert list(tmp_path.iterdir()) == []


async def test_the_wallet_and_the_traffic_end_with_the_gateway(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "wallet.db")
    ledger.seed_demo_players()
    port = free_port(HOST)
    demo = Demo(ledger, wallet_port=port, url=f"http://{HOST}:9/callback", token="demo")  # noqa: S106 - of a demo
    demo.running()
    async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        ask = channel.unary_unary(
            "/wallet.v1.WalletService/GetBalance", response_deserializer=v1.GetBalanceResponse.FromString
        )
        request = v1.GetBalanceRequest(account="test1234").SerializeToString()
        assert (await ask(request, timeout=TIMEOUT, wait_for_ready=True)).outcome == v1.OUTCOME_OK
        await demo.done()

        with pytest.raises(grpc.aio.AioRpcError):
            await ask(request, timeout=TIMEOUT)
    ledger.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_demo_that_never_began_ends_without_a_word(tmp_path: Path) -> None:
    """A gateway that cannot start is reason enough not to."""
    ledger = Ledger(tmp_path / "wallet.db")
    await Demo(ledger, wallet_port=1, url=f"http://{HOST}:9/callback", token="demo").done()  # noqa: S106 - of a demo
    ledger.close()


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert _port(port) not in {0, port}

    assert _port(port) == port

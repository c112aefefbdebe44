"""The example wallets as programs."""

import asyncio
import signal
import sys
from pathlib import Path

import grpc.aio
import pytest
from tests.examples.catalog import WALLETS
from tests.examples.protos import load_proto
from tests.support.processes import ROOT

COMMAND = (sys.executable, "-m", "tests.examples")


async def ended(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return await process.wait(), said.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_listens_with_the_demo_players_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    arguments = ("debit-credit", "--listen", "127.0.0.1:0", "--db", str(tmp_path / "wallet.db"))
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        port = line.decode().split()[-1]
        proto = load_proto("debit-credit")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(f"/{proto.service.full_name}/GetBalance")
            body = await call(proto.message("GetBalanceRequest", user_id="test1234").SerializeToString())
        assert (
            body == proto.message("GetBalanceResponse", success=True, balance=5000, is_active=True).SerializeToString()
        )
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_wallet_that_does_not_exist_is_named_with_those_that_do() -> None:
    code, said = await ended("no-such-wallet")

    assert code == 2
    assert all(name in said for name in WALLETS)

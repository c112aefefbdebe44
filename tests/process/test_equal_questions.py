"""A thousand equal questions at once are one call of the wallet."""

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    address_of,
    arguments,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

QUESTIONS = 1000
FILES = 4096
"""What a process may have open; some machines begin with 1024."""
WALLET_SECONDS = 0.5
PLAYER = "test1234"


@pytest.fixture(autouse=True)
def _many_open_files() -> Iterator[None]:
    """Here, and in the processes that are started here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_equal_status_questions_at_once_are_one_wallet_call(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        wallet.ledger.add_transaction("1", PLAYER, "bet", 100)
        wallet.script.seconds = {PLAYER: WALLET_SECONDS}
        question = raw_post(body(make_callback("status", trans_id=1)))
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            connections = [await asyncio.open_connection(*address_of(gateway)) for _ in range(QUESTIONS)]

            for _, writer in connections:
                writer.write(question)
            answers = {await read_answer(reader) for reader, _ in connections}

            for _, writer in connections:
                writer.transport.abort()
            assert {(200, b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"OK"}}')} == answers
            assert 1 == wallet.wallet.calls["GetTransactionStatus"] == wallet.calls

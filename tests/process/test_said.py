"""The line of a callback says whose it was, and what the wallet said to it."""

import json
from pathlib import Path

import aiohttp
import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tests.support.callbacks import make_callback
from tests.support.processes import Way, arguments, has_logged, post, running, write_settings
from tests.support.scripted_wallet import HOST, abort, running_wallet
from tests.support.waiting import until

PLAYER = "test1234"


def details() -> bytes:
    """Of a status, as wallets send it that follow google.rpc."""
    packed = AnyMessage()
    packed.Pack(ErrorInfo(reason="LEDGER_CLOSED", domain="ledger.example"))
    status: bytes = Status(code=grpc.StatusCode.INTERNAL.value[0], details=[packed]).SerializeToString()
    return status


async def test_a_callback_s_line_has_its_client_and_the_wallet_s_words(tmp_path: Path) -> None:
    async with running_wallet() as (wallet, port):
        wallet.script("PlaceBet", abort(grpc.StatusCode.INTERNAL, ("grpc-status-details-bin", details())))
        config = write_settings(tmp_path, wallet_port=port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway, aiohttp.ClientSession() as client:
            assert (await post(client, gateway.url, make_callback("bet", account=PLAYER)))[0] == 500
            await until(lambda: has_logged(gateway, "callback", PLAYER))
            line = next(json.loads(line) for line in gateway.lines if '"event": "callback"' in line)

    assert (line["client"], line["account"]) == (HOST, PLAYER)
    assert (line["grpc_status"], line["wallet_said"]) == ("INTERNAL", "(LEDGER_CLOSED) said so in the test")

"""
What both hand-written programs do with a callback: JSON in, one gRPC call, JSON out, and no care at all.

No deadline, no exact decimals, no journal, no log. What is missing here is what a gateway is for.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import grpc.aio

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

WALLET_VARIABLE = "BENCH_WALLET"
"""Holds `HOST:PORT` of the wallet."""
CERT_VARIABLE, KEY_VARIABLE = "BENCH_CERT", "BENCH_KEY"
"""The names of PEM files, where the program is to speak TLS."""
_STATES = {v1.TRANSACTION_STATE_PROCESSED: "OK", v1.TRANSACTION_STATE_CANCELED: "CANCELED"}


class Wallet:
    """The gRPC calls. Must be made inside a running event loop."""

    def __init__(self) -> None:
        channel = grpc.aio.insecure_channel(os.environ[WALLET_VARIABLE])
        self._get_balance = channel.unary_unary(
            "/wallet.v1.WalletService/GetBalance",
            request_serializer=v1.GetBalanceRequest.SerializeToString,
            response_deserializer=v1.GetBalanceResponse.FromString,
        )
        self._place_bet = channel.unary_unary(
            "/wallet.v1.WalletService/PlaceBet",
            request_serializer=v1.PlaceBetRequest.SerializeToString,
            response_deserializer=v1.PlaceBetResponse.FromString,
        )
        self._get_status = channel.unary_unary(
            "/wallet.v1.WalletService/GetTransactionStatus",
            request_serializer=v1.GetTransactionStatusRequest.SerializeToString,
            response_deserializer=v1.GetTransactionStatusResponse.FromString,
        )

    async def answer(self, body: bytes) -> bytes:
        """The answer to a callback of the kinds `balance`, `bet` and `status`."""
        callback = json.loads(body)
        data = callback["data"]
        checks: list[Any] = [int(check) for check in callback["check"].split(",")]
        if callback["command"] == "status":
            request = v1.GetTransactionStatusRequest(
                account=data["account"], checks=checks, trans_id=str(data["trans_id"])
            )
            state = (await self._get_status(request)).state
            status = {"trans_id": data["trans_id"], "trans_status": _STATES[state]}
            return json.dumps({"result": 0, "status": "OK", "data": status}, separators=(",", ":")).encode()
        if callback["command"] == "bet":
            response = await self._place_bet(_bet(callback, data, checks))
        else:
            response = await self._get_balance(v1.GetBalanceRequest(account=data["account"], checks=checks))
        answer = {"result": 0, "status": "OK", "data": {"balance": response.balance / 100}}
        return json.dumps(answer, separators=(",", ":")).encode()


def _bet(callback: dict[str, Any], data: dict[str, Any], checks: list[Any]) -> v1.PlaceBetRequest:
    return v1.PlaceBetRequest(
        account=data["account"],
        checks=checks,
        trans_id=str(data["trans_id"]),
        amount=round(data["amount"] * 100),
        round_id=data["round_id"],
        call_id=data["call_id"],
        provider_id=data["provider_id"],
        game_code=data["game_code"],
        game_name=data["game_name"],
        game_type=data["game_type"],
        type=data["type"],
        requested_at={"seconds": int(callback["timestamp"])},
    )


def announce(addresses: Sequence[str]) -> None:
    """Says where the program listens, in the words in which walletbridge logs it."""
    print(json.dumps({"event": "listening", "addresses": list(addresses)}), file=sys.stderr, flush=True)  # noqa: T201 - read by the benchmark

"""
A copy of the demo wallet's ledger that is some seconds behind.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

_STATES = {0: v1.TRANSACTION_STATE_PROCESSED, 1: v1.TRANSACTION_STATE_CANCELED}


class Replica:
    """Reads the ledger's file, and leaves out what is newer."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def answer(self, trans_id: str, response: Any, *, seconds: float) -> None:
        """Makes of a GetTransactionStatusResponse what the copy would answer."""
        if response.outcome not in {v1.OUTCOME_OK, v1.OUTCOME_TRANSACTION_NOT_FOUND}:
            return
        until_ms = 1000 * (time.time() - seconds)
        with closing(sqlite3.connect(self._path)) as db:
            kinds = {
                kind
                for (kind,) in db.execute(
                    "SELECT kind FROM movements WHERE trans_id = ? AND time_ms <= ?", (trans_id, until_ms)
                )
            }
        if not kinds:
            response.outcome = v1.OUTCOME_TRANSACTION_NOT_FOUND
            response.state = v1.TRANSACTION_STATE_UNSPECIFIED
        else:
            response.state = _STATES[int("cancel" in kinds)]

"""A copy of the ledger that is behind."""

from pathlib import Path

import pytest
from tests.money.faults.replica import Replica

from walletbridge.demo.ledger import Ledger
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

PLAYED = 1_000.0


@pytest.mark.parametrize(
    ("seconds_ago", "cancelled", "expected"),
    [
        (1, False, (v1.OUTCOME_TRANSACTION_NOT_FOUND, v1.TRANSACTION_STATE_UNSPECIFIED)),
        (9, False, (v1.OUTCOME_OK, v1.TRANSACTION_STATE_PROCESSED)),
        (9, True, (v1.OUTCOME_OK, v1.TRANSACTION_STATE_CANCELED)),
    ],
)
def test_the_copy_knows_what_is_old_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds_ago: float, *, cancelled: bool, expected: tuple[int, int]
) -> None:
    ledger = Ledger(tmp_path / "wallet.db", clock=lambda: PLAYED)
    ledger.add_player("test1234", 1000)
    ledger.place_bet("test1234", (), "7", 10)
    if cancelled:
        ledger.cancel_transaction("test1234", (), "7")
    ledger.close()
    monkeypatch.setattr("time.time", lambda: PLAYED + seconds_ago)
    response = v1.GetTransactionStatusResponse(outcome=v1.OUTCOME_OK)

    Replica(tmp_path / "wallet.db").answer("7", response, seconds=5)

    assert (response.outcome, response.state) == expected


def test_what_the_wallet_refused_stays_refused(tmp_path: Path) -> None:
    response = v1.GetTransactionStatusResponse(outcome=v1.OUTCOME_PLAYER_NOT_FOUND)

    Replica(tmp_path / "wallet.db").answer("7", response, seconds=5)

    assert response.outcome == v1.OUTCOME_PLAYER_NOT_FOUND

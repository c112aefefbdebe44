"""`walletbridge demo --once`: every documented callback, through real HTTP and real gRPC."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from walletbridge.demo.cases import Case, documented_cases
from walletbridge.demo.ledger import Ledger
from walletbridge.demo.once import Ran, _table, run_once, set_up
from walletbridge.protocol.outcomes import Result

CASES = documented_cases()


def ran_well(case: Case) -> Ran:
    return Ran(case, "PlaceBet account=test1234", case.http_status, case.answer_bytes)


def shown(*ran: Ran) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(_table(ran))
    return console.export_text()


async def test_all_documented_callbacks_get_their_documented_answers(capsys: pytest.CaptureFixture[str]) -> None:
    code = await run_once()
    output = capsys.readouterr().out

    assert code == 0, output
    assert output.endswith(f"{len(CASES)} of {len(CASES)} answers are the documented ones.\n")
    assert output.count("✓") == len(CASES)
    assert "✗" not in output
    for method in ("Authenticate", "GetBalance", "PlaceBet", "SettleWin", "CancelTransaction", "GetTransactionStatus"):
        assert method in output
    assert "outcome=OUTCOME_OK" in output


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b'{"result":100,"status":"ERROR"}'), (200, b'{"result": 100, "status": "ERROR"}'), (200, b"")],
)
def test_an_answer_is_right_only_byte_for_byte(status: int, body: bytes) -> None:
    right = ran_well(CASES[-1])
    wrong = dataclasses.replace(right, http_status=status, body=body)

    assert right.is_right
    assert not wrong.is_right


def test_the_table_shows_what_was_expected_instead() -> None:
    right, wrong = ran_well(CASES[0]), dataclasses.replace(ran_well(CASES[-1]), http_status=500, body=b"\xff[oops]")

    assert "expected" not in shown(right)
    assert "✓" in shown(right)
    assert "✗" in shown(right, wrong)
    assert "500 \N{REPLACEMENT CHARACTER}[oops]" in shown(wrong)
    assert f"expected 200 {wrong.case.answer_bytes.decode()}" in shown(wrong)


def test_a_case_without_a_wallet_call_says_so() -> None:
    assert "none" in shown(dataclasses.replace(ran_well(CASES[-1]), wallet_call=""))


def test_each_case_starts_from_its_own_state(tmp_path: Path) -> None:
    """In whole units of a currency that has two decimals."""
    ledger = Ledger(tmp_path / "wallet.db")
    for case in CASES:
        set_up(ledger, case)
        for player in case.players:
            outcome = ledger.get_balance(player["account"], ())
            assert (outcome.result, outcome.balance) == (Result.OK, player["balance"] * 100)
        rows = {row["trans_id"]: row["amount_minor"] for row in ledger.dump()["transactions"]}
        assert rows == {str(given["trans_id"]): given["amount"] * 100 for given in case.transactions}
    ledger.close()

"""What happened to one transaction, from several logs."""

from pathlib import Path

from tests.money.faults.traces import write_trace

GATEWAY = """{"event": "START", "number": 0}
{"event": "listening", "timestamp": "1970-01-01T00:00:10Z"}
{"event": "callback", "trans_id": 1, "timestamp": "1970-01-01T00:00:12Z"}
{"event": "callback", "trans_id": 2, "timestamp": "1970-01-01T00:00:13Z"}
no line of ours
"""
WALLET = """{"event": "made", "trans_id": "1", "timestamp": 11.5}
"""


def test_lines_of_a_transaction_are_put_in_order(tmp_path: Path) -> None:
    (tmp_path / "gateway-0.log").write_text(GATEWAY)
    (tmp_path / "wallet.log").write_text(WALLET)

    assert write_trace(tmp_path, "1").read_text().splitlines() == [
        '0.000 gateway-0  {"event": "START", "number": 0}',
        '11.500 wallet     {"event": "made", "trans_id": "1"}',
        '12.000 gateway-0  {"event": "callback", "trans_id": 1}',
    ]

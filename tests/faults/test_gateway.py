"""How the gateways of a run are set up, and what is made of their logs."""

import json
from pathlib import Path

import pytest
from tests.faults.books import Heard
from tests.faults.gateway import Logs, settings
from tests.faults.plan import Plan
from tests.faults.processes import Line
from tests.faults.worlds import World

from walletbridge.settings import load


@pytest.mark.parametrize("scale", [1, 4, 10, 20])
@pytest.mark.parametrize("gateways", [1, 2])
def test_the_settings_are_good_at_every_scale(tmp_path: Path, scale: float, gateways: int) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text(
        json.dumps(settings(Plan(seed=1, scale=scale, gateways=gateways, remembers_cancels=False), 50051))
    )

    found = load(config)

    assert found.wallet.target == "127.0.0.1:50051"
    assert not found.wallet.late_bets_refused
    assert found.deadlines.bet == 2 / scale


def test_half_of_the_providers_that_roll_back_are_known_to_do_so() -> None:
    worlds = frozenset({World.LATE_ROLLBACK})
    found = [settings(Plan(seed=seed, worlds=worlds), 50051)["journal"]["rollback_rounds"] for seed in range(4)]

    assert found == [True, False, True, False]


def callback(command: str, **fields: object) -> Line:
    return {"event": "callback", "command": command, "trans_id": 7, "http_status": 200, "ms": 10.0, **fields}


def test_logs_say_what_was_heard_of_a_transaction() -> None:
    logs = Logs(Plan(seed=1, scale=10))
    for line in (
        callback("bet", http_status=500, ms=201.0),
        callback("win", timestamp="1970-01-01T00:00:05Z"),
        {"event": "not journalled, so not sent to the wallet", "command": "cancel", "trans_id": "7"},
        callback("cancel", http_status=500, trans_id="7"),
    ):
        logs.listen(line)

    assert logs.heard["7"] == Heard(commands={"bet", "win", "cancel"}, lost={"cancel"}, definite_at={"win": 5.0})
    assert logs.late == 1


def test_only_the_last_answer_counts_as_not_delivered() -> None:
    logs = Logs(Plan(seed=1))
    for line in (callback("win"), callback("win", event="answer not delivered")):
        logs.listen(line)
    assert logs.of(7).undelivered == {"win"}

    logs.listen(callback("win"))
    assert logs.of(7).undelivered == set()


def test_a_gateway_that_has_stopped_answers_without_a_journal() -> None:
    logs = Logs(Plan(seed=1))
    for event in ("stopped", "the outcome could not be written"):
        logs.listen({"event": event, "timestamp": "1970-01-01T00:01:40Z"})

    assert logs.blind == [(98.0, 102.0), (98.0, 102.0)]


def test_faults_of_the_gateway_itself_are_wrong() -> None:
    logs = Logs(Plan(seed=1))
    logs.listen({"event": "fault", "exception": "Traceback"})

    assert logs.wrong == ["{'event': 'fault', 'exception': 'Traceback'}"]

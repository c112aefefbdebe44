"""How the gateways of a run are set up, and what is made of their logs."""

import json
import time
from pathlib import Path

import pytest
from tests.money.faults.gateway import Logs, settings
from tests.money.faults.heard import Heard, Said, Span
from tests.money.faults.plan import Plan
from tests.money.faults.processes import NO_JSON, Line
from tests.money.faults.worlds import World

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
    line = {"event": "callback", "command": command, "trans_id": 7, "http_status": 200, "ms": 10.0}
    return {**line, "timestamp": time.time(), **fields}


def test_logs_say_what_was_heard_of_a_transaction() -> None:
    logs, at = Logs(Plan(seed=1, scale=10)), round(time.time(), 3)
    for line in (
        callback("bet", http_status=500, ms=201.0, timestamp=at),
        callback("win", timestamp=at + 1),
        {"event": "not journalled, so not sent to the wallet", "command": "cancel", "trans_id": "7", "timestamp": at},
        callback("cancel", http_status=500, trans_id="7", timestamp=at),
    ):
        logs.listen(line, gateway=1)

    assert logs.heard["7"] == Heard(
        answered=[Said("bet", at, 1), Said("win", at + 1, 1), Said("cancel", at, 1)],
        lost=[Said("cancel", at, 1)],
        definite_at={"win": at + 1},
    )
    assert logs.late == 1


def test_times_of_a_clock_that_was_moved_do_not_count() -> None:
    logs, now = Logs(Plan(seed=1)), time.time()
    logs.listen(callback("win", timestamp="1970-01-01T00:00:05Z"))

    assert now <= logs.of(7).definite_at["win"] <= time.time()


def test_only_the_last_answer_counts_as_not_delivered() -> None:
    logs = Logs(Plan(seed=1))
    for line in (callback("win"), callback("win", event="answer not delivered")):
        logs.listen(line)
    assert logs.of(7).undelivered == {"win"}

    logs.listen(callback("win"))
    assert logs.of(7).undelivered == set()


def test_a_gateway_that_has_stopped_answers_without_a_journal() -> None:
    logs, at = Logs(Plan(seed=1)), time.time()
    logs.listen({"event": "stopped", "timestamp": at}, gateway=1)

    assert logs.times.closed == [Span(at - 0.1, at + 2, 1)]


def test_a_disk_that_takes_too_long_is_noted_of_its_gateway_alone() -> None:
    logs, at = Logs(Plan(seed=1)), time.time()
    logs.listen(callback("bet", event="the outcome could not be written", timestamp=at), gateway=1)

    assert logs.times.slow == [Said("bet", at, 1)]
    assert logs.times.closed == []


def test_faults_of_the_gateway_itself_are_wrong() -> None:
    logs = Logs(Plan(seed=1))
    logs.listen({"event": "fault", "exception": "Traceback"})
    logs.listen({"event": NO_JSON, "text": "Traceback"})

    assert logs.wrong == [
        "{'event': 'fault', 'exception': 'Traceback'}",
        "{'event': 'no line of JSON', 'text': 'Traceback'}",
    ]

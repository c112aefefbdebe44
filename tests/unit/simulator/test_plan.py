"""What a run is told to do."""

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.plan import Plan

HIDDEN = "a-callback-word"


def plan(**changes: float) -> Plan:
    return Plan(url="http://127.0.0.1/callback", token=HIDDEN, **changes)  # type: ignore[arg-type]


def test_the_time_scale_divides_the_limits() -> None:
    assert plan().limit(Command.BET) == 2.0
    assert plan(time_scale=20).limit(Command.BET) == 0.1
    assert plan(time_scale=20).limit(Command.CANCEL) == 0.2


def test_the_waits_go_with_the_limits_unless_told_otherwise() -> None:
    assert plan().wait(3) == 3
    assert plan(time_scale=20).wait(3) == 0.15
    assert plan(time_scale=20, wait_scale=300).wait(3) == 0.01


def test_the_end_leaves_time_for_the_final_comparison() -> None:
    whole = plan(duration=10, time_scale=20)

    assert whole.play_until < whole.cut_at < whole.duration == 10


def test_the_token_is_not_shown() -> None:
    assert HIDDEN not in repr(plan())

"""What the wallet made after it had refused it."""

import pytest
from tests.money.faults.refusals import Refusals

OK, REFUSED = 1, 99

type Step = tuple[str, str, int]


def asked(call: str) -> Step:
    return "asked", call, 0


def made(call: str, outcome: int = OK) -> Step:
    return "made", call, outcome


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([asked("0.1"), made("0.1", REFUSED), asked("0.2"), made("0.2")], {"7"}),
        # It was at work all the time: who answered with the refusal spoke for both.
        ([asked("0.1"), asked("0.2"), made("0.2", REFUSED), made("0.1")], set()),
        ([asked("0.1"), asked("0.2"), made("0.2", REFUSED), asked("0.3"), made("0.1"), made("0.3", 41)], set()),
        ([asked("0.1"), made("0.1"), asked("0.2"), made("0.2", REFUSED)], set()),
        ([asked("0.1"), made("0.1", REFUSED), asked("1.1"), made("1.1")], {"7"}),
    ],
)
def test_what_counts_is_which_call_made_it(steps: list[Step], expected: set[str]) -> None:
    refusals = Refusals()
    for event, call, outcome in steps:
        refusals.listen({"event": event, "method": "SettleWin", "trans_id": "7", "call": call, "outcome": outcome})

    assert refusals.made_after == expected


def test_a_cancel_is_no_movement() -> None:
    refusals = Refusals()
    for line in ({"event": "ready"}, {"event": "made", "method": "CancelTransaction", "trans_id": "7", "outcome": 99}):
        refusals.listen(line)

    assert refusals.made_after == set()

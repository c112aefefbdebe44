"""What looks and ends are made of."""

import pytest
from msgspec.structs import replace
from tests.support.rows import BET, CANCEL, MADE, NOW

from walletbridge.rules import decisions
from walletbridge.rules.row import Kind, Row


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (BET, replace(BET, call=None, movement_unresolved_since=NOW + 2, told_at=NOW + 2)),
        (CANCEL, replace(CANCEL, call=None, cancel_unresolved=True, told_at=NOW + 2)),
        (replace(MADE, call=Kind.BET, call_ends_at=NOW), replace(MADE, call_ends_at=NOW, told_at=NOW)),
        (MADE, MADE),
    ],
)
def test_a_call_that_was_cut_off_ended_at_its_deadline(row: Row, expected: Row) -> None:
    assert decisions.absorb(row) == expected

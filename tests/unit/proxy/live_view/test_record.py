"""The record travels inside the flow, and what others wrote there is not believed."""

from typing import Any

import pytest
from tests.unit.proxy.live_view.records import bet_record, unknown_record

from walletbridge.proxy.live_view.record import KEY, RECORD_MAX, Milliseconds, Record, marker_in, read, write


def test_a_record_comes_back_as_it_was_written() -> None:
    metadata: dict[Any, Any] = {"of somebody else": 1}
    record = bet_record()
    write(metadata, record)

    assert read(metadata) == record
    assert isinstance(metadata[KEY], str)
    assert metadata["of somebody else"] == 1


def test_what_filters_look_for_stands_first() -> None:
    metadata: dict[Any, Any] = {}
    write(metadata, bet_record())

    assert metadata[KEY].startswith('{"find":"command=bet account=test1234 ')


@pytest.mark.parametrize(
    "value",
    [
        None,
        17,
        b"{}",
        "",
        "no JSON",
        "[]",
        '{"checks":["21"]}',
        '{"calls":[{}]}',
        '{"result":-1}',
        '{"times":{"total":"slow"}}',
        '{"stage":"elsewhere"}',
        '{"journal":null,"asked":7}',
        "[" * 100_000,
        '{"reason":"' + RECORD_MAX * "x" + '"}',
    ],
)
def test_anything_else_is_no_record(value: object) -> None:
    assert read({KEY: value}) is None


def test_without_metadata_there_is_no_record() -> None:
    assert read({}) is None


def test_a_record_of_a_later_version_can_be_read() -> None:
    assert read({KEY: '{"command":"bet","not yet known":[1]}'}) == Record(command="bet")


@pytest.mark.parametrize("find", ["", "is=ok ", '","marker":":x:"', 'ends with "', "ends with \\"])
@pytest.mark.parametrize("marker", ["", ":white_check_mark:"])
def test_the_marker_of_a_record_is_found_without_the_rest(find: str, marker: str) -> None:
    metadata: dict[Any, Any] = {}
    write(metadata, Record(find=find, marker=marker, account='","marker":":grapes:"'))

    assert marker_in(metadata) == marker


@pytest.mark.parametrize("value", [None, 17, "no JSON", '{"find":"', '{"find":"","find":"'])
def test_what_is_no_record_has_no_marker(value: object) -> None:
    assert marker_in({KEY: value}) is None


@pytest.mark.parametrize(("total", "is_slow"), [(0.0, False), (875.0, False), (875.1, True), (1800.0, True)])
def test_over_half_of_the_budget_is_slow(total: float, is_slow: bool) -> None:  # noqa: FBT001 - a table
    assert Record(times=Milliseconds(total=total, budget=1750.0)).is_slow is is_slow
    assert not Record(times=Milliseconds(total=total)).is_slow


def test_open_rows_and_unknown_movements_are_unresolved() -> None:
    assert unknown_record().is_unresolved
    assert unknown_record(standing=None).is_unresolved
    assert not bet_record().is_unresolved
    assert not Record(command="balance", http_status=500).is_unresolved

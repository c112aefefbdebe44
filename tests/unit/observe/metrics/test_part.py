"""A worker's numbers: written, read by another, kept when the worker is dead, bounded."""

from walletbridge.observe.metrics.part import DROPPED, NAMES_BYTES, PART_BYTES, SERIES_MAX, Part


def numbers(part: Part) -> dict[tuple[str, ...], int]:
    return {key: number for key, number in part.read() if key != (DROPPED,)}


def test_a_series_is_its_name_and_labels() -> None:
    part = Part()
    part.add("a_total", x="1", y="2")
    part.add("a_total", x="1", y="2")
    part.add("a_total", x="2", y="2")
    part.set("b", 7)

    assert numbers(part) == {("a_total", "x", "1", "y", "2"): 2, ("a_total", "x", "2", "y", "2"): 1, ("b",): 7}


def test_who_counts_often_keeps_the_place() -> None:
    part = Part()
    place = part.series("a_total")
    part.cells[place] += 5

    assert part.series("a_total") == place
    assert numbers(part) == {("a_total",): 5}


def test_another_process_reads_what_was_written() -> None:
    buffer = bytearray(PART_BYTES)
    writer, reader = Part(buffer), Part(buffer)
    writer.add("a_total", name='"quoted"\n')

    assert numbers(reader) == {("a_total", "name", '"quoted"\n'): 1}


def test_looking_changes_nothing() -> None:
    buffer = bytearray(PART_BYTES)
    Part(buffer)
    before = bytes(buffer)

    assert numbers(Part(buffer)) == {}
    assert bytes(buffer) == before


def test_a_successor_goes_on_counting_where_the_dead_worker_was() -> None:
    buffer = bytearray(PART_BYTES)
    dead = Part(buffer)
    dead.add("a_total")
    dead.add("b_seconds_bucket", le="1")
    dead.set("in_flight", 3)
    dead.end()
    successor = Part(buffer)
    # In another order than before: a newer version may well do that.
    successor.set("in_flight", 1)
    successor.add("b_seconds_bucket", le="1")
    successor.add("a_total")

    assert numbers(successor) == {("a_total",): 2, ("b_seconds_bucket", "le", "1"): 2, ("in_flight",): 1}


def test_what_tells_of_a_moment_ends_with_its_worker() -> None:
    part = Part()
    part.set("in_flight", 3)
    part.add("a_total")
    part.end()

    assert numbers(part) == {("in_flight",): 0, ("a_total",): 1}


def test_series_without_room_are_counted_together() -> None:
    part = Part()
    for number in range(SERIES_MAX + 2):
        part.add("a_total", number=str(number))
    found = dict(part.read())

    assert len(found) == SERIES_MAX
    assert found[DROPPED,] == 3


def test_long_names_are_bounded_as_well() -> None:
    part = Part()
    part.add("a_total", name="x" * NAMES_BYTES)

    assert dict(part.read()) == {(DROPPED,): 1}

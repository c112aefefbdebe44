"""What waits for the resolver, and how much of it is at work at a time."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.support.rows import MADE

from walletbridge.rules.row import Row
from walletbridge.transactions.resolver_lanes import Lane, Share


def share_of(most: int, clock: FakeClock) -> Share:
    return Share(most, pause_seconds=0.25, pause_seconds_max=5, clock=clock)


def row(number: int) -> Row:
    return replace(MADE, trans_id=str(number))


def test_it_begins_with_one_call_and_grows_with_each_round_of_answers() -> None:
    share = share_of(4, FakeClock())
    sizes = []
    for _ in range(12):
        sizes.append(share.calls)
        share.answered()

    assert sizes == [1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4]


def test_a_failure_halves_it_and_those_of_the_same_round_do_not_halve_it_again() -> None:
    clock = FakeClock()
    share = share_of(16, clock)
    for _ in range(300):
        share.answered()
    assert share.calls == 16
    begun = clock()
    clock.tick(1)
    for _ in range(16):
        share.failed(begun)
    assert share.calls == 8

    clock.tick(1)
    share.gave_way(clock())
    assert share.calls == 4


def test_what_fails_is_tried_again_later_and_later_until_there_is_hope() -> None:
    clock = FakeClock()
    share = share_of(4, clock)
    pauses = []
    for _ in range(6):
        share.failed(clock())
        pauses.append(share.pause)
    assert pauses == [0.5, 1, 2, 4, 5, 5]

    share.try_soon()
    assert share.pause == 0.25
    share.failed(clock())
    share.answered()
    assert share.pause == 0.25


@given(st.lists(st.sampled_from(["answered", "failed"]), max_size=60), st.integers(1, 8))
def test_whatever_comes_it_is_never_none_and_never_too_many(events: list[str], most: int) -> None:
    clock = FakeClock()
    share = share_of(most, clock)
    for event in events:
        clock.tick(1)
        if event == "failed":
            share.failed(clock())
        else:
            share.answered()
        assert 1 <= share.calls <= most


class _Bench:
    def __init__(self, *, most: int, waiting_max: int) -> None:
        self.begun: list[str] = []
        self.lane = Lane(share_of(most, FakeClock()), self._begin, waiting_max=waiting_max)

    def _begin(self, row: Row, eager: bool) -> None:  # noqa: FBT001 - as it is called
        assert not eager
        self.begun.append(row.trans_id)


def test_rows_go_in_their_order_and_none_twice_at_a_time() -> None:
    bench = _Bench(most=1, waiting_max=2)
    assert [bench.lane.add(row(number), eager=False) for number in (1, 2, 2, 1, 3, 4)] == [
        *(True, True, False, False, True, False)
    ]
    assert (bench.begun, bench.lane.is_full, bench.lane.is_dry) == (["1"], True, False)
    for number in (1, 2, 3):
        bench.lane.ended(row(number))
        bench.lane.go_on()
    assert (bench.begun, bench.lane.is_dry) == (["1", "2", "3"], True)
    assert bench.lane.add(row(1), eager=False)


def test_what_is_forgotten_may_come_again() -> None:
    bench = _Bench(most=1, waiting_max=5)
    for number in range(3):
        bench.lane.add(row(number), eager=False)
    bench.lane.clear()

    assert bench.lane.is_dry
    assert bench.lane.add(row(2), eager=False)
    assert not bench.lane.add(row(0), eager=False)  # still under way

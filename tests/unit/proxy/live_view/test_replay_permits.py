"""A permission is for one replay, soon, of what was shown."""

from mitmproxy.test import tflow
from tests.support.clock import FakeClock

from walletbridge.proxy.live_view.replay_permits import PERMITS_MAX, SECONDS, Permits


def test_it_holds_once() -> None:
    permits, flow = Permits(FakeClock()), tflow.tflow()
    permits.give(flow)

    assert permits.take(flow)
    assert not permits.take(flow)
    assert not permits.take(tflow.tflow())


def test_it_runs_out() -> None:
    clock, flow = FakeClock(), tflow.tflow()
    permits = Permits(clock)
    permits.give(flow)
    clock.tick(SECONDS)

    assert not permits.take(flow)


def test_it_is_for_the_body_that_was_shown() -> None:
    permits, flow = Permits(FakeClock()), tflow.tflow()
    permits.give(flow)
    flow.request.content = b"another"

    assert not permits.take(flow)


def test_there_are_never_many() -> None:
    permits, flows = Permits(FakeClock()), [tflow.tflow() for _ in range(PERMITS_MAX + 1)]
    for flow in flows:
        permits.give(flow)

    assert not permits.take(flows[0])
    assert permits.take(flows[-1])

"""What is noted of a callback on its way."""

from walletbridge.observe.trace import CacheUse, Trace


def test_a_trace_begins_empty() -> None:
    """What did not happen must not show in the log."""
    trace = Trace()

    assert (trace.callback, trace.cache, trace.tries, trace.wallet_seconds) == (None, None, 0, 0)
    assert trace.wallet_method == trace.grpc_status == trace.reason == ""


def test_a_trace_takes_no_field_that_nobody_reads() -> None:
    """A mistyped name is an error, not a line that says less."""
    assert not hasattr(Trace(), "__dict__")


def test_the_uses_of_the_cache_have_words() -> None:
    assert [str(use) for use in CacheUse] == ["hit", "miss", "joined", "bypassed"]

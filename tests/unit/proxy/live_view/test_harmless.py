"""What people see may fail."""

import asyncio

import pytest

from walletbridge.proxy.live_view.harmless import harmless


def test_a_fault_is_told_and_ends_there(caplog: pytest.LogCaptureFixture) -> None:
    with harmless():
        raise ValueError("broken on purpose")

    assert "the live view failed: ValueError: broken on purpose" in caplog.text


def test_an_end_from_outside_is_no_fault() -> None:
    with pytest.raises(asyncio.CancelledError), harmless():
        raise asyncio.CancelledError

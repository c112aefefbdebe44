"""Events reach those addons that have a hook for them, as mitmproxy itself would bring them there."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy.addonmanager import AddonManager
from mitmproxy.exceptions import AddonHalt, OptionsError
from mitmproxy.hooks import UpdateHook
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook
from mitmproxy.test import taddons, tflow

from walletbridge.proxy.patches.direct_hooks import trigger_directly


class Addon:
    """Notes that it was called."""

    def __init__(self, name: str, calls: list[str], raises: Exception | None = None) -> None:
        self.name = name
        self._calls = calls
        self._raises = raises

    def request(self, flow: object) -> None:
        del flow
        self._calls.append(self.name)
        if self._raises:
            raise self._raises


class Slow(Addon):
    """Takes a turn of the loop."""

    async def request(self, flow: object) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().request(flow)


class Holder(Addon):
    """Holds others, which come and go."""

    def __init__(self, name: str, calls: list[str]) -> None:
        super().__init__(name, calls)
        self.addons: list[Addon] = []


class Deaf:
    """Has something else by that name."""

    request = "no hook"


@pytest.fixture
def manager() -> Iterator[AddonManager]:
    with taddons.context() as context:  # type: ignore[no-untyped-call]
        manager: Any = context.master.addons
        manager.clear()
        trigger_directly(manager)
        yield manager


async def _request(manager: AddonManager) -> None:
    await manager.trigger_event(HttpRequestHook(tflow.tflow()))


async def test_hooks_are_called_in_the_order_of_the_addons(manager: AddonManager) -> None:
    """Those that are slow are waited for; those that have none for it are left alone."""
    calls: list[str] = []
    manager.add(Slow("slow", calls), object(), Deaf(), Addon("quick", calls))  # type: ignore[no-untyped-call]
    await _request(manager)
    await manager.trigger_event(UpdateHook([]))

    assert calls == ["slow", "quick"]


async def test_addons_that_come_move_and_go_count_at_once(manager: AddonManager) -> None:
    calls: list[str] = []
    first, second, holder = Addon("first", calls), Addon("second", calls), Holder("holder", calls)
    manager.add(first, holder)  # type: ignore[no-untyped-call]
    await _request(manager)
    manager.add(second)  # type: ignore[no-untyped-call]
    holder.addons.append(Addon("held", calls))
    await _request(manager)
    manager.chain.reverse()
    await _request(manager)
    manager.remove(first)  # type: ignore[no-untyped-call]
    holder.addons.clear()
    await _request(manager)

    assert calls == [
        *("first", "holder"),
        *("first", "holder", "held", "second"),
        *("second", "holder", "held", "first"),
        *("second", "holder"),
    ]


async def test_a_fault_of_one_does_not_keep_the_others_from_it(
    manager: AddonManager, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []
    manager.add(Slow("broken", calls, ValueError("broken on purpose")), Addon("whole", calls))  # type: ignore[no-untyped-call]
    with caplog.at_level(logging.ERROR):
        await _request(manager)

    assert calls == ["broken", "whole"]
    assert "Addon error: broken on purpose" in caplog.text
    assert "in request" in caplog.text


async def test_an_addon_may_be_the_last_to_hear_of_it(manager: AddonManager) -> None:
    calls: list[str] = []
    manager.add(Addon("last", calls, AddonHalt()), Addon("never", calls))  # type: ignore[no-untyped-call]
    await _request(manager)

    assert calls == ["last"]


async def test_a_wrong_option_is_left_to_whoever_set_it(manager: AddonManager) -> None:
    manager.add(Addon("wrong", [], OptionsError("no such thing")))  # type: ignore[no-untyped-call]
    with pytest.raises(OptionsError, match="no such thing"):
        await _request(manager)

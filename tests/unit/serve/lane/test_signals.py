"""What layers hear and ask for beside mitmproxy's own."""

from mitmproxy.proxy.events import Event
from tests.unit.serve.lane.fakes import Talk, request

from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook


def test_a_callback_is_asked_for_by_a_hook_that_nobody_else_has() -> None:
    talk = Talk()
    talk.conversation.received(request())
    hook = WalletbridgeCallbackHook(talk.wire.asked[0])

    assert hook.name == "walletbridge_callback"
    assert hook.args() == [talk.wire.asked[0]]
    assert len({hook, WalletbridgeCallbackHook(talk.wire.asked[0])}) == 2
    assert isinstance(Expired(), Event)

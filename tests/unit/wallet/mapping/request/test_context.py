"""What a binding's compilation knows."""

from tests.support.mappings import context_for

from walletbridge.wallet.mapping.request.sources import Role


def test_each_request_collects_for_itself() -> None:
    one, other = context_for(Role.BET), context_for(Role.WIN)
    one.used.add("amount")

    assert (other.used, other.keys) == (set(), set())

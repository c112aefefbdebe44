"""Which paths are nearly the callback path."""

import pytest

from walletbridge.protocol.near_miss import is_near


@pytest.mark.parametrize(
    "target",
    ["/callback/", "//callback", "/%63allback", "/Callback", "/CALLBACK//", "/callback/?a=1", "/callback%2f"],
)
def test_a_slip_of_a_providers_settings_is_near(target: str) -> None:
    assert is_near(target, "/callback")


@pytest.mark.parametrize(
    "target", ["/callback", "/callback?a=1", "/", "/callbacks", "/callback/x", "/call/back", "/" * 100_000]
)
def test_the_path_itself_and_others_are_not(target: str) -> None:
    assert not is_near(target, "/callback")

"""Who watches does not see whose account it is."""

import pytest

from walletbridge.proxy.live_view.mask import mask, mask_in_body, mask_in_text


@pytest.mark.parametrize(
    ("account", "masked"),
    [("test1234", "t***4"), ("abcdef", "a***f"), ("abcde", "***"), ("a", "***"), ("é" * 7, "é***é")],
)
def test_an_account_is_masked(account: str, masked: str) -> None:
    assert mask(account) == masked


def test_a_message_is_masked() -> None:
    assert mask_in_text('account: "test1234" note: "test1234!"', "test1234") == 'account: "t***4" note: "t***4!"'
    # A short one may be part of any word.
    assert mask_in_text('account: "1" amount: 11', "1") == 'account: "***" amount: 11'


@pytest.mark.parametrize(
    ("body", "account", "masked"),
    [
        (b'{"data":{"account":"test1234","x":1}}', "test1234", b'{"data":{"account":"t***4","x":1}}'),
        (b'{"account" :\n"\\u0074est1234"}', "test1234", b'{"account" :\n"t***4"}'),
        (b'{"account":"a\\"b\\\\cdef"}', 'a"b\\cdef', b'{"account":"a***f"}'),
        # Of a body that is no callback nothing is known.
        (b'{"account":"test1234","amount":-', "", b'{"account":"t***4","amount":-'),
        (b'{"account":"\\ud800xxxxx"}', "", b'{"account":"\\ud800***x"}'),
        (b"no account", "", b"no account"),
        (b"", "", b""),
        # It stands where nobody looks for it.
        (b'{"acc\\u006funt":"test1234"}', "test1234", b"(hidden: ui.mask_accounts)"),
    ],
)
def test_a_body_is_masked(body: bytes, account: str, masked: bytes) -> None:
    assert mask_in_body(body, account) == masked

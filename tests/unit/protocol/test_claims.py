"""A body that is no callback still says who sent what."""

import pytest

from walletbridge.protocol.claims import Claimed, claimed


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"command":"bet","data":{"account":"a","trans_id":7,"amount":-1}}', Claimed("bet", "a", "7")),
        (b'{"command":"bet","command":"win","data":{}}', Claimed("win", "", "")),
        (b'{"command":null,"data":{"account":["a"],"trans_id":true}}', Claimed("", "", "")),
        (b'{"command":"' + b"x" * 1000 + b'"}', Claimed("x" * 64 + "...", "", "")),
        (b'{"data":[]}', Claimed("", "", "")),
        (b"[]", None),
        (b"", None),
        (b"\xff", None),
        (b"[" * 60_000, None),
    ],
)
def test_what_can_be_read_is_read(body: bytes, found: Claimed | None) -> None:
    assert claimed(body) == found

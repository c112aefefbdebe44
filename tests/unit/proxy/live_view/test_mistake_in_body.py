"""The mark stands under the mistake."""

import pytest
from tests.support.callbacks import body, make_callback, raw_body

from walletbridge.protocol.callbacks import BadCallback, decode
from walletbridge.proxy.live_view.mistake_in_body import show_place


def marked(data: bytes) -> tuple[str, str]:
    """The text from the mark on, and what is said of it."""
    with pytest.raises(BadCallback) as caught:
        decode(data, currency_decimals=2)
    text, under = show_place(data, caught.value.path, str(caught.value)).split("\n")
    mark = under.index("^")
    return text[mark:], under[mark + 2 :]


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (body(make_callback("bet", amount=-1)), "-1,"),
        (body(make_callback("bet", account="")), '"",'),
        (body(make_callback("bet", check="")), '""}'),
        (raw_body("bet", amount="1e"), "e,"),
        (b'{"command":"bet"', ""),
        (b'{"a":1,"a":2}', "2}"),
        (b'{"x":[{"a":1},{"b":1,"b":5}]}', "5}"),
        (b'{"odd key!":{"b":1,"b":6}}', "6}"),
        # What is missing is missing in the object that should have it.
        (b'{"command":"balance","data":{"x":1},"check":"21"}', '{"x":1}'),
        (b"[1]", "[1]"),
        (b"", ""),
        ('{"é":"é","command":1}'.encode(), "1}"),
        (b'{"a":"\xff"}', '\ufffd"}'),
        (b'{\n"command":"balance",\n"data":{"account":7},"check":"21"}', "7}"),
        (b"[" * 100_000, "["),
    ],
)
def test_the_mark_stands_under_the_mistake(data: bytes, rest: str) -> None:
    assert marked(data)[0].startswith(rest)


def test_the_reason_stands_beside_the_mark() -> None:
    assert marked(body(make_callback("bet", amount=-1)))[1] == "$.data.amount: must not be negative"


def test_a_long_line_is_cut_around_the_mistake() -> None:
    text = show_place(body(make_callback("bet", amount=-1)), "$.data.amount", "wrong").split("\n")[0]

    assert text.startswith("…")
    assert text.endswith("…")
    assert len(text) <= 80


@pytest.mark.parametrize("path", ["$.data.amount", "$[7]", "$.x[0]", "$..deep", '$["a"]', "nonsense", "", '$["\\"]'])
def test_a_path_that_leads_nowhere_does_no_harm(path: str) -> None:
    for data in (b"", b"{", b"no JSON", b"\xff\xfe", b'{"x":', b"[]", b'{"x":[1'):
        assert show_place(data, path, "at line 9 column 9").endswith("^ at line 9 column 9")


def test_control_characters_do_not_move_the_mark() -> None:
    assert "\t" not in show_place(b'{\t"a":\t1}', "$.a", "wrong")

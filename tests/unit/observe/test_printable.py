"""Text from outside that a terminal would obey, or a reader be deceived by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walletbridge.observe.printable import printable, printable_lines

HOSTILE = {
    "\x1b[2J\x1b]0;owned\x07": r"\x1b[2J\x1b]0;owned\x07",
    "\x9b31m": r"\x9b31m",
    "a\nlevel=error": r"a\nlevel=error",
    "a\r\x00\x7f": r"a\r\x00\x7f",
    "\u202eevil\u2066\u2069\u200f": r"\u202eevil\u2066\u2069\u200f",
    "a\u2028b\u2029c\x85": r"a\u2028b\u2029c\x85",
    "zero\u200b\u200d\ufeffwidth": r"zero\u200b\u200d\ufeffwidth",
    "\ud800": r"\ud800",
    "\U000e0041": r"\U000e0041",
    "a\u00a0b": r"a\xa0b",
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_what_is_not_printable_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["test1234", "Jürgen", "Ωμέγα", "玩家 1", "🎰", ""])
def test_what_is_printable_stays(text: str) -> None:
    assert printable(text) is text


def test_lines_are_kept_where_there_are_several() -> None:
    assert printable_lines("a\nb\x1b\n") == "a\nb\\x1b\n"


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_is_printable_afterwards(text: str) -> None:
    assert printable(text).isprintable()

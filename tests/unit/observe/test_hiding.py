"""A token is found in whatever way it is written."""

import pickle
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from walletbridge.observe.hiding import Hiding

TOKEN = "to/k=en+1234:ab~?>"  # noqa: S105 - not a secret, it only plays one
SHORT = "tok"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Bearer {TOKEN}",
        f"x{TOKEN}y",
        quote(TOKEN, safe=""),
        quote(quote(TOKEN, safe=""), safe=""),
        "".join(f"%{ord(one):02X}" for one in TOKEN),
        "".join(f"\\u{ord(one):04x}" for one in TOKEN),
        TOKEN.replace("/", "\\/"),
        repr(f"X {TOKEN}\r\n".encode()),
        *("Basic " + b64encode(f"{'u' * size}:{TOKEN}{'!' * size}".encode()).decode() for size in range(4)),
        *(urlsafe_b64encode(f"{'u' * size}:{TOKEN}?".encode()).decode() for size in range(4)),
    ],
)
def test_nothing_of_a_token_is_left(text: str) -> None:
    hidden = Hiding([TOKEN]).text(text)

    assert "***" in hidden
    assert not {TOKEN[:6], TOKEN[-6:], "234%3", "dG8va", "MTIzN"} & {
        hidden[start : start + size] for size in (5, 6) for start in range(len(hidden))
    }
    assert Hiding([TOKEN]).octets(text.encode()) == hidden.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("missing token", "missing token"),
        ("a tok, of course", "a ***, of course"),
        (repr(b"\r\ntok\r\n"), r"b'\r\n***\r\n'"),
        ("Stock", "Stock"),
        ("%74ok", "***"),
    ],
)
def test_a_short_token_is_hidden_where_it_is_a_word(text: str, shown: str) -> None:
    assert Hiding([SHORT]).text(text) == shown


def test_of_two_tokens_the_longer_is_hidden_whole() -> None:
    assert Hiding(["abcdefgh", "abcdefgh-2"]).text("abcdefgh-2 abcdefgh") == "*** ***"


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    body = bytes(range(256))

    assert Hiding([TOKEN]).octets(body + TOKEN.encode() + body) == body + b"***" + body


def test_no_dump_shows_a_token() -> None:
    hiding = Hiding([TOKEN])
    hiding.text(f"{TOKEN}%")

    assert TOKEN not in repr(hiding)
    assert TOKEN.encode() not in pickle.dumps(hiding)


def test_nothing_to_hide_hides_nothing() -> None:
    assert Hiding([]).text("a%b\\c") == "a%b\\c"

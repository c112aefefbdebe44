"""Who has the provider's token."""

import pickle

import pytest

from walletbridge.gateway.tokens import Tokens

OLD, NEW = b"old-token-0123456789", b"new-token-9876543210"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens([OLD, NEW])


@pytest.mark.parametrize("token", [OLD, NEW])
def test_each_of_several_tokens_is_accepted(tokens: Tokens, token: bytes) -> None:
    """A token is rotated by accepting the old and the new one for a while."""
    assert tokens.accept([token]) is True


def test_a_token_that_was_taken_out_is_refused() -> None:
    assert Tokens([NEW]).accept([OLD]) is False


@pytest.mark.parametrize(
    "headers",
    [
        [],  # missing
        [b""],
        [b"wrong"],
        [OLD, OLD],  # twice, also where both are right
        [OLD, NEW],
        [OLD, b"wrong"],
        [b"wrong", OLD],
        [OLD + b", " + OLD],  # as HTTP joins a header that comes twice
        [OLD[:-1]],  # near misses
        [OLD + b"0"],
        [OLD[:-1] + b"8"],
        [OLD.upper()],
        [b" " + OLD],
        [OLD + b" "],
        [OLD + b"\x00"],
        [b"***"],  # what is left of a token in a saved flow
        [b"\xff\xfe"],
    ],
)
def test_any_other_header_gets_the_same_no(tokens: Tokens, headers: list[bytes]) -> None:
    assert tokens.accept(headers) is False


@pytest.mark.parametrize("none", [[], [b""], [OLD, b""]])
def test_there_must_be_a_token_and_none_may_be_empty(none: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"^expected at least one token, and none that is empty$"):
        Tokens(none)


def test_no_dump_shows_a_token(tokens: Tokens) -> None:
    dump = f"{tokens!r} {tokens} {vars(tokens)}".encode() + pickle.dumps(tokens)

    assert OLD not in dump
    assert NEW not in dump


def test_tokens_can_be_replaced_while_they_are_in_use() -> None:
    tokens = Tokens([b"old"])

    assert tokens.replace([b"old", b"new"])
    assert not tokens.replace([b"new", b"old"])
    assert tokens.accept([b"old"])
    assert tokens.replace([b"new"])
    assert not tokens.accept([b"old"])
    assert tokens.accept([b"new"])


def test_replacing_tokens_by_none_changes_nothing() -> None:
    tokens = Tokens([b"old"])
    with pytest.raises(ValueError, match="at least one token"):
        tokens.replace([])

    assert tokens.accept([b"old"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"to/k=en", b"***"),
        (b"secret", b"***"),
        (b"Bearer secret", b"Bearer ***"),
        (b"a=1; token=secret, x", b"a=1; token=***, x"),
        (b"/callback/?token=%73ecret&a=1", b"/callback/?token=***&a=1"),
        (b"/callback/secret/", b"/callback/***/"),
        (b"secrets and lies", b"secrets and lies"),
        (b"", b""),
    ],
)
def test_an_accepted_token_is_hidden_wherever_it_is_a_word(text: bytes, shown: bytes) -> None:
    assert Tokens([b"secret", b"to/k=en"]).hide(text) == shown

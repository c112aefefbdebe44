"""Texts with slots."""

import pytest

from walletbridge.wallet.mapping.templates import Slot, parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("EUR", ("EUR",)),
        ("{account}", (Slot("account", ""),)),
        ("{amount:decimal}", (Slot("amount", "decimal"),)),
        ("{player.user.id}", (Slot("player.user.id", ""),)),
        ("bet:{trans_id}", ("bet:", Slot("trans_id", ""))),
        ("{account}/{round_id}-x", (Slot("account", ""), "/", Slot("round_id", ""), "-x")),
        ("{{{account}}}", ("{", Slot("account", ""), "}")),
        ("{{account}}", ("{account}",)),
    ],
)
def test_a_text_is_taken_apart(text: str, parts: tuple[str | Slot, ...]) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize("text", ["{", "}", "{account", "account}", "{}", "{a b}", "{a:}", "{a:b:c}", "{{a}", "{ a }"])
def test_a_brace_that_belongs_to_no_slot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a brace itself is written twice"):
        parse(text)


def test_a_slot_is_shown_as_it_is_written() -> None:
    assert [str(Slot("a", "")), str(Slot("a", "b"))] == ["{a}", "{a:b}"]

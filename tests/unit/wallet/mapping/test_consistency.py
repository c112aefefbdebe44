"""What must hold between the parts of a mapping file."""

from pathlib import Path

import pytest
from tests.support.mappings import BANK_MAPPING, bind, mistakes_in, write_bank

from walletbridge.rules.promises import Promises
from walletbridge.wallet.mapping.consistency import breaches, checks_of, makes_up_cancels


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '      amount: "{amount:decimal}"\n',
            "",
            "40: commands.bet: nothing in the request or its metadata is the amount",
        ),
        ('reference: "bet:{trans_id}"\n      kind', "kind", ""),
        ('      reference: "bet:{trans_id}"\n    outcome', "      user_id: 1\n    outcome", "is the trans_id"),
        ("STATUS_NO_FUNDS: 31", "STATUS_NO_FUNDS: 99", "the wallet makes check 31, but no rule comes to 31"),
        (
            "STATUS_REPEATED: 41",
            "STATUS_REPEATED: unknown",
            "40: commands.bet: promises.checks says that the wallet makes check 41",
        ),
        ("STATUS_NO_TRANSFER: 42", "STATUS_NO_TRANSFER: unknown", "commands.status: promises.checks says"),
        ("STATUS_OK: 0", "STATUS_OK: 99", "no rule comes to 0: it could never succeed"),
        ('"cancel:{trans_id}"', '"bet:{trans_id}"', "its keys (bet:{trans_id}) are those of what it undoes"),
        ("    lookup: player\n    method: Debit", "    method: Debit", "the source player.user.id is not known"),
    ],
)
def test_parts_that_do_not_fit_together_are_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in BANK_MAPPING
    found = mistakes_in(write_bank(tmp_path, BANK_MAPPING.replace(old, new, 1)))

    # The metadata of the bet carries its id as well.
    assert any(told in mistake for mistake in found) if told else found == []


@pytest.mark.parametrize(("forms", "is_right"), [(("units", "nanos"), True), (("units",), False), (("nanos",), False)])
def test_units_go_with_nanos(tmp_path: Path, forms: tuple[str, ...], *, is_right: bool) -> None:
    parts = "".join(
        f'      {name}: "{{amount:{form}}}"\n' for form, name in zip(forms, ("amount", "round"), strict=False)
    )
    text = BANK_MAPPING.replace('      amount: "{amount:decimal}"\n', parts, 1).replace(
        '      round: "{round_id}"\n', "", 1
    )
    found = mistakes_in(write_bank(tmp_path, text))

    assert ("say only a part of the amount" in str(found)) is not is_right


def test_an_unprotected_wallet_need_not_have_a_key(tmp_path: Path) -> None:
    text = BANK_MAPPING.replace("repeats: reported", "repeats: unprotected").replace("[21, 22, 31, 41, 42]", "[31]")
    text = text.replace('      reference: "bet:{trans_id}"\n      kind', "      kind").replace(
        '      x-request: "bet-{trans_id}"\n', "      x-y: a\n"
    )

    assert mistakes_in(write_bank(tmp_path, text)) == []


def test_what_can_be_told_of_bindings(tmp_path: Path) -> None:
    bound = bind(write_bank(tmp_path))

    assert makes_up_cancels(bound.bindings)
    assert checks_of(bound.lookups["player"]) == {21, 22}
    assert list(breaches(bound.bindings, Promises(late_bets_refused=True), 2)) == []

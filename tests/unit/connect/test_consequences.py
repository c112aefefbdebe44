"""What follows from what a wallet promises is said in plain words."""

from itertools import product

import pytest
from msgspec.structs import replace

from walletbridge.connect.consequences import consequences
from walletbridge.rules.promises import Promises, Repeats

V1 = Promises(late_bets_refused=True)
ALL = V1.checks


def test_of_a_wallet_that_promises_all_there_is_nothing_to_say() -> None:
    assert list(consequences(V1)) == []


@pytest.mark.parametrize(
    ("promises", "words"),
    [
        (replace(V1, late_bets_refused=False), ["only after journal.settle_after"]),
        (replace(V1, repeats=Repeats.REPLAYED), ["(41) from its journal", "at least 400 days"]),
        (replace(V1, repeats=Repeats.UNPROTECTED), ["it asks for its status and never", "400 days"]),
        (replace(V1, cancels_repeat_safely=False), ["gets a cancel once"]),
        (replace(V1, has_cancel=False), ["opposite movement", "400 days"]),
        (replace(V1, has_status=False), ["status from its journal", "400 days"]),
        (replace(V1, checks=ALL - {21}), ["check 21, so"]),
        (replace(V1, checks=ALL - {21, 22}), ["check 21 and 22, so"]),
        (replace(V1, checks=ALL - {31}), ["two bets at once"]),
        (replace(V1, checks=ALL - {41}), ["check 41", "400 days"]),
        (replace(V1, checks=ALL - {42}), ["check 42", "400 days"]),
        (replace(V1, checks_balance_first=True), ["or else the wallet's status, knows one"]),
        (
            Promises(
                late_bets_refused=False,
                repeats=Repeats.UNPROTECTED,
                checks=frozenset(),
                has_cancel=False,
                has_status=False,
            ),
            ["leaves it to a person", "leaves the cancel to a person", "no status", "21 and 22", "cover", "400 days"],
        ),
    ],
)
def test_each_missing_promise_has_its_sentence(promises: Promises, words: list[str]) -> None:
    said = list(consequences(promises))

    assert len(said) == len(words)
    assert [word for word, sentence in zip(words, said, strict=True) if word not in sentence] == []


def test_every_sentence_ends() -> None:
    for repeats, late, cancel, status in product(Repeats, [True, False], [True, False], [True, False]):
        promises = Promises(
            late_bets_refused=late, repeats=repeats, has_cancel=cancel, has_status=status, checks_balance_first=True
        )
        assert all(
            said.startswith(("This wallet", "The journal")) and said[-1] == "." for said in consequences(promises)
        )

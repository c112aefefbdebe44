"""The page that the content view shows."""

import pytest
from tests.support.callbacks import body, make_callback
from tests.unit.proxy.live_view.records import PLACE_BET, bet_record, plain_record, unknown_record
from tests.unit.proxy.live_view.test_one_line import CASES, held

from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import BadCallback
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.one_line import comment, words
from walletbridge.proxy.live_view.page import page
from walletbridge.proxy.live_view.record import Call, Journal, Milliseconds, Record

BET = body(make_callback("bet"))


def test_all_that_is_known_of_a_bet_is_shown() -> None:
    text = page(bet_record(Result.BALANCE_INSUFFICIENT, 50), BET, is_request=True, related=["#1: the win of this bet"])

    for line in (
        "command       bet",
        "amount        1000",
        "game_name     The Dog House Megaways",
        "token         right",
        "  21  ✓  the player exists",
        "  31  ✗  the balance covers the amount",
        "wallet call to wallet:50051",
        f"method         {PLACE_BET}",
        "status         OK in 2.0 ms",
        "metadata sent  none",
        '    trans_id: "1676358190"',
        "    outcome: OUTCOME_BALANCE_INSUFFICIENT",
        "3.0 ms of a budget of 1750 ms (the provider's limit is 2000 ms)",
        "the bet was made (settled)",
        "  #1: the win of this bet",
        '    "command": "bet",',
    ):
        assert line in text
    assert text.startswith("The player's balance does not cover the amount")


def test_checks_that_were_not_reached_are_named_so() -> None:
    text = page(bet_record(Result.PLAYER_NOT_FOUND), BET, is_request=False)

    assert "  21  ✗  the player exists" in text
    assert "  41  not reached  the transaction has not been processed yet" in text
    assert "answer body" in text


def test_a_call_without_an_end_shows_its_status_and_details() -> None:
    text = page(unknown_record(), b"", is_request=False)

    assert "DEADLINE_EXCEEDED in 1750.0 ms" in text
    assert "details  too late" in text
    assert "(none)" in text
    assert "nobody knows whether the bet was made (open)" in text


def test_a_broken_body_shows_the_place_of_its_mistake() -> None:
    error = BadCallback("$.data.amount", "must not be negative")
    record = plain_record(answers.of_bad_callback(error), str(error), error.path)
    lines = page(record, body(make_callback("bet", amount=-1)), is_request=True).split("\n")
    under = next(number for number, line in enumerate(lines) if "^" in line)

    assert lines[under - 1][lines[under].index("^")] == "-"
    assert lines[under].endswith("^ $.data.amount: must not be negative")
    assert under < lines.index("time")


def test_what_is_held_is_no_answer() -> None:
    text = page(held(), BET, is_request=True)

    assert "held  100.0 ms" in text
    assert "total" not in text
    assert "token" not in text


def test_several_calls_are_numbered_and_tries_told() -> None:
    record = Record(
        command="cancel",
        http_status=200,
        tries=2,
        target="wallet",
        calls=(Call("M", metadata=(("k", "v"),)), Call("M")),
        times=Milliseconds(waiting=1.0, journal=2.0),
        journal=Journal("left", "", is_open=True, for_human="look"),
        cache="miss",
        asked=("12:00:00 status #1: 0 OK",),
        is_masked=True,
        account="t***4",
    )
    text = page(record, b"", is_request=True)

    for line in (
        "wallet call 1 of 2 to wallet, sent 2 times",
        "wallet call 2 of 2 to wallet",
        "metadata sent  k: v",
        "waiting  1.0 ms",
        "left to a person: look",
        "12:00:00 status #1: 0 OK",
        "account  t***4 (masked)",
        "cache\n  miss",
    ):
        assert line in text


@pytest.mark.parametrize(("record", "marker", "comment"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, BET])
def test_every_record_has_a_page_whatever_its_body(record: Record, marker: str, comment: str, data: bytes) -> None:
    del marker, comment
    assert page(record, data, is_request=True)
    assert page(record, data, is_request=False)


def test_nothing_of_a_page_is_obeyed_by_a_terminal() -> None:
    hostile = "\x1b[2Ja\u202eb\u2028c\x9b\u200bd\nstatus  forged"
    body_ = body(make_callback("bet", account=hostile, game_name=hostile))
    record = bet_record(account=hostile, round_id=hostile, reason=hostile)
    text = page(record, body_, is_request=True, related=[hostile])

    assert all(line.isprintable() for line in text.split("\n"))
    assert "account       \\x1b[2Ja\\u202eb\\u2028c\\x9b\\u200bd\\nstatus  forged" in text
    assert comment(record).isprintable()
    assert words(record).isprintable()

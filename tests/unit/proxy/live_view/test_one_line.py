"""Each callback in one line that fits, and the words by which filters find it."""

import pytest
from mitmproxy import flowfilter
from mitmproxy.test import tflow
from mitmproxy.utils.emoji import emoji
from tests.unit.proxy.live_view.records import (
    SETTINGS,
    bet_record,
    bet_trace,
    plain_record,
    status_record,
    unknown_record,
)

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import BadCallback
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view import one_line
from walletbridge.proxy.live_view.one_line import COMMENT_MAX, comment, marker, words
from walletbridge.proxy.live_view.record import Milliseconds, Record, Stage, read, write
from walletbridge.proxy.live_view.record_of import Seconds, answered, waiting
from walletbridge.rules.by_hand import Standing

BAD = answers.of_bad_callback(BadCallback("$.data.amount", "must not be negative"))
LONG = "x" * 128


def held(seconds: float = 0.1) -> Record:
    trace, _ = bet_trace()
    return waiting(trace.callback, SETTINGS, Stage.HELD, seconds)


def dropped() -> Record:
    trace, _ = bet_trace()
    return waiting(trace.callback, SETTINGS, Stage.DROPPED, 0.1, "aborted by hand")


def by_journal() -> Record:
    trace, answer = bet_trace(Result.ALREADY_PROCESSED)
    trace.reason, trace.calls = "made before; the journal knows", []
    return answered(trace, answer, SETTINGS, Seconds(0.002))


CASES = {
    "success": (bet_record(), one_line.OK, "bet test1234 1000 #1676358190 -> 0 balance 4000 | PlaceBet 3 ms of 1750"),
    "21": (bet_record(Result.PLAYER_NOT_FOUND), ":bust_in_silhouette:", "-> 21 no such player | PlaceBet 3 ms of 1750"),
    "22": (bet_record(Result.PLAYER_INACTIVE), ":zzz:", "-> 22 player inactive | PlaceBet 3 ms of 1750"),
    "31": (bet_record(Result.BALANCE_INSUFFICIENT, 50), ":money_with_wings:", "-> 31 no funds, balance 0.5 | PlaceBet"),
    "41": (bet_record(Result.ALREADY_PROCESSED), ":repeat:", "-> 41 duplicate, balance 4000 | PlaceBet 3 ms of 1750"),
    "99": (bet_record(Result.FAILED), ":no_entry:", "-> 99 not made, balance 4000 | PlaceBet 3 ms of 1750"),
    "by the journal": (by_journal(), ":repeat:", "-> 41 duplicate, balance 4000 | no call 2 ms of 1750"),
    "unknown": (unknown_record(), one_line.UNKNOWN, "-> 500 DEADLINE_EXCEEDED | PlaceBet 1751 ms of 1750"),
    "not sent": (
        unknown_record(calls=[], reason="there is no connection to the wallet"),
        one_line.UNKNOWN,
        "bet test1234 1000 #1676358190 -> 500 there is no connection to the wallet | no call 1751 ms",
    ),
    "status": (status_record(CacheUse.MISS), one_line.OK, "status test1234 #1676358190 -> 0 OK | no call 0 ms of 3750"),
    "cache hit": (status_record(CacheUse.HIT), one_line.HIT, "-> 0 OK | cache hit 0 ms of 3750"),
    "joined": (status_record(CacheUse.JOINED), one_line.OK, "-> 0 OK | cache joined 0 ms of 3750"),
    "wrong token": (plain_record(answers.WRONG_TOKEN, has_token=False), one_line.WRONG_TOKEN, "wrong token -> 100"),
    "bad request": (
        plain_record(BAD, "$.data.amount: must not be negative", "$.data.amount"),
        one_line.BAD_REQUEST,
        "bad request -> 400 $.data.amount: must not be negative",
    ),
    "method": (plain_record(answers.of_method("GET")), one_line.BAD_REQUEST, "bad request -> 405"),
    "size": (plain_record(answers.of_body_size(10)), one_line.BAD_REQUEST, "bad request -> 413"),
    "replay refused": (plain_record(answers.REPLAY_REFUSED), one_line.REPLAY_REFUSED, "replay refused -> 403"),
    "held": (held(), one_line.HELD, "held: bet test1234 1000 #1676358190"),
    "held too long": (held(2.5), one_line.HELD, "held: bet test1234 1000 #1676358190 | the provider's 2 s are over"),
    "dropped": (dropped(), one_line.DROPPED, "bet test1234 1000 #1676358190 | aborted by hand, no wallet call"),
}
each_case = pytest.mark.parametrize(("record", "expected_marker", "text"), CASES.values(), ids=CASES)


@each_case
def test_what_came_of_it_is_told_in_a_line(record: Record, expected_marker: str, text: str) -> None:
    assert text in comment(record)
    assert marker(record) == expected_marker


@each_case
def test_a_line_fits_into_the_width_that_is_given(record: Record, expected_marker: str, text: str) -> None:
    del expected_marker, text
    assert len(comment(record)) <= COMMENT_MAX
    assert len(comment(record, 70)) <= 70


@each_case
def test_mitmproxy_knows_every_marker(record: Record, expected_marker: str, text: str) -> None:
    del record, text
    assert expected_marker in emoji


def test_long_values_are_shortened_but_the_ends_stay() -> None:
    text = comment(bet_record(account=LONG, trans_id="t" * 64, amount="1234567890123456.78"), 95)

    assert len(text) <= 95
    assert text.endswith(" -> 0 balance 4000 | 3 ms")
    record = Record(command="bet", http_status=500, reason=LONG, is_delivered=False, is_edited=True)
    assert comment(record).endswith(" | edited | not delivered")
    assert len(comment(record)) <= COMMENT_MAX


FILTERS = {
    "~meta 'account=test1234 '": {"success", "21", "31", "41", "unknown", "status", "cache hit", "held"},
    "~meta 'trans_id=1676358190 '": {"success", "status", "cache hit", "held"},
    "~meta command=bet": {"success", "21", "unknown", "held"},
    "~meta command=status": {"status", "cache hit", "joined"},
    "~meta 'result=31 '": {"31"},
    "~meta 'result=0 '": {"success", "status", "cache hit", "joined"},
    "~meta 'result=100 '": {"wrong token"},
    "~meta is=unresolved": {"unknown", "not sent"},
    "~meta is=slow": {"unknown", "not sent"},
    "~meta is=hit": {"cache hit"},
    "~meta is=bad": {"bad request"},
    "~meta is=held": {"held", "held too long"},
    "~meta http=403": {"replay refused"},
    "~comment duplicate": {"41", "by the journal"},
    "~marker repeat": {"41", "by the journal"},
    "~marker zap": {"cache hit"},
    "~meta command=bet & ~meta 'result=21 '": {"21"},
}


@pytest.mark.parametrize(("expression", "names"), FILTERS.items())
def test_filters_find_callbacks(expression: str, names: set[str]) -> None:
    """Those that the guide to the live view names, as mitmproxy itself reads them."""
    matches = flowfilter.parse(expression)
    found = set()
    for name, (record, _, _) in CASES.items():
        flow = tflow.tflow()
        flow.comment, flow.marked = comment(record), marker(record)
        write(flow.metadata, record)
        if matches(flow):
            found.add(name)

    exact = not expression.startswith(("~meta 'account", "~meta 'trans_id", "~meta command=bet"))
    assert found == names if exact and "&" not in expression else names <= found


def test_a_filter_of_one_transaction_finds_no_longer_one() -> None:
    assert "trans_id=1676358190 " in bet_record().find
    assert "trans_id=167635819 " not in bet_record().find


def test_a_row_that_is_left_to_a_person_is_unresolved() -> None:
    trace, answer = bet_trace()
    trace.standing = Standing("left to a person: refused 5 times", "yes", is_open=False, for_human="refused 5 times")

    assert "is=unresolved " in answered(trace, answer, SETTINGS, Seconds(0.003)).find


def test_edits_and_losses_are_words_as_well() -> None:
    record = bet_record()
    record.is_edited, record.is_delivered = True, False

    assert "is=edited is=undelivered " in words(record)


def test_other_numbers_have_a_line_too() -> None:
    record = Record(command="win", http_status=200, result=77, times=Milliseconds(total=1.0))

    assert comment(record) == "win  -> 77 refused | no call"
    assert marker(record) == ":no_entry:"


@pytest.mark.parametrize("account", ["x is=refused result=99 ", "is=refused", 'a","is=refused ', "\tis=refused\u00a0"])
def test_what_a_caller_says_makes_no_word(account: str) -> None:
    record = bet_record()
    record.account = record.reason = account
    record.find = words(record)
    flow = tflow.tflow()
    write(flow.metadata, record)

    assert read(flow.metadata) == record
    assert flowfilter.parse("~meta is=ok")(flow)
    assert not flowfilter.parse("~meta is=refused")(flow)
    assert not flowfilter.parse("~meta result=99")(flow)

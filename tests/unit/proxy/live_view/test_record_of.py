"""What a record holds of a callback's way."""

from tests.support.callbacks import body, make_callback
from tests.unit.proxy.live_view.records import (
    MASKED,
    PLACE_BET,
    SETTINGS,
    bet_record,
    bet_trace,
    plain_record,
    status_record,
)

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import decode
from walletbridge.proxy.live_view.mask import HIDDEN
from walletbridge.proxy.live_view.record import TEXT_MAX, Stage, write
from walletbridge.proxy.live_view.record_of import Seconds, answered, waiting


def test_a_bet_is_recorded_whole() -> None:
    record = bet_record(amount="12.50")

    assert (record.command, record.account, record.trans_id, record.round_id) == (
        "bet",
        "test1234",
        "1676358190",
        "818395446",
    )
    assert (record.amount, record.balance, record.balance_minor, record.is_known) == ("12.5", "4000", 400_000, True)
    assert (record.http_status, record.result, record.checks) == (200, 0, (21, 22, 41, 31))
    assert ("game_code", "vswaysdogs") in record.fields
    assert (record.target, record.tries) == ("wallet:50051", 1)
    assert record.times.total == 3.0
    assert (record.times.budget, record.times.limit, record.times.wallet) == (1750.0, 2000.0, 2.1)
    assert record.journal is not None
    assert record.journal.state == "the bet was made"


def test_a_call_is_recorded_as_text_and_as_it_came() -> None:
    (call,) = bet_record().calls

    assert (call.method, call.status, call.milliseconds) == (PLACE_BET, "OK", 2.0)
    assert 'trans_id: "1676358190"' in call.request
    assert call.response == "outcome: OUTCOME_OK\nbalance: 400000"
    assert bytes.fromhex(call.raw)


def test_a_transaction_of_any_size_can_be_written() -> None:
    """JSON writers that know 64 bits alone would refuse it."""
    write({}, bet_record(trans_id=10**30))


def test_texts_are_bounded() -> None:
    record = bet_record(account="a" * 128)
    trace, answer = bet_trace()
    assert trace.calls
    trace.calls[0].details = "d" * 10**6
    trace.calls[0].response = b"\xff" * 10**5
    record = answered(trace, answer, SETTINGS, Seconds())

    assert len(record.calls[0].details) == len(record.calls[0].response) == TEXT_MAX
    assert record.calls[0].raw == ""


def test_a_masked_account_is_nowhere() -> None:
    trace, answer = bet_trace()
    assert trace.calls
    trace.calls[0].details = "no player test1234"
    trace.calls[0].metadata = (("x-player", "test1234"),)
    metadata: dict[object, object] = {}
    record = answered(trace, answer, MASKED, Seconds())
    write(metadata, record)

    assert "test1234" not in str(metadata)
    assert record.account == f"t{HIDDEN}4"
    assert record.calls[0].raw == ""


def test_a_status_says_what_became_of_its_transaction() -> None:
    record = status_record(CacheUse.HIT)

    assert (record.state, record.balance, record.cache, record.calls) == ("OK", "", "hit", ())


def test_what_was_no_callback_has_a_reason_and_a_place() -> None:
    record = plain_record(answers.WRONG_TOKEN, "$.check: wrong", "$.check", has_token=False)

    assert (record.command, record.reason, record.place, record.has_token) == ("", "$.check: wrong", "$.check", False)


def test_a_callback_that_waits_has_its_limit() -> None:
    callback = decode(body(make_callback("win")), currency_decimals=2)
    record = waiting(callback, SETTINGS, Stage.HELD, 0.25)

    assert (record.times.held, record.times.limit, record.stage) == (250.0, 4000.0, Stage.HELD)
    assert "is=held " in record.find
    assert waiting(None, SETTINGS, Stage.HELD, 0.25).times.limit == 0

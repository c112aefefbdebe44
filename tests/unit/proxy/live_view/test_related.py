"""Which callbacks belong together."""

from mitmproxy.flow import Flow
from mitmproxy.test import tflow
from tests.unit.proxy.live_view.records import bet_record, plain_record

from walletbridge.protocol import answers
from walletbridge.proxy.live_view.record import KEY, Record, write
from walletbridge.proxy.live_view.related import FOUND_MAX, SEEN_MAX, line_of, related, words_of


def make_flow(record: Record) -> Flow:
    flow = tflow.tflow()
    write(flow.metadata, record)
    return flow


def test_the_same_transaction_or_round_of_the_account_is_related() -> None:
    own = bet_record()
    same, round_, other, stranger = (
        make_flow(bet_record(round_id="other")),
        make_flow(bet_record(trans_id=2)),
        make_flow(bet_record(trans_id=3, round_id="else")),
        make_flow(bet_record(account="somebody")),
    )
    flow = make_flow(own)

    assert related(own, flow, [stranger, other, round_, same, flow]) == [same, round_]


def test_an_unset_round_is_no_round() -> None:
    own = bet_record(round_id="", trans_id=1)
    other = make_flow(bet_record(round_id="", trans_id=2))

    assert related(own, None, [other]) == []


def test_what_has_no_account_is_related_to_nothing() -> None:
    record = plain_record(answers.WRONG_TOKEN)

    assert related(record, None, [make_flow(record)]) == []


def test_who_looks_looks_at_so_many_and_finds_so_many() -> None:
    record = bet_record()
    flow, strange = make_flow(record), tflow.tflow()

    assert len(related(record, None, [flow] * 100)) == FOUND_MAX
    assert related(record, None, [*[strange] * SEEN_MAX, flow]) == []


def test_strange_metadata_is_passed_over() -> None:
    flow = tflow.tflow()
    for value in (7, None, b"x", "", "account=test1234 "):
        flow.metadata[KEY] = value
        assert words_of(flow) in {"", "account=test1234 "}
    assert line_of(flow) == ""


def test_the_words_of_a_callback_are_its_own() -> None:
    """Not what its wallet said in some message."""
    record = bet_record()
    record.reason = "account=somebody trans_id=7 "

    assert "somebody" not in words_of(make_flow(record))

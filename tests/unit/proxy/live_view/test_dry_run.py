"""Saved callbacks once more, without a wallet."""

import pytest
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow, Response
from mitmproxy.test import tflow
from tests.support.callbacks import body, make_callback
from tests.unit.proxy.live_view.houses import make_flow
from tests.unit.proxy.live_view.records import BOUND, bet_record, plain_record, status_record, unknown_record

from walletbridge.observe.trace import CacheUse
from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import BadCallback, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.proxy.live_view.dry_run import Compared, DryRun, PassedOver, said
from walletbridge.proxy.live_view.record import Call, Record, Stage, write
from walletbridge.settings import Callback, Limits, Settings, Wallet

BET = decode(body(make_callback("bet")), currency_decimals=2)
OK_BODY = b'{"result":0,"status":"OK","data":{"balance":4000}}'
UNKNOWN_BODY = b'{"result":99,"status":"ERROR"}'


def saved(record: Record, answer: bytes = OK_BODY, status: int = 200, request: str = "bet") -> HTTPFlow:
    flow = make_flow(body(make_callback(request)))
    flow.response = Response.make(status, answer)
    flow.live = False
    write(flow.metadata, record)
    return flow


async def compare(flow: Flow, settings: Settings | None = None) -> Compared:
    compared = await DryRun(settings or Settings(wallet=Wallet(target="nowhere"))).compare(flow)
    assert isinstance(compared, Compared)
    return compared


@pytest.mark.parametrize(
    ("record", "answer", "status", "request_"),
    [
        (bet_record(), OK_BODY, 200, "bet"),
        (
            bet_record(Result.BALANCE_INSUFFICIENT, 50),
            b'{"result":31,"status":"ERROR","data":{"balance":0.5}}',
            200,
            "bet",
        ),
        (unknown_record(), UNKNOWN_BODY, 500, "bet"),
        (
            status_record(CacheUse.HIT),
            b'{"result":0,"status":"OK","data":{"trans_id":1676358190,"trans_status":"OK"}}',
            200,
            "status",
        ),
        (plain_record(answers.WRONG_TOKEN, has_token=False), b'{"result":100,"status":"ERROR"}', 200, "bet"),
    ],
)
async def test_the_same_settings_give_the_same_answers(
    record: Record, answer: bytes, status: int, request_: str
) -> None:
    assert (await compare(saved(record, answer, status, request_))).is_same


async def test_other_decimals_give_other_answers() -> None:
    compared = await compare(saved(bet_record()), Settings(wallet=Wallet(target="nowhere", currency_decimals=3)))

    assert compared.then == (200, OK_BODY)
    assert compared.now == (200, b'{"result":0,"status":"OK","data":{"balance":400}}')
    assert "-amount: 100000" in compared.request_diff
    assert "+amount: 1000000" in compared.request_diff
    assert not compared.is_same


async def test_other_limits_give_other_answers() -> None:
    settings = Settings(wallet=Wallet(target="nowhere"), limits=Limits(body_bytes=10))

    assert (await compare(saved(bet_record()), settings)).now[0] == 413


async def test_a_body_that_is_accepted_now_has_no_answer_yet() -> None:
    error = BadCallback("$.data.amount", "wrong")
    record = plain_record(answers.of_bad_callback(error), str(error), error.path)

    assert (await compare(saved(record, b"{}", 400))).now == (500, UNKNOWN_BODY)


async def test_the_query_does_not_matter() -> None:
    flow = saved(bet_record())
    flow.request.path = "/callback?x=1"

    assert (await compare(flow)).is_same


def refused() -> HTTPFlow:
    flow = saved(plain_record(answers.REPLAY_REFUSED), status=403)
    flow.is_replay = "request"
    return flow


def other_path() -> HTTPFlow:
    flow = saved(bet_record())
    flow.request.path = "/other"
    return flow


@pytest.mark.parametrize(
    ("flow", "reason"),
    [
        (tflow.ttcpflow(), "no callback"),
        (other_path(), "no callback"),
        (tflow.tflow(req=saved(bet_record()).request, resp=True), "saved without a record of what the wallet said"),
        (saved(Record(stage=Stage.DROPPED)), "not answered"),
        (saved(Record(is_edited=True)), "answered by hand"),
        (refused(), "a replay that was refused"),
    ],
)
async def test_what_cannot_be_compared_is_passed_over(flow: Flow, reason: str) -> None:
    assert await DryRun(Settings(wallet=Wallet(target="nowhere"))).compare(flow) == PassedOver(reason)


async def test_another_callback_path_can_be_asked_for() -> None:
    settings = Settings(wallet=Wallet(target="nowhere"), callback=Callback(path="/other"))

    assert (await compare(other_path(), settings)).is_same


def test_the_wallets_own_response_is_read_anew() -> None:
    record = bet_record()
    record.result, record.balance_minor = 99, 1

    assert said(record, BET, BOUND.binding_of(BET)) == Outcome(Result.OK, 400_000)


def test_what_the_journal_said_stands() -> None:
    balance = Call("wallet.v1.WalletService/GetBalance", status="OK", raw="0801")
    record = Record(is_known=True, result=41, balance_minor=7, calls=(balance,))

    assert said(record, BET, BOUND.binding_of(BET)) == Outcome(Result.ALREADY_PROCESSED, 7)
    # The wallet said OK, and the journal that nobody may believe it.
    by_journal = bet_record()
    by_journal.is_known, by_journal.reason = False, "the wallet made it after its cancel"
    with pytest.raises(OutcomeUnknown, match="after its cancel"):
        said(by_journal, BET, BOUND.binding_of(BET))


def test_what_could_not_be_read_is_read_again() -> None:
    record = bet_record()
    record.is_known, record.reason = False, "the wallet answered with outcome 77"

    assert said(record, BET, BOUND.binding_of(BET)) == Outcome(Result.OK, 400_000)


def test_a_cached_state_stands() -> None:
    record = Record(is_known=True, state="CANCELED")

    assert said(record, BET, BOUND.binding_of(BET)).state is TransactionState.CANCELED

"""What a wallet says and nobody has named is an unknown outcome, whatever the wallet: HTTP 500, and journalled."""

from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from tests.examples.house import House, Say
from tests.support.callbacks import make_callback
from tests.support.processes import UNKNOWN

from walletbridge.demo.wallet import Abort

pytestmark = pytest.mark.asyncio(loop_scope="package")

ACCOUNT = "test1234"
TRANS_ID = "1676358190"
LOOK_UPS = frozenset({"FindPlayer"})
STATUSES = (
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.DATA_LOSS,
)
GARBAGE = b"\xff\xff\xff"


def abort(status: grpc.StatusCode) -> Say:
    """Ends each call with a bare status, without details."""

    def say(method: str, response: Any) -> Message:
        del method, response
        raise Abort(status)

    return say


def garbage(method: str, response: Any) -> Message:
    del method, response
    return GARBAGE  # type: ignore[return-value]


def empty(method: str, response: Any) -> Message:
    """A message of which no field is set: every enum is at its zero, and no case of a oneof is there."""
    del method
    return type(response)() if isinstance(response, Message) else GARBAGE  # type: ignore[return-value]


async def said(house: House, command: str, say: Say) -> tuple[int, bytes]:
    """The answer to a callback for which the wallet does what it should and says something else."""
    house.wallet.ledger.add_player(ACCOUNT, 500_000)
    if command in {"cancel", "status"}:
        status, answer = await house.post(make_callback("bet"))
        assert (status, answer) == (200, b'{"result":0,"status":"OK","data":{"balance":4000}}')
    house.wallet.script.be_honest()
    house.wallet.script.silent_on, house.wallet.script.say = LOOK_UPS, say
    answered = await house.post(make_callback(command))
    house.wallet.script.be_honest()
    return answered


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
async def test_a_movement_that_is_answered_with_what_nobody_named_is_open(house: House, command: str) -> None:
    assert await said(house, command, house.wallet.words.unlisted) == UNKNOWN
    assert set(house.unsettled()) == {TRANS_ID}
    # It was made all the same, once.
    entries, wrong = house.wallet.entries()
    assert (set(entries[TRANS_ID].moved), wrong) == ({"bet", command} if command == "cancel" else {command}, [])


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
@pytest.mark.parametrize("say", [garbage, empty], ids=lambda say: say.__name__)
async def test_a_movement_that_is_answered_with_nothing_to_be_read_is_open(
    house: House, command: str, say: Say
) -> None:
    assert await said(house, command, say) == UNKNOWN
    assert set(house.unsettled()) == {TRANS_ID}


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
async def test_a_bet_that_ends_with_a_status_that_nobody_named_is_open(house: House, status: grpc.StatusCode) -> None:
    assert await said(house, "bet", abort(status)) == UNKNOWN
    assert set(house.unsettled()) == {TRANS_ID}


@pytest.mark.parametrize("command", ["authenticate", "balance"])
@pytest.mark.parametrize("status", [None, *STATUSES], ids=lambda status: getattr(status, "name", "unlisted"))
async def test_a_read_that_is_answered_with_what_nobody_named_is_unknown(
    house: House, command: str, status: grpc.StatusCode | None
) -> None:
    assert await said(house, command, abort(status) if status else house.wallet.words.unlisted) == UNKNOWN
    assert house.unsettled() == {}


@pytest.mark.parametrize("shared_house", ["wallet.v1", "status-enum", "error-info", "process-oneof"], indirect=True)
async def test_a_status_that_is_answered_with_what_nobody_named_is_unknown(house: House) -> None:
    assert await said(house, "status", house.wallet.words.unlisted) == UNKNOWN


@pytest.mark.parametrize("shared_house", ["wallet.v1", "status-enum", "error-info", "process-oneof"], indirect=True)
async def test_a_status_that_is_answered_with_garbage_is_unknown(house: House) -> None:
    assert await said(house, "status", garbage) == UNKNOWN


@pytest.mark.parametrize("shared_house", ["process-oneof"], indirect=True)
@pytest.mark.parametrize("command", ["authenticate", "bet", "cancel", "status"])
async def test_a_look_up_that_fails_sends_nothing(house: House, command: str) -> None:
    """The id of an account is kept for a while, so this is one that nobody has asked for."""
    account = f"new-{command}"
    house.wallet.ledger.add_player(account, 500_000)
    house.wallet.script.say = abort(grpc.StatusCode.DATA_LOSS)
    answered = await house.post(make_callback(command, account=account))

    assert answered == UNKNOWN
    assert {method for method, _ in house.wallet.script.calls} == {"FindPlayer"}

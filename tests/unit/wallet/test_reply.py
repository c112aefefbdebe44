"""What comes with a gRPC status."""

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from walletbridge.wallet.reply import DETAILS, Reply, error_infos


def test_the_error_infos_among_the_details_are_found() -> None:
    details = Status()
    for message in (Timestamp(seconds=1), ErrorInfo(reason="NO_FUNDS", domain="bank")):
        packed = AnyMessage()
        packed.Pack(message)
        details.details.append(packed)

    assert [info.reason for info in error_infos(Reply(None, "ABORTED", {DETAILS: details.SerializeToString()}))] == [
        "NO_FUNDS"
    ]


BROKEN = Status(details=[AnyMessage(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")])


@pytest.mark.parametrize("trailers", [{}, {DETAILS: b"\xff"}, {DETAILS: "text"}, {DETAILS: BROKEN.SerializeToString()}])
def test_details_that_cannot_be_read_are_none(trailers: dict[str, str | bytes]) -> None:
    assert error_infos(Reply(None, "ABORTED", trailers)) == []

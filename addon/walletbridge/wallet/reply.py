"""
The reply to one sent call, as the mapping's rules read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

DETAILS = "grpc-status-details-bin"
_ERROR_INFO = ErrorInfo.DESCRIPTOR.full_name


@dataclass(slots=True)
class Reply:
    """A message with status OK, or another status; either with its trailers."""

    message: Any
    """None where the status is not OK."""
    status: str = "OK"
    trailers: Mapping[str, str | bytes] = field(default_factory=dict)


def error_infos(reply: Reply) -> list[ErrorInfo]:
    """The google.rpc.ErrorInfo details of a failed call; empty where they cannot be read."""
    data = reply.trailers.get(DETAILS)
    if not isinstance(data, bytes):
        return []
    try:
        details = Status.FromString(data).details
        return [
            ErrorInfo.FromString(detail.value)
            for detail in details
            if detail.type_url.rpartition("/")[2] == _ERROR_INFO
        ]
    except DecodeError:
        return []

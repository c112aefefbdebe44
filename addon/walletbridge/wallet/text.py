"""
The wallet's messages as text, for people who watch. Whatever cannot be shown is said to be so; nothing is raised.
"""

from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message

from walletbridge.wallet.messages import METHODS

_RESPONSES: dict[str, Any] = {method.name: method.response for method in METHODS.values()}


def request_text(message: object) -> str:
    """A request in protobuf's text format, a field a line; empty where no field is set."""
    if not isinstance(message, Message):
        return f"({type(message).__name__} cannot be shown as text)"
    return text_format.MessageToString(message, as_utf8=True).rstrip("\n")


def response_text(method: str, body: bytes) -> str:
    """The response of a method, by its full name, in protobuf's text format; bytes that are none, in hex."""
    response = _RESPONSES.get(method)
    if response is None:
        return f"(no message is known for {method}: {body.hex()})"
    try:
        return request_text(response.FromString(body))
    except DecodeError:
        return f"(no {response.DESCRIPTOR.name}: {body.hex()})"

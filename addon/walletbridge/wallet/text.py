"""
The wallet's messages as text, for the live view. Raises nothing: the text names what cannot be shown.
"""

from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message


def request_text(message: object) -> str:
    """A request in protobuf's text format, a field a line; empty where no field is set."""
    if not isinstance(message, Message):
        return f"({type(message).__name__} cannot be shown as text)"
    return text_format.MessageToString(message, as_utf8=True).rstrip("\n")


def response_text(response: Any, body: bytes) -> str:
    """A response of the type `response`, in protobuf's text format; bytes that do not decode, in hex."""
    if not isinstance(response, type) or not issubclass(response, Message):
        return f"(the message's type is not known: {body.hex()})"
    try:
        return request_text(response.FromString(body))
    except DecodeError:
        return f"(no {response.DESCRIPTOR.name}: {body.hex()})"

"""
The bytes of the lane's HTTP/1.1 responses.
"""

from functools import lru_cache
from http import HTTPStatus

from walletbridge.protocol.answers import Answer
from walletbridge.serve.lane.refusals import Refused

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"Connection: close\r\n"
_KEEP_ALIVE = b"Connection: keep-alive\r\n"


def answer_bytes(answer: Answer, *, is_head: bool, closes: bool, says_keep_alive: bool = False) -> bytes:
    """The response with a callback's answer, for HEAD without its body. `closes`: it is the connection's last."""
    body = answer.body
    connection = _CLOSE if closes else (_KEEP_ALIVE if says_keep_alive else b"")
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (
        _first_lines(answer.http_status, answer.headers),
        connection,
        0 if is_head else len(body),
        b"" if is_head else body,
    )


def refusal_bytes(refused: Refused) -> bytes:
    """The response to a refused client."""
    reason = refused.reason.encode("ascii")
    return b"HTTP/1.1 %d %b\r\n%bContent-Type: text/plain\r\ncontent-length: %d\r\n\r\n%b" % (
        refused.http_status,
        _phrase(refused.http_status),
        _CLOSE,
        len(reason),
        reason,
    )


@lru_cache(64)
def _first_lines(http_status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return b"HTTP/1.1 %d %b\r\n%b" % (http_status, _phrase(http_status), fields)


def _phrase(http_status: int) -> bytes:
    return HTTPStatus(http_status).phrase.encode()

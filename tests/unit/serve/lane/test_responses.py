"""What goes out on the wire."""

import pytest

from walletbridge.protocol import answers
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import answer_bytes, refusal_bytes

BODY = b'{"result":100,"status":"ERROR"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_an_answer() -> None:
    assert answer_bytes(answers.WRONG_TOKEN, is_head=False, closes=False) == HEAD + b"content-length: 31\r\n\r\n" + BODY


def test_the_last_answer_of_a_connection_says_so() -> None:
    data = answer_bytes(answers.WRONG_TOKEN, is_head=False, closes=True, says_keep_alive=True)

    assert data.startswith(HEAD + b"Connection: close\r\n")
    assert b"keep-alive" not in data


def test_a_client_that_asked_to_keep_the_connection_is_told() -> None:
    data = answer_bytes(answers.WRONG_TOKEN, is_head=False, closes=False, says_keep_alive=True)

    assert data.startswith(HEAD + b"Connection: keep-alive\r\n")


def test_to_head_there_is_no_body() -> None:
    data = answer_bytes(answers.of_method("HEAD"), is_head=True, closes=False)

    assert data.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert data.endswith(b"Allow: POST\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("status", [400, 408, 413, 429, 431, 503, 505])
def test_a_refusal_closes(status: int) -> None:
    head, _, body = refusal_bytes(Refused(status, "for a reason")).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close\r\n" in head
    assert b"\r\ncontent-length: 12" in head
    assert body == b"for a reason"

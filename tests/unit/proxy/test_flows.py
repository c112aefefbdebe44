"""What is read from a flow of mitmproxy, and what is written to it."""

import pytest
from mitmproxy.test import tflow

from walletbridge.protocol import answers
from walletbridge.proxy.flows import HIDDEN, announced_bytes, is_answer, response_of, take_secrets


def test_every_token_is_taken_and_hidden_and_nothing_else_changes() -> None:
    request = tflow.tflow().request
    request.headers.fields = (
        (b"Callback-Token", b"one"),
        (b"X-Forwarded-For", b"192.0.2.1"),
        (b"callback-TOKEN", b"two"),
        (b"x-forwarded-for", b"192.0.2.2"),
    )

    assert take_secrets(request) == ([b"one", b"two"], [b"192.0.2.1", b"192.0.2.2"])
    assert request.headers.fields == (
        (b"Callback-Token", HIDDEN),
        (b"X-Forwarded-For", b"192.0.2.1"),
        (b"callback-TOKEN", HIDDEN),
        (b"x-forwarded-for", b"192.0.2.2"),
    )


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", 0), ("17", 17), ("", 0), ("-1", 0), ("1 7", 0), ("\u0661", 0), ("9" * 5000, int("9" * 20))],
)
def test_the_length_that_a_head_announces(text: str, length: int) -> None:
    request = tflow.tflow().request
    request.headers["content-length"] = text

    assert announced_bytes(request) == length


def test_what_goes_out_is_the_answer_until_somebody_edits_it() -> None:
    flow = tflow.tflow()
    flow.response = response_of(flow.request, answers.UNKNOWN, is_last=False)

    assert is_answer(flow, answers.UNKNOWN)
    assert "connection" not in flow.response.headers
    flow.response.text = "other"
    assert not is_answer(flow, answers.UNKNOWN)
    flow.response = None
    assert not is_answer(flow, answers.UNKNOWN)


def test_the_last_answer_of_a_connection_closes_it_and_that_to_a_head_has_no_body() -> None:
    request = tflow.tflow().request
    request.method = "HEAD"
    response = response_of(request, answers.UNKNOWN, is_last=True)

    assert response.headers["connection"] == "close"
    assert response.raw_content == b""

"""No record of Python's logging shows a token."""

import logging
from collections.abc import Iterator

import pytest
from mitmproxy.log import MitmFormatter

from walletbridge.gateway.tokens import Tokens
from walletbridge.observe.log_records import hide_in_records

TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
logger = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def _hidden() -> Iterator[None]:
    show = hide_in_records(Tokens([TOKEN.encode()]).hide_text)
    yield
    show()


def test_messages_arguments_and_tracebacks_show_no_token(caplog: pytest.LogCaptureFixture) -> None:
    logger.warning("Invalid header line: %r", f"Callback-Token {TOKEN}\r\n".encode())
    try:
        raise ValueError(f"what is {TOKEN}")  # noqa: TRY301 - as deep as it gets
    except ValueError:
        logger.exception("Addon error")
        logger.error("twice", exc_info=True)  # noqa: G201 - with a traceback in another way
    text = "\n".join(MitmFormatter(colorize=False).format(record) for record in caplog.records)

    assert TOKEN not in text + caplog.text
    assert r"b'Callback-Token ***\r\n'" in text
    assert text.count("ValueError: what is ***") == 2
    assert 'raise ValueError(f"what is {TOKEN}")' in text


def test_other_records_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    logger.warning("%s of %s", 1, 2)
    try:
        raise ValueError("else")  # noqa: TRY301 - as deep as it gets
    except ValueError:
        logger.exception("Addon error")

    assert caplog.records[0].args == (1, 2)
    assert caplog.records[1].exc_info
    logging.getLogRecordFactory()("x", 10, "x", 1, "%d", ("no number",), None)


def test_it_ends_when_it_shall(caplog: pytest.LogCaptureFixture) -> None:
    hide_in_records(str.upper)()
    logger.warning("low %s", TOKEN)

    assert caplog.records[0].getMessage() == "low ***"

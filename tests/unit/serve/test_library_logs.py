"""What libraries log, in the gateway's log."""

import io
import json
import logging
from typing import cast

import pytest

from walletbridge.gateway.running_gateway import Bridge  # noqa: TC001 - costs nothing here
from walletbridge.observe.log import Log, open_log
from walletbridge.serve.library_logs import Records

logger = logging.getLogger("some.library")


class FakeGateway:
    """An addon whose gateway has a log and nothing else."""

    def __init__(self, log: Log | None) -> None:
        self.log = log
        self.bridge = cast("Bridge", self) if log else None


def test_before_the_gateway_is_up_records_are_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    with Records(FakeGateway(None)):
        logger.error("cannot %s", "listen")
        logger.info("hello")

    assert capsys.readouterr().err == "cannot listen\n"


def test_afterwards_they_are_lines_like_all_others() -> None:
    stream = io.StringIO()
    log = open_log(lines_max=10, stream=stream)
    with Records(FakeGateway(log)):
        logger.warning("odd: %s", "x" * 5000)
        logger.error("it failed", exc_info=RuntimeError("broken"))
    logger.warning("nobody listens")
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert [(line["event"], line["level"]) for line in lines] == [
        ("record", "warning"),
        ("fault", "error"),
        ("record", "warning"),
    ]
    assert (lines[0]["logger"], len(lines[0]["text"])) == ("some.library", 2000)
    assert "RuntimeError: broken" in lines[1]["exception"]


def test_it_leaves_logging_as_it_was() -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with Records(FakeGateway(None)):
        pass

    assert before == (root.level, list(root.handlers))

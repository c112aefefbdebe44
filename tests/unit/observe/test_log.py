"""The log's lines: what they say, in which form, and what they never say."""

import asyncio
import io
import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.callbacks import body, make_callback

from walletbridge.observe.log import Log, callback_fields, open_log
from walletbridge.observe.trace import CacheUse, Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback, decode
from walletbridge.protocol.claims import Claimed
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.settings import Log as LogSettings
from walletbridge.settings.sections import Level

SECRET = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one


class Terminal(io.StringIO):
    """A stream in front of a person."""

    def isatty(self) -> bool:
        return True


def callback(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


def answered(command: str = "bet", **overrides: Any) -> tuple[Trace, Answer]:
    """A callback that went well."""
    done = callback(command, **overrides)
    trace = Trace(
        callback=done,
        wallet_method="wallet.v1.WalletService/PlaceBet",
        grpc_status="OK",
        tries=1,
        wallet_seconds=0.0035,
    )
    return trace, answers.of_outcome(done, Outcome(Result.OK, 400000), currency_decimals=2)


def lines_of(stream: io.StringIO, log: Log) -> list[str]:
    log.close()
    return stream.getvalue().splitlines()


# What a callback's line says


def test_a_callback_s_line_says_what_came_of_it() -> None:
    assert callback_fields(*answered(), 0.01234) == {
        "command": "bet",
        "account": "test1234",
        "trans_id": 1676358190,
        "result": 0,
        "http_status": 200,
        "wallet_method": "wallet.v1.WalletService/PlaceBet",
        "grpc_status": "OK",
        "tries": 1,
        "wallet_ms": 3.5,
        "ms": 12.3,
    }


def test_what_does_not_apply_is_left_out() -> None:
    assert callback_fields(Trace(), answers.WRONG_TOKEN, 0.0) == {"result": 100, "http_status": 200, "ms": 0.0}
    assert "trans_id" not in callback_fields(Trace(callback=callback("balance")), answers.UNKNOWN, 0.0)


def test_a_cache_hit_and_a_reason_are_told() -> None:
    trace = Trace(callback=callback("status"), cache=CacheUse.HIT, reason="away")
    fields = callback_fields(trace, answers.UNKNOWN, 0.0)

    assert (fields["cache"], fields["reason"], fields["result"], fields["http_status"]) == ("hit", "away", 99, 500)
    assert "wallet_ms" not in fields


@pytest.mark.parametrize("trans_id", [1, "1", "0007", -5])
def test_a_transaction_is_written_as_it_came(trans_id: int | str) -> None:
    assert callback_fields(*answered(trans_id=trans_id), 0.0)["trans_id"] == trans_id


# For programs


def test_for_programs_each_line_is_one_json_object() -> None:
    stream = io.StringIO()
    log = open_log(lines_max=10, stream=stream)
    log.event("listening", addresses=["127.0.0.1:8080"])
    log.warning("wallet away", target="127.0.0.1:50051")
    log.answered(*answered(), 0.002)
    log.answered(*answered("win", account="Zoë\n\x1b[2J", trans_id="Ä"), 0.002)
    lines = [json.loads(line) for line in lines_of(stream, log)]

    assert [(line["event"], line["level"]) for line in lines] == [
        ("listening", "info"),
        ("wallet away", "warning"),
        ("callback", "info"),
        ("callback", "info"),
    ]
    assert lines[0]["addresses"] == ["127.0.0.1:8080"]
    assert (lines[3]["account"], lines[3]["trans_id"]) == ("Zoë\n\x1b[2J", "Ä")
    for line in lines:
        age = datetime.now(UTC) - datetime.fromisoformat(line["timestamp"])
        assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("answer", "level"),
    [(answers.UNKNOWN, "warning"), (answers.WRONG_TOKEN, "info"), (answers.of_method("GET"), "info")],
)
def test_an_unknown_outcome_is_a_warning(answer: Answer, level: str) -> None:
    stream = io.StringIO()
    log = open_log(lines_max=10, stream=stream)
    log.answered(Trace(), answer, 0.0)
    [line] = lines_of(stream, log)

    assert json.loads(line)["level"] == level


def test_a_transaction_of_70_digits_is_whole() -> None:
    stream = io.StringIO()
    log = open_log(lines_max=10, stream=stream)
    log.event("callback", trans_id=int("7" * 70))
    [line] = lines_of(stream, log)

    assert f'"trans_id": {"7" * 70},' in line


def test_what_json_does_not_know_is_written_as_text() -> None:
    stream = io.StringIO()
    log = open_log(lines_max=10, stream=stream)
    log.event("odd", value=TimeoutError("late"), values={"set": frozenset({1})})
    [line] = lines_of(stream, log)

    assert json.loads(line)["value"] == "late"


# For people


def test_for_people_a_line_is_easy_on_the_eye() -> None:
    stream = Terminal()
    log = open_log(lines_max=10, stream=stream)
    log.answered(*answered(), 0.002)
    [line] = lines_of(stream, log)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line)

    assert re.match(r"\d\d:\d\d:\d\d \[info +\] callback +command=bet account=test1234 trans_id=1676358190 ", plain)
    assert not plain.startswith("{")


def test_nobody_s_name_forges_a_line_or_moves_the_cursor() -> None:
    stream = Terminal()
    log = open_log(lines_max=10, stream=stream)
    log.answered(*answered(account="x\n12:00:00 [info] callback result=0\x1b[2J\r"), 0.002)
    [line] = lines_of(stream, log)

    assert "\x1b[2J" not in line
    assert "\r" not in line


HOSTILE = "\x1b[2Ja\u202eb\u2028c\x9b\x7f\u200bd\ne"


def test_nothing_of_a_line_is_obeyed_by_a_terminal_whatever_its_form() -> None:
    """Words without a blank as well: the renderer quotes only those with one."""
    for stream, is_json in ((Terminal(), False), (io.StringIO(), True)):
        log = open_log(lines_max=10, stream=stream)
        log.answered(*answered(account=HOSTILE, trans_id=HOSTILE), 0.001)
        log.warning(HOSTILE, words=HOSTILE, listed=[HOSTILE], named={HOSTILE: HOSTILE})
        log.failed(RuntimeError(HOSTILE))
        for line in lines_of(stream, log):
            plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
            assert plain.isprintable(), repr(plain)
            assert not is_json or json.loads(line)


async def test_without_a_stream_lines_go_to_mitmproxy_s_event_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "walletbridge"):
        log = open_log(lines_max=10, stream=None)
        log.event("100 % sure", answer="50 %s %d")
        log.warning("wallet away")
        log.answered(*answered(), 0.002)
        log.close()

    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]
    assert "100 % sure" in caplog.messages[0]
    assert "50 %s %d" in caplog.messages[0]
    # Time and level stand there before each line.
    assert caplog.messages[1] == "wallet away"
    assert caplog.messages[2].startswith("callback command=bet account=test1234 ")
    assert "\x1b" not in "".join(caplog.messages)


# Faults


def fail(token: str) -> None:
    nearby = {"token": token}
    raise RuntimeError(f"bug with {len(nearby)} local variable")


def fault() -> RuntimeError:
    try:
        fail("".join(SECRET))
    except RuntimeError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_fault_shows_code_and_never_values(stream: type[io.StringIO]) -> None:
    output = stream()
    log = open_log(lines_max=10, stream=output)
    log.failed(fault())
    text = "\n".join(lines_of(output, log))

    assert "bug with 1 local variable" in text
    assert "in fail" in text
    assert SECRET not in text


def test_a_fault_in_the_event_log_shows_no_values_either(caplog: pytest.LogCaptureFixture) -> None:
    log = open_log(lines_max=10, stream=None)
    log.failed(fault())

    assert "bug with 1 local variable" in caplog.text
    assert SECRET not in caplog.text


async def test_a_fault_in_a_task_is_told_as_well() -> None:
    output = io.StringIO()
    log = open_log(lines_max=10, stream=output)
    task = asyncio.ensure_future(asyncio.to_thread(fail, SECRET))
    await asyncio.wait({task})
    error = task.exception()
    assert error
    log.failed(error)
    [line] = lines_of(output, log)

    assert json.loads(line)["level"] == "error"
    assert "RuntimeError: bug with 1 local variable" in json.loads(line)["exception"]
    assert SECRET not in line


# Under load


def test_a_reader_that_is_too_slow_costs_lines_and_no_time() -> None:
    go_on, entered = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            entered.set()
            assert go_on.wait(10)
            return super().write(text)

    stream = Slow()
    log = open_log(lines_max=10, stream=stream)
    log.event("first")
    assert entered.wait(10)
    for _ in range(100):
        log.answered(*answered(), 0.002)
    go_on.set()
    lines = lines_of(stream, log)

    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events] == ["first", *["callback"] * 10, "lines of log dropped"]
    assert (events[-1]["lines"], events[-1]["level"]) == (90, "warning")


def test_a_closed_log_closes_again() -> None:
    log = open_log(lines_max=10, stream=io.StringIO())
    log.close()
    log.close()
    log.event("too late")


def test_accounts_can_be_masked(capsys: pytest.CaptureFixture[str]) -> None:
    log = open_log(lines_max=10, stream=sys.stderr, mask_account=lambda account: account[:1] + "***")
    log.warning("conflict", account="test1234", trans_id=7)
    log.event("stopped")
    log.close()

    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["account"], first["trans_id"]) == ("t***", 7)
    assert "account" not in second


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_line_says_who_called_what_he_claimed_and_what_the_wallet_said(stream: type[io.StringIO]) -> None:
    output = stream()
    log = open_log(lines_max=10, stream=output)
    log.answered(Trace(client="203.0.113.7"), answers.WRONG_TOKEN, 0.0)
    log.answered(Trace(claimed=Claimed("bet", "test1234", "7")), answers.UNKNOWN, 0.0)
    log.answered(Trace(wallet_said="out of order"), answers.UNKNOWN, 0.0)
    wrong, bad, unknown = lines_of(output, log)

    assert "203.0.113.7" in wrong
    assert "test1234" in bad
    assert "bet" in bad
    assert "out of order" in unknown


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_sampling_leaves_out_nothing_but_plain_successes(stream: type[io.StringIO]) -> None:
    output = stream()
    log = open_log(lines_max=100, stream=output, kept=LogSettings(sample_percent=25))
    for _ in range(8):
        log.answered(*answered(), 0.002)
        log.answered(Trace(), answers.UNKNOWN, 0.0)
        log.answered(Trace(), answers.WRONG_TOKEN, 0.0)
    lines = lines_of(output, log)

    assert len([line for line in lines if "test1234" in line]) == 2
    assert len(lines) == 2 + 16


@pytest.mark.parametrize(("level", "events"), [("info", 4), ("warning", 2), ("error", 0)])
def test_the_level_says_what_is_written(level: str, events: int) -> None:
    output = io.StringIO()
    log = open_log(lines_max=100, stream=output, kept=LogSettings(level=Level(level)))
    log.answered(*answered(), 0.002)
    log.answered(Trace(), answers.UNKNOWN, 0.0)
    log.event("settled")
    log.warning("wallet away")

    assert len(lines_of(output, log)) == events


def test_a_masked_account_is_masked_in_the_wallets_words(caplog: pytest.LogCaptureFixture) -> None:
    trace, answer = answered()
    trace.wallet_said = "no such player: test1234"
    with caplog.at_level(logging.INFO, "walletbridge"):
        log = open_log(lines_max=10, stream=None, mask_account=lambda _: "***")
        log.answered(trace, answer, 0.0)
        log.close()

    assert "test1234" not in caplog.text

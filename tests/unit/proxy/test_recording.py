"""The recording: what is kept of a callback, and that it is bounded and never in the way."""

import asyncio
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http, io
from mitmproxy.test import tflow
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.waiting import until
from tests.unit.proxy.live_view.records import SETTINGS, bet_trace

from walletbridge.gateway.gateway import Request
from walletbridge.gateway.tokens import Tokens
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.proxy import recording
from walletbridge.proxy.live_view.dry_run import Compared, DryRun
from walletbridge.proxy.live_view.record import read
from walletbridge.proxy.recording import Files, Recording
from walletbridge.settings import Record

BET = Request("POST", has_token=True, body=body(make_callback("bet")), received_at=0.0)


async def made(request: Request, trace: Trace) -> Answer:
    """Answers every request as a bet that the wallet has made."""
    if not request.has_token:
        return answers.WRONG_TOKEN
    template, answer = bet_trace()
    assert trace.calls == []
    trace.calls, trace.callback, trace.outcome = template.calls, template.callback, template.outcome
    return answer


def recorded_in(folder: Path) -> list[http.HTTPFlow]:
    found: list[Any] = []
    for path in sorted(folder.glob(recording.PATTERN)):
        with path.open("rb") as file:
            found += io.FlowReader(file).stream()
    return found


def opened(folder: Path, on_problem: Callable[[str, int], None] | None = None) -> Recording:
    problems: list[str] = []
    on_problem = on_problem or (lambda problem, _: problems.append(problem))
    return Recording(Record(folder=folder), SETTINGS, on_problem=on_problem)


async def test_a_callback_is_kept_as_a_flow_that_replays_to_the_same_answer(tmp_path: Path) -> None:
    one = opened(tmp_path / "new")
    answer = await one.around(made)(BET, Trace())
    one.close()

    (flow,) = recorded_in(tmp_path / "new")
    assert (flow.request.raw_content, flow.request.path) == (BET.body, "/callback")
    assert flow.request.headers["Callback-Token"] == "***"
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.raw_content) == (answer.http_status, answer.body)
    assert flow.comment.startswith("bet test1234 1000 #1676358190 -> 0 balance 4000")
    assert not flow.live
    record = read(flow.metadata)
    assert record is not None
    assert record.calls[0].raw
    compared = await DryRun(SETTINGS).compare(flow)
    assert isinstance(compared, Compared)
    assert compared.is_same
    assert compared.request_diff == ()


async def test_a_request_without_the_token_is_not_kept(tmp_path: Path) -> None:
    one = opened(tmp_path)
    assert await one.around(made)(BET._replace(has_token=False), Trace()) is answers.WRONG_TOKEN
    one.close()

    assert recorded_in(tmp_path) == []


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    one = opened(tmp_path / "new")
    await one.around(made)(BET, Trace())
    one.close()

    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_made_is_told_and_callbacks_are_answered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problems: list[tuple[str, int]] = []
    one = opened(tmp_path / "file" / "new", lambda problem, dropped: problems.append((problem, dropped)))
    answer = await one.around(made)(BET, Trace())
    await until(lambda: problems != [])
    one.close()

    assert answer.http_status == 200
    assert "Not a directory" in problems[0][0]
    assert problems[0][1] == 1


async def test_what_comes_faster_than_it_is_written_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "WAITING_MAX", 2)
    problems: list[tuple[str, int]] = []
    one = opened(tmp_path, lambda problem, dropped: problems.append((problem, dropped)))
    started, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    write = one._files.write

    def slowly(flows: list[http.HTTPFlow]) -> None:
        loop.call_soon_threadsafe(started.set)
        go.wait(30)
        write(flows)

    monkeypatch.setattr(one._files, "write", slowly)
    await one.around(made)(BET, Trace())
    await started.wait()
    for _ in range(5):
        await one.around(made)(BET, Trace())
    go.set()
    await until(lambda: problems != [])
    await asyncio.to_thread(one.close)

    assert problems == [("callbacks came faster than they could be written", 3)]
    assert len(recorded_in(tmp_path)) == 3


def test_the_oldest_files_go_when_there_is_no_room(tmp_path: Path) -> None:
    clock = FakeClock()
    flow = tflow.tflow(resp=True)
    flow.request.content = b"x" * 50_000
    first = Files(Record(folder=tmp_path, megabytes=1, hours=8784), clock=clock)
    second = Files(Record(folder=tmp_path, megabytes=1, hours=8784), clock=clock)
    (tmp_path / "mine.txt").write_text("x" * 2_000_000)
    for number in range(120):
        clock.tick(1)
        (first, second)[number % 2].write([flow])
    first.close()
    second.close()

    sizes = [path.stat().st_size for path in tmp_path.glob(recording.PATTERN)]
    assert 700_000 < sum(sizes) <= 1_000_000 + 2 * 120_000
    assert (tmp_path / "mine.txt").exists()


def test_a_file_goes_when_it_is_too_old(tmp_path: Path) -> None:
    clock = FakeClock(time.time())
    files = Files(Record(folder=tmp_path, megabytes=100, hours=1), clock=clock)
    files.write([tflow.tflow(resp=True)])
    (old,) = tmp_path.iterdir()
    os.utime(old, (clock(), clock()))
    clock.tick(3700)
    files.write([tflow.tflow(resp=True)])
    files.close()

    assert not old.exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_after_a_failure_the_next_attempt_waits(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "place").write_text("")
    files = Files(Record(folder=tmp_path / "place"), clock=clock)
    with pytest.raises(OSError, match="File exists"):
        files.write([tflow.tflow()])
    (tmp_path / "place").unlink()
    with pytest.raises(OSError, match="the next attempt is due"):
        files.write([tflow.tflow()])
    clock.tick(recording.RETRY_SECONDS)
    files.write([tflow.tflow()])
    files.close()

    assert len(recorded_in(tmp_path / "place")) == 1


async def test_a_token_in_a_body_is_not_kept(tmp_path: Path) -> None:
    token = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
    callback = body(make_callback("bet", account=token, game_name=token))
    hide = Tokens([token.encode()]).hide_text
    one = Recording(Record(folder=tmp_path), SETTINGS, on_problem=lambda *_: None, hide=hide)
    await one.around(made)(BET._replace(body=callback), Trace())
    one.close()

    (flow,) = recorded_in(tmp_path)
    assert b"***" in (flow.request.raw_content or b"")
    assert token[:12] not in str(flow.get_state())

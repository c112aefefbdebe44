"""The gateway with all that it stands on: a real wallet, a real journal, and its end."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.foreign_reader import foreign_reader
from tests.support.scripted_wallet import HOST, OK, Call, Hang, ScriptedWallet, reply, running_wallet
from tests.support.waiting import until

from walletbridge.gateway import running_gateway
from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.shared_memory import Share
from walletbridge.gateway.tokens import Tokens
from walletbridge.journal import wal
from walletbridge.journal.port import Change, Found
from walletbridge.observe.log import open_log
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.exposition import sum_of
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import SettingsError
from walletbridge.protocol.outcomes import Result
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import Row
from walletbridge.settings import Breaker, Callback, Deadlines, Journal, Limits, Settings, Tls, Tracing, Wallet
from walletbridge.transactions import journalled
from walletbridge.transactions.cancel_counter import Changes, buffer_bytes
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.protection.probe import NOBODY
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

TOKEN = b"a-token-that-nobody-sees"
TIMEOUT = 10.0
SHORT = Deadlines(bet=0.5, balance=0.5, authenticate=0.5, win=0.5, cancel=0.5, status=0.5, margin=0.1)
QUIET = {"settle_wins": False, "settle_bets": False}
"""A journal whose resolver settles nothing meanwhile."""
OK_BODY = b'{"result":0,"status":"OK","data":{"balance":4000}}'


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else is no subject here."""
    monkeypatch.setattr(journalled, "END_SECONDS", 30)


class Bench:
    """A bridge, and what it logs."""

    def __init__(self, settings: Settings, share: Share | None = None) -> None:
        self._output = io.StringIO()
        log = open_log(lines_max=1000, stream=self._output)
        self.bridge = Bridge(settings, Tokens([TOKEN]), log, share=share)

    async def answer(self, command: str = "bet", *, seconds_ahead: float = 0.0, **overrides: Any) -> Answer:
        """The answer to a callback that comes in now, or so far in the future."""
        return await self.bridge.answer(self._request(command, seconds_ahead, **overrides), Trace())

    def begin(self, command: str = "bet") -> "asyncio.Future[Answer]":
        """The answer to a callback that comes in now, without anybody who waits for it."""
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.bridge.begin(self._request(command), Trace(), told.set_result)
        return told

    def _request(self, command: str, seconds_ahead: float = 0.0, **overrides: Any) -> Request:
        return Request(
            method="POST",
            has_token=True,
            body=body(make_callback(command, **overrides)),
            received_at=self.bridge.clock() + seconds_ahead,
        )

    async def connect(self) -> None:
        """Until the wallet is there."""
        assert await self.bridge.wallet._channel.wait_until_ready(TIMEOUT)

    def lines(self) -> list[dict[str, Any]]:
        """What was logged; nothing more is, afterwards."""
        self.bridge.log.close()
        return [json.loads(line) for line in self._output.getvalue().splitlines()]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines()]


@asynccontextmanager
async def bench_at(
    folder: Path, port: int, *, journal: dict[str, Any] | None = None, **sections: Any
) -> AsyncIterator[Bench]:
    bench = Bench(
        Settings(
            wallet=Wallet(target=f"{HOST}:{port}"),
            journal=Journal(path=folder / "journal.db", **(journal or {})),
            **sections,
        )
    )
    try:
        yield bench
    finally:
        at_once = asyncio.Event()
        at_once.set()
        await bench.bridge.stop(at_once=at_once)
        bench.bridge.log.close()


@asynccontextmanager
async def connected(folder: Path, **sections: Any) -> AsyncIterator[tuple[ScriptedWallet, Bench]]:
    async with running_wallet() as (wallet, port), bench_at(folder, port, **sections) as bench:
        await bench.connect()
        yield wallet, bench


# Whom it answers


@pytest.mark.parametrize(
    ("target", "is_callback"),
    [
        ("/callback", True),
        ("/callback?", True),
        ("/callback?x=1&y=/other", True),
        ("/callback/", False),
        ("/callback/x", False),
        ("/callbac", False),
        ("/callbacks", False),
        ("/Callback", False),
        ("//callback", False),
        ("/x/callback", False),
        ("/callback%3F", False),
        ("/%63allback", False),
        ("/?/callback", False),
        ("/callback#x", False),
        ("/callback;x", False),
        ("/", False),
        ("*", False),
        ("", False),
    ],
)
async def test_a_callback_is_known_by_its_exact_path(tmp_path: Path, target: str, *, is_callback: bool) -> None:
    async with bench_at(tmp_path, 1) as bench:
        assert bench.bridge.is_callback(target) is is_callback


@pytest.mark.parametrize(
    ("peer", "tokens", "admitted"),
    [
        ("192.0.2.1", [TOKEN], True),
        ("192.0.2.1", [b"wrong"], False),
        ("192.0.2.1", [], False),
        ("192.0.2.1", [TOKEN, TOKEN], False),
        ("203.0.113.1", [TOKEN], False),
        ("", [TOKEN], False),
    ],
)
async def test_the_provider_has_the_token_and_a_listed_address(
    tmp_path: Path, peer: str, tokens: list[bytes], *, admitted: bool
) -> None:
    callback = Callback(allow_from=(ip_network("192.0.2.0/24"),))
    async with bench_at(tmp_path, 1, callback=callback) as bench:
        assert bench.bridge.admits(peer, tokens) is admitted


# Answering


async def test_a_callback_goes_to_the_wallet_and_into_the_log(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        answer = await bench.answer()
        lines = bench.lines()

    assert (answer.http_status, answer.body) == (200, OK_BODY)
    assert wallet.counts == {"PlaceBet": 1}
    [line] = [line for line in lines if line["event"] == "callback"]
    assert (line["command"], line["account"], line["trans_id"]) == ("bet", "test1234", 1676358190)
    assert (line["result"], line["http_status"], line["grpc_status"], line["tries"]) == (0, 200, "OK", 1)


async def test_the_budget_goes_to_the_wallet(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        await bench.answer("bet")
        await bench.answer("authenticate")

        bet, authenticate = (call.seconds_left for call in wallet.calls)
        assert 1.0 < bet < 1.8
        assert 3.0 < authenticate < 3.8


async def test_a_waiter_that_is_cancelled_still_gets_the_true_answer(tmp_path: Path) -> None:
    """Without it the client would hang, and money has moved."""
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        waiter = asyncio.ensure_future(bench.answer())
        await hang.arrived.wait()
        waiter.cancel()
        await asyncio.sleep(0)
        assert not waiter.done()
        hang.release()

        assert (await waiter).body == OK_BODY
        assert wallet.counts == {"PlaceBet": 1}


async def test_a_waiter_that_is_cancelled_twice_is_let_go_and_the_call_goes_on(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        waiter = asyncio.ensure_future(bench.answer())
        await hang.arrived.wait()
        waiter.cancel()
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait({waiter}, timeout=TIMEOUT)
        assert waiter.cancelled()

        hang.release()
        await bench.bridge.stop()
        [line] = [line for line in bench.lines() if line["event"] == "callback"]
        assert (line["result"], line["http_status"]) == (0, 200)


async def test_who_does_not_wait_is_told(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        told = bench.begin()
        assert not told.done()

        assert (await told).body == OK_BODY
        assert wallet.counts == {"PlaceBet": 1}


async def test_the_log_says_when_the_wallet_comes_and_goes(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        await wallet.stop()
        await until(lambda: not bench.bridge.wallet._channel.is_ready)
        lines = {line["event"]: line for line in bench.lines()}

    assert (lines["wallet connected"]["level"], lines["wallet away"]["level"]) == ("info", "warning")
    assert lines["wallet away"]["target"].startswith(HOST)


async def test_a_certificate_that_cannot_be_read_ends_the_start(tmp_path: Path) -> None:
    settings = Settings(
        wallet=Wallet(target="127.0.0.1:1", tls=Tls(ca_file=tmp_path / "none.pem")),
        journal=Journal(path=tmp_path / "journal.db"),
    )
    log = open_log(lines_max=10, stream=io.StringIO())
    with pytest.raises(SettingsError, match=r"^wallet\.tls\.ca_file: cannot read "):
        Bridge(settings, Tokens([TOKEN]), log)
    log.close()


# Ending


async def test_what_is_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        answer = asyncio.ensure_future(bench.answer())
        await hang.arrived.wait()
        stopping = asyncio.ensure_future(bench.bridge.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        hang.release()
        await asyncio.wait_for(stopping, TIMEOUT)

        assert answer.done()
        assert (await answer).body == OK_BODY
        assert bench.events()[-2:] == ["callback", "stopped"]


async def test_who_does_not_wait_is_told_before_the_end(tmp_path: Path) -> None:
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        told = bench.begin()
        await hang.arrived.wait()
        stopping = asyncio.ensure_future(bench.bridge.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        hang.release()
        await asyncio.wait_for(stopping, TIMEOUT)

        assert told.done()
        assert told.result().body == OK_BODY
        assert bench.begin().result() == answers.UNKNOWN


async def test_what_still_comes_in_meanwhile_is_answered_as_well(tmp_path: Path) -> None:
    """Connections outlive their listener."""
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        answer = asyncio.ensure_future(bench.answer())
        await hang.arrived.wait()
        stopping = asyncio.ensure_future(bench.bridge.stop())
        await asyncio.sleep(0)

        assert (await bench.answer("authenticate")).http_status == 200
        hang.release()
        await asyncio.wait_for(stopping, TIMEOUT)
        assert (await answer).body == OK_BODY


async def test_the_end_does_not_wait_for_a_wallet_when_it_is_forced(tmp_path: Path) -> None:
    at_once = asyncio.Event()
    async with connected(tmp_path) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        answer = asyncio.ensure_future(bench.answer())
        await hang.arrived.wait()
        stopping = asyncio.ensure_future(bench.bridge.stop(at_once=at_once))
        await asyncio.sleep(0.02)
        assert not stopping.done()
        at_once.set()
        await asyncio.wait_for(stopping, 1.0)

        assert await asyncio.wait_for(answer, 1.0) == answers.UNKNOWN
        assert wallet.counts == {"PlaceBet": 1}


async def test_the_end_waits_no_longer_than_the_longest_budget(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with connected(tmp_path, deadlines=SHORT) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        # No deadline of its own ends this call any time soon.
        answer = asyncio.ensure_future(bench.answer(seconds_ahead=TIMEOUT))
        await hang.arrived.wait()
        started = loop.time()
        await bench.bridge.stop()

        assert 0.35 < loop.time() - started < 1.4
        assert await asyncio.wait_for(answer, 1.0) == answers.UNKNOWN


@pytest.mark.parametrize("command", Command)
async def test_after_the_end_nothing_goes_to_the_wallet(tmp_path: Path, command: Command) -> None:
    async with connected(tmp_path) as (wallet, bench):
        await bench.bridge.stop()

        assert await bench.answer(command) == answers.UNKNOWN
        assert wallet.calls == []
        assert bench.events()[-1] == "stopped"


async def test_an_end_with_nothing_in_flight_is_quick_and_comes_once(tmp_path: Path) -> None:
    async with connected(tmp_path) as (_, bench):
        await bench.answer()
        await asyncio.wait_for(bench.bridge.stop(), 1.0)
        await asyncio.wait_for(bench.bridge.stop(), 1.0)

        assert bench.events().count("stopped") == 1


async def test_nothing_that_a_bridge_shows_holds_the_token(tmp_path: Path) -> None:
    async with connected(tmp_path) as (_, bench):
        await bench.answer()
        text = f"{bench.bridge!r} {vars(bench.bridge)} {bench.lines()}"

    assert TOKEN.decode() not in text


async def test_time_limits_hold_in_a_task_of_its_own(tmp_path: Path) -> None:
    """Without a connection a cancel waits for one, for a moment; nothing may keep that moment from ending."""
    async with bench_at(tmp_path, 1) as bench:
        asked: list[Answer] = []

        async def ask() -> None:
            asked.append(await bench.answer("cancel"))

        await bench.bridge.wallet_seen(TIMEOUT)
        task = asyncio.ensure_future(ask())
        # Nothing cancels it here, as `wait_for` would.
        await asyncio.wait({task}, timeout=TIMEOUT)

        assert task.done()
        assert asked == [answers.UNKNOWN]


# A wallet that is down, and more callbacks than it takes


async def row_of(bench: Bench, trans_id: str) -> Row | None:
    """What the journal knows of a transaction."""
    rows: list[Row | None] = []

    def read(found: Found) -> Change[None]:
        rows.append(found.row)
        return Change(None, takes_turn=False, value=None)

    await bench.bridge.journal.note("test1234", trans_id, read)
    return rows[-1]


async def test_while_the_wallet_is_down_bets_and_wins_are_not_sent_and_the_journal_says_so(tmp_path: Path) -> None:
    breaker = Breaker(failures=1, patience=0.1, probe_every=60)
    async with connected(tmp_path, breaker=breaker, deadlines=SHORT, journal=QUIET) as (wallet, bench):
        wallet.script("PlaceBet", Hang())
        wallet.script("GetBalance", Hang())
        assert await bench.answer("bet", trans_id="first") == answers.UNKNOWN
        # The probe, which has no answer either.
        await until(lambda: bench.bridge.protection.breaker.is_silent)

        assert await bench.answer("bet", trans_id="second") == answers.UNKNOWN
        assert await bench.answer("win", trans_id="third") == answers.UNKNOWN
        bet, win = await row_of(bench, "second"), await row_of(bench, "third")
        assert bet is not None
        assert win is not None
        assert (bet.kind, bet.sends, bet.call, bet.told, bet.is_unresolved) == ("bet", 0, None, "nothing", False)
        assert (win.kind, win.sends, win.call, win.is_win_owed) == ("win", 0, None, True)
        assert wallet.counts["PlaceBet"] == 1

        assert (await bench.answer("cancel", trans_id="first")).http_status == 200
        wallet.script("PlaceBet", OK)
        assert (await bench.answer("bet", trans_id="fourth")).http_status == 200
        events = bench.events()

    assert events.count("wallet does not answer: bets, wins and reads are refused") == 1
    assert events.count("wallet answers again") == 1


async def test_the_log_names_who_reads_the_journal_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "LOOK_SECONDS", 0.0)
    # From the first byte on.
    async with connected(tmp_path, journal={"wal_megabytes": 0}) as (_, bench):
        await bench.answer("bet", trans_id="before")
        with foreign_reader(tmp_path / "journal.db") as pid:
            for number in range(2 * wal.LOOKS):
                assert (await bench.answer("bet", trans_id=f"{number}")).http_status == 200
        for number in range(2):
            await bench.answer("bet", trans_id=f"after {number}")
        await asyncio.sleep(0.05)
        first, last = [line for line in bench.lines() if "-wal" in line["event"]]

    assert first["event"] == "the journal's -wal grows: somebody reads and does not end"
    assert f"process {pid} keeps a read open" in first["problem"]
    assert last["event"] == "the journal's -wal is small again"


async def test_a_command_that_hangs_alone_is_told_and_counted_until_it_is_answered(tmp_path: Path) -> None:
    breaker = Breaker(failures=1, patience=0.1)
    async with connected(tmp_path, breaker=breaker, deadlines=SHORT, journal=QUIET) as (wallet, bench):
        wallet.script("PlaceBet", Hang())
        assert await bench.answer("bet", trans_id="first") == answers.UNKNOWN
        assert number(bench, names.WALLET_STUCK, command="bet") == 1
        assert number(bench, names.WALLET_STUCK, command="win") == 0

        wallet.script("PlaceBet", OK)
        assert (await bench.answer("bet", trans_id="second")).http_status == 200
        assert number(bench, names.WALLET_STUCK, command="bet") == 0
        told = [(line["event"], line.get("command")) for line in bench.lines() if line["event"].startswith("wallet ")]

    assert told == [
        ("wallet connected", None),
        ("wallet does not answer a command: only a few of its calls are sent", "bet"),
        ("wallet answers a command again", "bet"),
    ]


async def test_what_a_cancel_asks_of_a_wallet_that_is_down_is_asked_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here: the checks of a player, by a wallet that does not make them itself."""
    load = load_mapping
    promises = Promises(late_bets_refused=True, checks=frozenset({31, 41, 42}))
    monkeypatch.setattr(running_gateway, "load_mapping", lambda wallet: replace(load(wallet), promises=promises))
    lost = Hang()

    async def balance(call: Call) -> bytes:
        return await (lost if call.request.account == NOBODY else OK)(call)

    breaker = Breaker(failures=1, patience=0.1, probe_every=60)
    async with connected(tmp_path, breaker=breaker, deadlines=SHORT, journal=QUIET) as (wallet, bench):
        wallet.script("PlaceBet", Hang())
        wallet.script("GetBalance", balance)
        assert await bench.answer("bet", trans_id="first") == answers.UNKNOWN
        await until(lambda: bench.bridge.protection.breaker.is_silent)
        asked = wallet.counts["GetBalance"]
        assert await bench.answer("bet", trans_id="second") == answers.UNKNOWN
        assert wallet.counts["GetBalance"] == asked

        assert (await bench.answer("cancel", trans_id="first")).http_status == 200
        assert (wallet.counts["GetBalance"], wallet.counts["CancelTransaction"]) == (asked + 1, 1)


async def test_a_flood_of_bets_keeps_no_cancel_and_no_win_from_the_wallet(tmp_path: Path) -> None:
    limits = Limits(wallet_calls=10, kept_for_cancels=20, kept_for_wins=20)
    async with connected(tmp_path, limits=limits, journal=QUIET) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        bets = [asyncio.ensure_future(bench.answer("bet", trans_id=f"bet-{number}")) for number in range(50)]
        done, held = await asyncio.wait(bets, timeout=0)
        async with asyncio.timeout(TIMEOUT):
            while len(done) < 44:
                done, held = await asyncio.wait(bets, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
        shed = next(f"bet-{number}" for number, bet in enumerate(bets) if bet.done())

        assert {bet.result() for bet in done} == {answers.UNKNOWN}
        for number in range(5):
            assert (await bench.answer("win", trans_id=f"win-{number}")).http_status == 200
        assert (await bench.answer("cancel", trans_id=shed)).http_status == 200
        row = await row_of(bench, shed)
        assert row is not None
        assert (row.kind, row.sends, row.cancel) == ("bet", 1, "done")
        assert (wallet.counts["PlaceBet"], wallet.counts["CancelTransaction"]) == (6, 1)

        hang.release()
        assert {bet.http_status for bet in await asyncio.gather(*held)} == {200}


# Traces


async def test_an_environment_for_others_keeps_no_gateway_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    async with connected(tmp_path) as (_, bench):
        assert (await bench.answer()).http_status == 200
        assert "not traced" in bench.events()

    settings = Settings(wallet=Wallet(target="127.0.0.1:1"), tracing=Tracing())
    log = open_log(lines_max=10, stream=io.StringIO())
    with pytest.raises(SettingsError, match=r"^tracing: expected grpc in "):
        Bridge(settings, Tokens([TOKEN]), log)
    log.close()


# What is counted, shared and taken over


def number(bench: Bench, name: str, **labels: str) -> int:
    return sum_of([bench.bridge.counts.part], name, **labels)


async def test_what_was_done_is_counted(tmp_path: Path) -> None:
    """With no part of its own, the bridge makes one."""
    async with connected(tmp_path, callback=Callback(allow_from=(ip_network("192.0.2.0/24"),))) as (_, bench):
        assert (await bench.answer()).body == OK_BODY
        assert not bench.bridge.admits("198.51.100.1", [TOKEN])
        assert not bench.bridge.admits("192.0.2.1", [b"wrong"])
        assert bench.bridge.admits("192.0.2.1", [TOKEN])

        assert number(bench, names.CALLBACKS, command="bet", result="0", http_status="200") == 1
        assert number(bench, names.WALLET_CALLS, method="PlaceBet", status="OK") == 1
        assert number(bench, names.WALLET_CONNECTED) == 1
        assert number(bench, names.REFUSED, reason="peer") == 1
        assert number(bench, names.REFUSED, reason="wrong_token") == 1


async def test_whether_the_wallet_is_there_is_known_soon(tmp_path: Path) -> None:
    async with connected(tmp_path) as (_, bench):
        await asyncio.wait_for(bench.bridge.wallet_seen(3600), TIMEOUT)

        assert number(bench, names.WALLET_CONNECTED) == 1


async def test_nobody_waits_for_ever_to_know_it(tmp_path: Path) -> None:
    async with bench_at(tmp_path, 1) as bench:
        await asyncio.wait_for(bench.bridge.wallet_seen(0.001), TIMEOUT)

        assert number(bench, names.WALLET_CONNECTED) == 0


async def test_a_cancel_of_another_worker_drops_what_is_cached(tmp_path: Path) -> None:
    buffer = bytearray(buffer_bytes(2))
    async with running_wallet() as (wallet, port):
        wallet.script("GetTransactionStatus", reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED))
        settings = Settings(wallet=Wallet(target=f"{HOST}:{port}"), journal=Journal(path=tmp_path / "journal.db"))
        bench = Bench(settings, Share(Part(), Changes(buffer, worker=0, workers=2)))
        await bench.connect()
        for _ in range(2):
            assert (await bench.answer("status", check="21,42")).result is Result.OK
        assert wallet.counts["GetTransactionStatus"] == 1

        other = Changes(buffer, worker=1, workers=2)
        key = ("test1234", str(make_callback("status")["data"]["trans_id"]))
        other.begin(key)
        other.end(key)
        await bench.answer("status", check="21,42")
        assert wallet.counts["GetTransactionStatus"] == 2
        await bench.bridge.stop()
        bench.bridge.log.close()


async def test_new_tokens_are_taken_over_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_bytes(b"a-new-token")
    callback = Callback(token_file=file, token_file_seconds=0.01)
    async with bench_at(tmp_path, 1, callback=callback) as bench:
        assert bench.bridge.admits("127.0.0.1", [TOKEN])
        await until(lambda: bench.bridge.admits("127.0.0.1", [b"a-new-token"]))

        assert not bench.bridge.admits("127.0.0.1", [TOKEN])
    assert "callback tokens replaced" in bench.events()

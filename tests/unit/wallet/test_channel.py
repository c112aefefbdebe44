"""The channel: how it is secured, whether the wallet is there, and how it comes back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.http_proxy import counting_proxy
from tests.support.middlebox import Middlebox, middlebox_to
from tests.support.scripted_wallet import HOST, OK, Hang, ScriptedWallet, delayed, running_wallet
from tests.support.tls import Authority, KeyPair
from tests.support.waiting import until

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Tls
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import RESPONSE_BYTES_MAX, Channel, _options
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

GET_BALANCE = "/wallet.v1.WalletService/GetBalance"
PLACE_BET = "/wallet.v1.WalletService/PlaceBet"
PINGS_SECONDS = 6.0
TIMEOUT = 10.0


class Changes:
    """What `on_change` was told: `there` or `away`."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, ready: bool) -> None:  # noqa: FBT001 - a callback's one argument
        self.told.append("there" if ready else "away")
        self._news.set()

    async def wait_for(self, *told: str) -> None:
        """Until exactly these were told."""
        async with asyncio.timeout(TIMEOUT):
            while self.told != list(told):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def channel_to(
    port: int,
    *,
    tls: Tls | None = None,
    connect_timeout: float = 0.5,
    longest_call: float = TIMEOUT,
    on_change: Callable[[bool], None] = lambda _: None,
) -> AsyncIterator[Channel]:
    settings = WalletSettings(target=f"{HOST}:{port}", tls=tls, connect_timeout=connect_timeout)
    channel = Channel(settings, on_change=on_change, longest_call=longest_call)
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else is given meanwhile."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]


@asynccontextmanager
async def listening_and_silent() -> AsyncIterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


async def get_balance(channel: Channel) -> v1.GetBalanceResponse:
    raw = await channel.method(GET_BALANCE)(v1.GetBalanceRequest(account="test1234"), timeout=TIMEOUT)
    return v1.GetBalanceResponse.FromString(raw)


# Being there


async def test_a_channel_connects_before_anybody_calls() -> None:
    changes = Changes()
    async with running_wallet() as (_, port), channel_to(port, on_change=changes) as channel:
        await changes.wait_for("there")

        assert channel.is_ready
        assert await channel.wait_until_ready(0)
        assert (await get_balance(channel)).balance == 400000


async def test_calls_begin_in_the_loop_s_next_turn_whatever_other_tasks_do() -> None:
    loop = asyncio.get_running_loop()
    async with running_wallet() as (_, port), channel_to(port) as channel:
        assert await channel.wait_until_ready(0, first=TIMEOUT)
        serialized: list[str] = []

        class Message:
            def SerializeToString(self) -> bytes:  # noqa: N802 - as protobuf names it
                serialized.append("now")
                return v1.GetBalanceRequest(account="test1234").SerializeToString()

        loop.set_task_factory(asyncio.eager_task_factory)
        try:
            call = channel.method(GET_BALANCE)(Message(), timeout=TIMEOUT)
            assert serialized == []
            assert loop.get_task_factory() is asyncio.eager_task_factory
            await call
        finally:
            loop.set_task_factory(None)

        assert serialized == ["now"]


async def test_a_wallet_that_is_away_is_told_once(dead_port: int) -> None:
    changes = Changes()
    async with channel_to(dead_port, on_change=changes) as channel:
        await changes.wait_for("away")
        await asyncio.sleep(0.3)

        assert changes.told == ["away"]
        assert not channel.is_ready


async def test_the_wait_for_a_wallet_that_is_away_is_bounded(dead_port: int) -> None:
    loop = asyncio.get_running_loop()
    async with channel_to(dead_port) as channel:
        started = loop.time()

        assert await channel.wait_until_ready(0.05) is False
        assert 0.04 < loop.time() - started < 0.5


async def test_until_the_first_attempt_has_ended_its_end_is_waited_for() -> None:
    """Callbacks that come with the start are not refused because the channel is new."""
    async with running_wallet() as (_, port), channel_to(port) as channel:
        assert not channel.is_ready
        assert await channel.wait_until_ready(0, first=TIMEOUT) is True


async def test_a_first_attempt_that_fails_holds_nobody_up(dead_port: int) -> None:
    loop = asyncio.get_running_loop()
    async with channel_to(dead_port, connect_timeout=TIMEOUT) as channel:
        assert await channel.wait_until_ready(0, first=TIMEOUT) is False
        started = loop.time()
        assert await channel.wait_until_ready(0, first=TIMEOUT) is False

        assert loop.time() - started < 0.5


async def test_a_first_attempt_that_hangs_is_waited_for_once_and_no_longer_than_it_may_take() -> None:
    """The core's own limit is another: it says nothing while a name is resolved."""
    loop = asyncio.get_running_loop()
    async with listening_and_silent() as port, channel_to(port, connect_timeout=0.2) as channel:
        started = loop.time()
        assert await channel.wait_until_ready(0, first=0.05) is False
        assert loop.time() - started < 0.15
        assert await channel.wait_until_ready(0, first=TIMEOUT) is False
        assert 0.15 < loop.time() - started < 1.0
        started = loop.time()
        assert await channel.wait_until_ready(0, first=TIMEOUT) is False

        assert loop.time() - started < 0.1


async def test_who_waits_is_let_go_when_the_wallet_is_there() -> None:
    wallet = ScriptedWallet()
    port = await wallet.start()
    await wallet.stop()
    async with channel_to(port) as channel:
        waiting = asyncio.ensure_future(channel.wait_until_ready(TIMEOUT))
        await asyncio.sleep(0.05)
        await wallet.start(port)

        assert await waiting is True
    await wallet.stop()


async def test_a_wallet_that_comes_back_is_seen_within_half_a_second() -> None:
    changes = Changes()
    loop = asyncio.get_running_loop()
    wallet = ScriptedWallet()
    port = await wallet.start()
    async with channel_to(port, on_change=changes) as channel:
        await changes.wait_for("there")
        await wallet.stop()
        await changes.wait_for("there", "away")
        await asyncio.sleep(0.7)  # long enough for a backoff to have grown

        started = loop.time()
        await wallet.start(port)
        assert await channel.wait_until_ready(TIMEOUT)
        assert loop.time() - started < 0.5
        assert (await get_balance(channel)).balance == 400000
        await changes.wait_for("there", "away", "there")
    await wallet.stop()


async def test_closing_ends_a_call_in_flight_and_the_watch() -> None:
    changes = Changes()
    async with running_wallet() as (wallet, port):
        hang = Hang()
        wallet.script("GetBalance", hang)
        async with channel_to(port, on_change=changes) as channel:
            await changes.wait_for("there")
            call = asyncio.ensure_future(get_balance(channel))
            await hang.arrived.wait()
        await asyncio.wait({call}, timeout=TIMEOUT)

        assert call.cancelled()
        assert not channel.is_ready
        assert await channel.wait_until_ready(0.01) is False
    assert changes.told == ["there"]


async def test_closing_twice_is_closing_once() -> None:
    async with running_wallet() as (_, port), channel_to(port) as channel:
        await channel.close()
        await channel.close()

        assert not channel.is_ready


async def test_a_response_may_not_be_of_any_size() -> None:
    async def huge(_: object) -> bytes:
        return bytes(RESPONSE_BYTES_MAX + 1)

    async with running_wallet() as (wallet, port), channel_to(port) as channel:
        wallet.script("GetBalance", huge)
        assert await channel.wait_until_ready(TIMEOUT)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get_balance(channel)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


# A connection that is kept alive by something on the way, whose far side is gone


@asynccontextmanager
async def through_a_middlebox(**options: Any) -> AsyncIterator[tuple[ScriptedWallet, Middlebox, Channel, Changes]]:
    """A channel that is connected."""
    changes = Changes()
    async with running_wallet() as (wallet, port), middlebox_to(port) as middlebox:
        async with channel_to(middlebox.port, on_change=changes, **options) as channel:
            await changes.wait_for("there")
            yield wallet, middlebox, channel, changes
        await until(lambda: middlebox.open == 0)


async def status_of(call: Awaitable[bytes]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def renewed(channel: Channel) -> None:
    channel.renew()
    await until(lambda: channel._renewing is None or channel._renewing.done())


async def test_a_new_connection_takes_the_place_of_one_that_nothing_passes() -> None:
    async with through_a_middlebox(longest_call=2) as (wallet, middlebox, channel, changes):
        hang = Hang()
        wallet.script("GetBalance", hang, OK)
        method = channel.method(GET_BALANCE)
        before = asyncio.ensure_future(status_of(method(v1.GetBalanceRequest(account="a"), timeout=2)))
        await hang.arrived.wait()
        middlebox.lose()
        hang.release()
        assert await status_of(method(v1.GetBalanceRequest(account="b"), timeout=0.1)) is not grpc.StatusCode.OK

        channel.renew()
        await renewed(channel)
        # The method that was had before goes through the new one, too.
        assert await status_of(method(v1.GetBalanceRequest(account="c"), timeout=TIMEOUT)) is grpc.StatusCode.OK
        # What was under way stays where it was, and ends in its own time.
        assert not before.done()
        assert await before is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: middlebox.open == 1)
        assert channel.is_ready
        assert (middlebox.connections, changes.told) == (2, ["there"])


async def test_calls_in_flight_when_the_connection_is_renewed_are_answered() -> None:
    async with through_a_middlebox(longest_call=1) as (wallet, middlebox, channel, _):
        hang = Hang()
        wallet.script("GetBalance", hang)
        calls = [asyncio.ensure_future(get_balance(channel)) for _ in range(20)]
        await until(lambda: len(wallet.calls) == 20)
        await renewed(channel)
        await renewed(channel)
        assert middlebox.connections == 3
        hang.release()

        assert {response.balance for response in await asyncio.gather(*calls)} == {400000}
        await until(lambda: middlebox.open == 1)


async def test_where_no_new_connection_can_be_had_the_old_one_stays() -> None:
    async with through_a_middlebox(connect_timeout=0.1) as (_, middlebox, channel, _):
        middlebox.takes_new = False
        await renewed(channel)
        await until(lambda: middlebox.connections >= 2 and middlebox.open == 1)

        assert channel.is_ready
        assert (await get_balance(channel)).balance == 400000


async def test_closing_ends_what_is_left_of_old_connections_and_of_one_on_its_way() -> None:
    async with through_a_middlebox(connect_timeout=TIMEOUT) as (wallet, middlebox, channel, _):
        hang = Hang()
        wallet.script("GetBalance", hang)
        cancelled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        call = asyncio.ensure_future(get_balance(channel))
        call.add_done_callback(lambda call: cancelled.set_result(call.cancelled()))
        del call  # it would keep the connection
        await hang.arrived.wait()
        await renewed(channel)
        middlebox.takes_new = False
        channel.renew()
        await until(lambda: middlebox.connections >= 3)
        await channel.close()
        async with asyncio.timeout(TIMEOUT / 2):
            assert await cancelled


# Pings


def ping_soon(monkeypatch: pytest.MonkeyPatch, **others: int) -> None:
    """From now on channels ping after 0.2 s; all else is as ever but for `others`."""
    shortened = {
        **dict(_options(WalletSettings(target="nowhere"))),
        "grpc.keepalive_time_ms": 200,
        **{f"grpc.{name}": value for name, value in others.items()},
    }
    monkeypatch.setattr("walletbridge.wallet.channel._options", lambda _: list(shortened.items()))


def place_bet(channel: Channel) -> Awaitable[bytes]:
    call: Awaitable[bytes] = channel.method(PLACE_BET)(v1.PlaceBetRequest(), timeout=TIMEOUT)
    return call


async def test_a_ping_without_an_answer_ends_a_connection_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default the core waits for a minute, whatever `grpc.keepalive_timeout_ms` says."""
    options = dict(_options(WalletSettings(target="nowhere")))
    assert options["grpc.http2.ping_timeout_ms"] == 3_000
    assert "grpc.keepalive_timeout_ms" not in options

    ping_soon(monkeypatch, **{"http2.ping_timeout_ms": 300})
    async with running_wallet() as (_, port), middlebox_to(port) as middlebox, channel_to(middlebox.port) as channel:
        assert await channel.wait_until_ready(TIMEOUT)
        middlebox.lose()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await get_balance(channel)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("beside", [False, True])
async def test_pings_are_none_too_many_for_a_server(monkeypatch: pytest.MonkeyPatch, *, beside: bool) -> None:
    """A call for which the wallet takes as long as thirty pings, alone and beside others that are answered."""
    ping_soon(monkeypatch)
    changes = Changes()
    async with running_wallet() as (wallet, port), channel_to(port, on_change=changes) as channel:
        wallet.script("PlaceBet", delayed(PINGS_SECONDS, OK))
        assert await channel.wait_until_ready(TIMEOUT)
        bet = asyncio.ensure_future(place_bet(channel))
        while beside and not bet.done():
            await get_balance(channel)
        await bet

        assert changes.told == ["there"]


async def test_a_server_that_is_pinged_too_often_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above would find."""
    ping_soon(monkeypatch, **{"http2.max_pings_without_data": 0})
    async with running_wallet() as (wallet, port), channel_to(port) as channel:
        wallet.script("PlaceBet", delayed(PINGS_SECONDS, OK))
        assert await channel.wait_until_ready(TIMEOUT)
        with pytest.raises(grpc.aio.AioRpcError, match="Too many pings"):
            await place_bet(channel)


# Proxies


async def test_a_proxy_in_the_environment_does_not_get_the_wallet_s_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting_proxy(monkeypatch) as requests, running_wallet() as (_, port):
        assert await answers(port, None)

    assert requests == []


async def test_a_proxy_gets_them_where_the_settings_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting_proxy(monkeypatch) as requests, running_wallet() as (_, port):
        channel = Channel(WalletSettings(target=f"{HOST}:{port}", use_http_proxy=True), on_change=lambda _: None)
        await until(lambda: requests)
        await channel.close()

    assert requests[0] == f"CONNECT {HOST}:{port} HTTP/1.1\r\n".encode()


# TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_credentials(own: KeyPair, *, clients_of: Authority | None = None) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(own.key_file.read_bytes(), own.cert_file.read_bytes())],
        root_certificates=clients_of.ca_file.read_bytes() if clients_of else None,
        require_client_auth=clients_of is not None,
    )


async def answers(port: int, tls: Tls | None, *, seconds: float = TIMEOUT) -> bool:
    """Whether a call over a channel with these settings gets through."""
    async with channel_to(port, tls=tls) as channel:
        if not await channel.wait_until_ready(seconds):
            return False
        try:
            return (await get_balance(channel)).balance == 400000
        except grpc.aio.AioRpcError:
            return False


async def test_over_tls_the_wallet_shows_its_certificate(authority: Authority) -> None:
    credentials = server_credentials(authority.sign("wallet"))
    async with running_wallet(credentials=credentials) as (_, port):
        assert await answers(port, Tls(ca_file=authority.ca_file))


async def test_a_certificate_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "somebody else")
    credentials = server_credentials(authority.sign("wallet"))
    async with running_wallet(credentials=credentials) as (wallet, port):
        assert not await answers(port, Tls(ca_file=other.ca_file), seconds=0.3)
        assert not await answers(port, Tls(), seconds=0.3)  # gRPC's own roots know nothing of it
        assert not await answers(port, None, seconds=0.3)  # plaintext
        assert wallet.calls == []


async def test_with_client_certificates_both_sides_show_theirs(authority: Authority, tmp_path: Path) -> None:
    credentials = server_credentials(authority.sign("wallet"), clients_of=authority)
    client = authority.sign("gateway")
    stranger = Authority(tmp_path, "somebody else").sign("stranger")
    async with running_wallet(credentials=credentials) as (wallet, port):
        ca = authority.ca_file
        assert await answers(port, Tls(ca_file=ca, cert_file=client.cert_file, key_file=client.key_file))
        assert len(wallet.calls) == 1

        assert not await answers(port, Tls(ca_file=ca), seconds=0.3)
        theirs = Tls(ca_file=ca, cert_file=stranger.cert_file, key_file=stranger.key_file)
        assert not await answers(port, theirs, seconds=0.3)
        assert len(wallet.calls) == 1


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """A folder in place of a file is no better than nothing."""
    for path, problem in [(tmp_path / "none.pem", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(SettingsError) as caught:
            Channel(WalletSettings(target="127.0.0.1:1", tls=Tls(**{name: path})), on_change=print)
        assert str(caught.value) == f"wallet.tls.{name}: cannot read {path}: {problem}"


async def test_files_that_hold_no_certificate_make_no_channel(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("not a certificate")
    with pytest.raises(SettingsError, match=r"wallet\.tls\.ca_file: .* is no certificate in PEM form"):
        Channel(WalletSettings(target="127.0.0.1:1", tls=Tls(ca_file=nonsense)), on_change=print)

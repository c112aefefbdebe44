"""The channel: how it is secured, whether the wallet is there, and how it comes back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from tests.helpers.scripted_wallet import HOST, Hang, ScriptedWallet, running_wallet
from tests.helpers.tls import Authority, KeyPair

from walletbridge.errors import SettingsError
from walletbridge.settings import Tls
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import RESPONSE_BYTES_MAX, Channel
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

GET_BALANCE = "/wallet.v1.WalletService/GetBalance"
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
    on_change: Callable[[bool], None] = lambda _: None,
) -> AsyncIterator[Channel]:
    settings = WalletSettings(target=f"{HOST}:{port}", tls=tls, connect_timeout=connect_timeout)
    channel = Channel(settings, on_change=on_change)
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


async def test_files_that_hold_no_certificate_never_connect(tmp_path: Path, authority: Authority) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("not a certificate")
    async with running_wallet(credentials=server_credentials(authority.sign("wallet"))) as (wallet, port):
        assert not await answers(port, Tls(ca_file=nonsense), seconds=0.3)
        assert wallet.calls == []

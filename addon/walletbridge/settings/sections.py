"""
The settings as types: what each key means, its unit, its bounds and its default. Knows no file and no YAML.

`config/walletbridge.yaml` shows the same to operators.
"""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from walletbridge.settings.addresses import Address, Upstream

TOKEN_ENV_DEFAULT = "WALLETBRIDGE_CALLBACK_TOKEN"  # noqa: S105 - the name of a variable, not a token

Network = IPv4Network | IPv6Network
"""Whom to answer, as a CIDR."""


def _whole(lowest: int, highest: int) -> Meta:
    return Meta(ge=lowest, le=highest, description=f"a whole number from {lowest} to {highest}")


def _seconds(highest: int) -> Meta:
    return Meta(gt=0, le=highest, description=f"seconds above 0, at most {highest}")


def _seconds_or_off(highest: int) -> Meta:
    return Meta(ge=0, le=highest, description=f"seconds from 0 (off) to {highest}")


_PERCENT = _whole(0, 45)
"""A share that leaves something for the others when there are two of them."""
_HOUR = 3600
_DAY = 24 * _HOUR

_CallbackPath = Annotated[
    str,
    Meta(
        pattern=r"\A/[^?#\x00-\x20\x7f-\U0010ffff]*\Z",
        description='a path that begins with "/", without "?", "#", blanks or letters beyond ASCII',
    ),
]
_EnvironmentName = Annotated[
    str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\Z", description="the name of an environment variable")
]
_Target = Annotated[
    str, Meta(pattern=r"\A[!-~]+\Z", description="a gRPC target, such as 127.0.0.1:50051 or dns:///wallet:50051")
]
_ClientName = Annotated[
    str, Meta(pattern=r"\A[!-~]+\Z", description="a name in a certificate: of a host, a mail address or a URI")
]
_Deadline = Annotated[float, _seconds(60)]


class Section(Struct, frozen=True):
    """A part of the settings file; each of its fields is a key there."""


class Callback(Section, frozen=True, kw_only=True):
    """What the provider calls, and with which token."""

    path: _CallbackPath = "/callback"
    token_env: _EnvironmentName | None = None
    """The variable that holds the tokens; TOKEN_ENV_DEFAULT where there is no `token_file` either."""
    token_file: Path | None = None
    token_file_seconds: Annotated[float, _seconds(_HOUR)] = 1.0
    """How often it is seen whether `token_file` has changed."""
    allow_from: tuple[Network, ...] = ()
    """Empty means anyone who has the token."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose X-Forwarded-For is believed when `allow_from` is tested."""
    proxy_protocol: bool = False
    """Whether every connection to `serve` begins with a PROXY header, which only `trusted_proxies` may send."""

    def __post_init__(self) -> None:
        if self.token_env is None and self.token_file is None:
            force_setattr(self, "token_env", TOKEN_ENV_DEFAULT)


class Tls(Section, frozen=True, kw_only=True):
    """TLS to the wallet. `cert_file` and `key_file` go together."""

    ca_file: Path | None = None
    """Whose certificates are trusted; None for gRPC's own roots."""
    cert_file: Path | None = None
    key_file: Path | None = None


class ListenerTls(Section, frozen=True, kw_only=True):
    """TLS for `listen`. The files are read again when they change."""

    cert_file: Path
    """The certificate and what is between it and a root, in PEM form."""
    key_file: Path
    key_passphrase_file: Path | None = None
    """Holds the pass phrase of an encrypted key."""
    warn_days: Annotated[int, _whole(0, 3650)] = 30
    """How many days before the certificate expires the log says so, once a day."""
    client_ca_file: Path | None = None
    """Whose certificates clients must show; None: clients show none."""
    client_names: tuple[_ClientName, ...] = ()
    """The names of which a client's certificate must hold one; empty: any that `client_ca_file` has signed."""


class Http2(Section, frozen=True, kw_only=True):
    """HTTP/2 for the clients of `serve`, beside HTTP/1.1. Needs TLS."""

    streams: Annotated[int, _whole(1, 1000)] = 100
    """Requests at the same time on one connection."""
    resets_per_second: Annotated[int, _whole(1, 1_000_000)] = 20
    """Requests of one connection that its client gives up."""
    idle_frames_per_second: Annotated[int, _whole(10, 1_000_000)] = 200
    """Frames of one connection that bring nothing."""


class Wallet(Section, frozen=True, kw_only=True):
    """The operator's wallet."""

    target: _Target
    tls: Tls | None = None
    """None for plaintext."""
    currency_decimals: Annotated[int, _whole(0, 8)] = 2
    mapping: Path | None = None
    """The file that binds the wallet's own proto; None for wallet.v1."""
    late_bets_refused: bool | None = None
    """
    Whether the wallet remembers the cancel of an unknown transaction and refuses its bet or win that comes later; None
    for what the mapping says.
    """
    connect_wait: Annotated[float, _seconds(10)] = 0.03
    """How long a call waits for a connection that is not there, in seconds."""
    connect_timeout: Annotated[float, _seconds(60)] = 0.5
    """How long one attempt to connect may take, in seconds."""
    use_http_proxy: bool = False
    """Whether a proxy that the environment names (`http_proxy`, `https_proxy`, `grpc_proxy`) is used for the wallet."""


class Deadlines(Section, frozen=True, kw_only=True):
    """The provider's limits, in seconds, and what of them is kept for the way back. Each is longer than `margin`."""

    bet: _Deadline = 2.0
    balance: _Deadline = 2.0
    authenticate: _Deadline = 4.0
    win: _Deadline = 4.0
    cancel: _Deadline = 4.0
    status: _Deadline = 4.0
    margin: _Deadline = 0.25


class StatusCache(Section, frozen=True, kw_only=True):
    """For how long a transaction's final state is remembered. 0 switches off."""

    size: Annotated[int, _whole(0, 10_000_000)] = 100_000
    """In transactions."""
    ok_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 5.0
    canceled_seconds: Annotated[float, _seconds_or_off(_DAY)] = 3600.0


class Journal(Section, frozen=True, kw_only=True):
    """The durable record of money movements."""

    path: Path = Path("walletbridge.db")
    """`load` makes it absolute."""
    settle_after: Annotated[float, _seconds(_DAY)] = 10.0
    """How long after its last call a transaction is certain to have landed or not, in seconds."""
    abandon_after: Annotated[float, _seconds(7 * _DAY)] = 60.0
    """When a bet that we could not answer is cancelled, in seconds; longer than `settle_after` and any deadline."""
    redeliver_for: Annotated[float, _seconds(90 * _DAY)] = 86400.0
    """How long a win that we could not answer is delivered again, in seconds."""
    keep_days: Annotated[int, _whole(1, 36_500)] | None = None
    """
    How long rows at rest are kept. None: 30, or 400 where the journal is the only record of some transactions, because
    of what the wallet promises; a shorter time is refused there.
    """
    settle_wins: bool = True
    """Whether wins that we could not answer are delivered again at all."""
    settle_bets: bool = True
    """Whether bets that we could not answer are cancelled at all."""
    recheck_after: Annotated[float, _seconds(_DAY)] = 60.0
    """When a cancel that was believed on time alone is sent again, in seconds; then after 10 and 60 times as long."""
    call_seconds: Annotated[float, _seconds(60)] | None = None
    """The deadline of a wallet call that settles something; None for that of a callback with the same command."""
    retry_seconds: Annotated[float, _seconds(_HOUR)] = 5.0
    """The longest pause between two tries to settle something, in seconds."""
    give_up_after: Annotated[float, _seconds(90 * _DAY)] = 21600.0
    """How long what the wallet refuses to settle is tried before it is left to a human, in seconds."""
    refused_retry_seconds: Annotated[float, _seconds(_DAY)] = 300.0
    """The longest pause between two tries to settle what the wallet refuses, in seconds."""
    rollback_rounds: bool = False
    """Whether the provider voids a round by cancelling its bets, so that a win that it never heard of goes back too."""
    wal_megabytes: Annotated[int, _whole(100, 1_000_000)] = 256
    """From which size on of SQLite's log beside the file the log warns of whoever reads the file and does not end."""
    lock_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 2.0
    """How long a worker that stands still may keep others from writing before it is killed, in seconds; 0: for good."""


class Limits(Section, frozen=True, kw_only=True):
    """What may be in memory at once."""

    body_bytes: Annotated[int, _whole(1, 16 * 1024 * 1024)] = 65536
    wallet_calls: Annotated[int, _whole(1, 65536)] = 256
    """Calls of the wallet at the same time."""
    resolver_calls: Annotated[int, _whole(1, 65536)] = 16
    """How many of them may settle what is open of one kind, rather than answer a callback."""
    kept_for_cancels: Annotated[int, _PERCENT] = 10
    """How many percent of them no other call may take."""
    kept_for_wins: Annotated[int, _PERCENT] = 15
    """How many percent of them, beyond those, no other call than a win may take."""
    slot_wait: Annotated[float, _seconds_or_off(60)] = 0.5
    """How long a callback waits for one of `wallet_calls`, in seconds."""
    slot_waiting: Annotated[int, _whole(0, 1_000_000)] = 1024
    """How many callbacks may wait so: cancels, wins, and so many of all others."""
    journal_steps: Annotated[int, _whole(1, 10_000_000)] = 10_000
    """Steps of callbacks that wait for the journal's disk."""
    log_lines: Annotated[int, _whole(1, 10_000_000)] = 10_000
    """Lines of the log that wait to be written."""
    header_bytes: Annotated[int, _whole(1024, 1024 * 1024)] = 16384
    """Of a request's head. This limit and those that follow are those of `serve`."""
    header_count: Annotated[int, _whole(8, 10_000)] = 100
    """Fields of a request's head."""
    header_seconds: Annotated[float, _seconds(_HOUR)] = 10.0
    """From a connection or a request's first byte to the end of its head."""
    body_seconds: Annotated[float, _seconds(_HOUR)] = 10.0
    """From the end of a head to the end of the body of a callback."""
    idle_seconds: Annotated[float, _seconds(_DAY)] = 120.0
    """For which a connection may stay without a request."""
    connections: Annotated[int, _whole(1, 1_000_000)] = 10_000
    connections_per_address: Annotated[int, _whole(1, 1_000_000)] = 2_000
    outside_connections: Annotated[int, _whole(1, 1_000_000)] = 500
    """From addresses outside of `callback.allow_from`, for the upstream alone."""
    upstream_requests: Annotated[int, _whole(1, 1_000_000)] = 1_000
    """For other paths, at the same time over all connections."""
    wrong_tokens_per_second: Annotated[int, _whole(1, 1_000_000)] = 100
    """From one address. A right token is always looked at."""
    strangers_percent: Annotated[int, _whole(1, 100)] = 50
    """Of a worker's time, for carried connections that have brought no right token yet."""


class Breaker(Section, frozen=True, kw_only=True):
    """When the wallet counts as down, so that calls but cancels are refused at once, and when it is asked again."""

    failures: Annotated[int, _whole(0, 1_000_000)] = 10
    """Calls in a row without an answer; 0 switches the breaker off."""
    patience: Annotated[float, _seconds(60)] = 0.5
    """How long a call must have waited for its missing answer to count, in seconds."""
    away_after: Annotated[float, _seconds(_HOUR)] = 0.5
    """How long the connection must be gone, in seconds; until then reads wait for it inside their limit."""
    probe_every: Annotated[float, _seconds(60)] = 0.25
    """How often a wallet that does not answer is asked, in seconds."""
    probe_seconds: Annotated[float, _seconds(60)] | None = None
    """How long such a question waits for its answer, in seconds; None for as long as a callback would."""
    renew_after: Annotated[float, _seconds_or_off(_HOUR)] = 1.5
    """After so long without an answer the connection is made anew, and again after twice as long; 0 for never."""


class Tracing(Section, frozen=True, kw_only=True):
    """OpenTelemetry's traces. Where a key is not set, OpenTelemetry's own environment variables say it."""

    endpoint: Upstream | None = None
    """The collector, which speaks OTLP over gRPC."""
    sample_percent: Annotated[int, _whole(0, 100)] | None = None
    """How many of the callbacks are traced."""


class Record(Section, frozen=True, kw_only=True):
    """The recording of callbacks, answers and wallet calls."""

    folder: Path = Path("recordings")
    """Made where it is missing; `load` makes it absolute."""
    megabytes: Annotated[int, _whole(1, 1_000_000)] = 100
    """Of all files together; the oldest go first."""
    hours: Annotated[int, _whole(1, 8784)] = 24
    """After which a file is deleted."""


class Admin(Section, frozen=True, kw_only=True):
    """The admin endpoint of `serve`."""

    listen: Address = Address("127.0.0.1", 9901)


class Serve(Section, frozen=True, kw_only=True):
    """How the processes of `serve` start and end."""

    start_seconds: Annotated[float, _seconds(_HOUR)] = 30.0
    """How long a new worker may take until it could serve."""
    start_tries: Annotated[int, _whole(1, 1000)] = 5
    """How often in a row starting a worker may fail, while none serves, before `serve` gives up."""
    hang_seconds: Annotated[int, _whole(2, _HOUR)] = 10
    """How long a worker may show no sign of life before it is killed."""
    drain_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 5.0
    """How long, at the end, clients' idle connections are waited for: whoever uses one is told to connect anew."""


class Level(StrEnum):
    """Which lines of the log are written: these, and what is worse."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_Level = Annotated[Level, Meta(description="info, warning or error")]


class Log(Section, frozen=True, kw_only=True):
    """What the log leaves out."""

    level: _Level = Level.INFO
    """`warning` writes of callbacks only those of unknown outcome."""
    sample_percent: Annotated[int, _whole(0, 100)] = 100
    """How many of the plain successes are written; of all else every line is."""


class Ui(Section, frozen=True, kw_only=True):
    """The live view."""

    listen: Address = Address("127.0.0.1", 8081)
    keep_flows: Annotated[int, _whole(1, 1_000_000)] = 10_000
    mask_accounts: bool = False


class Settings(Section, frozen=True, kw_only=True):
    """All settings. `load` makes them from a file; built by hand they are not checked."""

    listen: Address = Address("127.0.0.1", 8080)
    """Where callbacks come in, unless mitmproxy's own options say it."""
    upstream: Upstream | None = None
    """Where other paths go; None for nowhere."""
    tls: ListenerTls | None = None
    """None for plaintext, as behind a proxy that does TLS."""
    http2: Http2 | None = None
    """None for HTTP/1.1 alone."""
    callback: Callback = Callback()
    wallet: Wallet
    deadlines: Deadlines = Deadlines()
    status_cache: StatusCache = StatusCache()
    journal: Journal = Journal()
    limits: Limits = Limits()
    breaker: Breaker = Breaker()
    tracing: Tracing | None = None
    """None: only if OpenTelemetry's own environment variables ask for it."""
    admin: Admin | None = None
    """None for no admin endpoint."""
    serve: Serve = Serve()
    log: Log = Log()
    ui: Ui = Ui()
    record: Record | None = None
    """None for no recording."""

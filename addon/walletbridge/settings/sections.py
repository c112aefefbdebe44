"""
The settings as types: the meaning, unit, bounds and default of each key. Knows no file and no YAML.

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
"""A network, as a CIDR."""


def _whole(lowest: int, highest: int) -> Meta:
    return Meta(ge=lowest, le=highest, description=f"a whole number from {lowest} to {highest}")


def _seconds(highest: int) -> Meta:
    return Meta(gt=0, le=highest, description=f"seconds above 0, at most {highest}")


def _seconds_or_off(highest: int) -> Meta:
    return Meta(ge=0, le=highest, description=f"seconds from 0 (off) to {highest}")


_PERCENT = _whole(0, 45)
"""A share in percent: two of the largest still leave a rest for all others."""
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
    """The path, tokens and senders of callbacks."""

    path: _CallbackPath = "/callback"
    token_env: _EnvironmentName | None = None
    """The variable that holds the tokens; TOKEN_ENV_DEFAULT if `token_file` is not set either."""
    token_file: Path | None = None
    token_file_seconds: Annotated[float, _seconds(_HOUR)] = 1.0
    """Seconds between two checks whether `token_file` has changed."""
    allow_from: tuple[Network, ...] = ()
    """The networks that may send callbacks; empty: any sender with a token."""
    trusted_proxies: tuple[Network, ...] = ()
    """The proxies whose X-Forwarded-For is believed when `allow_from` is tested."""
    proxy_protocol: bool = False
    """Whether every connection to `serve` begins with a PROXY header, which only `trusted_proxies` may send."""

    def __post_init__(self) -> None:
        if self.token_env is None and self.token_file is None:
            force_setattr(self, "token_env", TOKEN_ENV_DEFAULT)


class Tls(Section, frozen=True, kw_only=True):
    """TLS to the wallet. `cert_file` and `key_file` go together."""

    ca_file: Path | None = None
    """The trusted authorities; None for gRPC's own roots."""
    cert_file: Path | None = None
    key_file: Path | None = None


class ListenerTls(Section, frozen=True, kw_only=True):
    """TLS for `listen`. The files are read again when they change."""

    cert_file: Path
    """The certificate, then those between it and a root, in PEM form."""
    key_file: Path
    key_passphrase_file: Path | None = None
    """Holds the pass phrase of an encrypted key."""
    warn_days: Annotated[int, _whole(0, 3650)] = 30
    """Days before the certificate's expiry from which the log warns, once a day."""
    client_ca_file: Path | None = None
    """Clients must show a certificate that one of these authorities has signed; None: clients show none."""
    client_names: tuple[_ClientName, ...] = ()
    """A client's certificate must hold one of these names; empty: any that `client_ca_file` has signed."""


class Http2(Section, frozen=True, kw_only=True):
    """HTTP/2 for the clients of `serve`, beside HTTP/1.1. Needs TLS."""

    streams: Annotated[int, _whole(1, 1000)] = 100
    """Concurrent requests on one connection."""
    resets_per_second: Annotated[int, _whole(1, 1_000_000)] = 20
    """Requests that a client may give up on one connection."""
    idle_frames_per_second: Annotated[int, _whole(10, 1_000_000)] = 200
    """Frames without progress, such as PING, on one connection."""


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
    Whether the wallet remembers the cancel of an unknown transaction, and refuses its later bet or win. None: the
    mapping decides.
    """
    connect_wait: Annotated[float, _seconds(10)] = 0.03
    """How long a call waits for a missing connection, in seconds."""
    connect_timeout: Annotated[float, _seconds(60)] = 0.5
    """How long one attempt to connect may take, in seconds."""
    use_http_proxy: bool = False
    """Whether wallet calls use the environment's proxy (`http_proxy`, `https_proxy`, `grpc_proxy`)."""


class Deadlines(Section, frozen=True, kw_only=True):
    """The provider's limits, in seconds. Each is longer than `margin`, which is kept for the way back."""

    bet: _Deadline = 2.0
    balance: _Deadline = 2.0
    authenticate: _Deadline = 4.0
    win: _Deadline = 4.0
    cancel: _Deadline = 4.0
    status: _Deadline = 4.0
    margin: _Deadline = 0.25


class StatusCache(Section, frozen=True, kw_only=True):
    """How long a transaction's final state is cached. 0 switches off."""

    size: Annotated[int, _whole(0, 10_000_000)] = 100_000
    """How many transactions are cached."""
    ok_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 5.0
    canceled_seconds: Annotated[float, _seconds_or_off(_DAY)] = 3600.0


class Journal(Section, frozen=True, kw_only=True):
    """The durable record of money movements."""

    path: Path = Path("walletbridge.db")
    """`load` makes it absolute."""
    settle_after: Annotated[float, _seconds(_DAY)] = 10.0
    """Seconds after its last call until a transaction has certainly landed, or never will (RULES 7)."""
    abandon_after: Annotated[float, _seconds(7 * _DAY)] = 60.0
    """Seconds until an unanswered bet is cancelled; more than `settle_after` plus any deadline (RULES 10, 12)."""
    redeliver_for: Annotated[float, _seconds(90 * _DAY)] = 86400.0
    """How long an unanswered win is sent again, in seconds (RULES 9)."""
    keep_days: Annotated[int, _whole(1, 36_500)] | None = None
    """
    How long rows at rest are kept. None: 30, or 400 if the wallet's promises make the journal the only record of some
    transactions; a shorter time is refused then.
    """
    settle_wins: bool = True
    """Whether unanswered wins are sent again at all."""
    settle_bets: bool = True
    """Whether unanswered bets are cancelled at all."""
    recheck_after: Annotated[float, _seconds(_DAY)] = 60.0
    """Seconds until a cancel believed on time alone is sent again; then after 10 and 60 times as long (RULES 7)."""
    call_seconds: Annotated[float, _seconds(60)] | None = None
    """The deadline of a resolver's call, in seconds; None: as for a callback with the same command."""
    retry_seconds: Annotated[float, _seconds(_HOUR)] = 5.0
    """The longest pause between two tries of the resolver, in seconds."""
    give_up_after: Annotated[float, _seconds(90 * _DAY)] = 21600.0
    """How long the resolver repeats a refused call before it leaves the row to a person, in seconds (RULES 8)."""
    refused_retry_seconds: Annotated[float, _seconds(_DAY)] = 300.0
    """The longest pause between two tries of a refused call, in seconds."""
    rollback_rounds: bool = False
    """Whether the provider voids a round by cancelling its bets, so that an unheard win goes back too (RULES 9)."""
    wal_megabytes: Annotated[int, _whole(100, 1_000_000)] = 256
    """The size of SQLite's log beside the file from which on the log names a reader that does not end."""
    lock_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 2.0
    """Seconds for which a halted worker may keep others from writing before it is killed; 0: no limit (RULES 13)."""


class Limits(Section, frozen=True, kw_only=True):
    """The limits on work that is in memory at once."""

    body_bytes: Annotated[int, _whole(1, 16 * 1024 * 1024)] = 65536
    wallet_calls: Annotated[int, _whole(1, 65536)] = 256
    """Concurrent wallet calls."""
    resolver_calls: Annotated[int, _whole(1, 65536)] = 16
    """How many of them the resolver may take for one kind: wins, cancels or questions."""
    kept_for_cancels: Annotated[int, _PERCENT] = 10
    """Percent of `wallet_calls` for cancels alone."""
    kept_for_wins: Annotated[int, _PERCENT] = 15
    """Percent of `wallet_calls`, beyond those, for wins alone."""
    slot_wait: Annotated[float, _seconds_or_off(60)] = 0.5
    """How long a callback waits for one of `wallet_calls`, in seconds."""
    slot_waiting: Annotated[int, _whole(0, 1_000_000)] = 1024
    """How many callbacks of each class may wait so: cancels, wins, all others."""
    journal_steps: Annotated[int, _whole(1, 10_000_000)] = 10_000
    """Steps of callbacks that may wait for the journal's disk."""
    log_lines: Annotated[int, _whole(1, 10_000_000)] = 10_000
    """Log lines that may wait to be written."""
    header_bytes: Annotated[int, _whole(1024, 1024 * 1024)] = 16384
    """The size of a request's head. This limit and all that follow apply to `serve`."""
    header_count: Annotated[int, _whole(8, 10_000)] = 100
    """Fields in a request's head."""
    header_seconds: Annotated[float, _seconds(_HOUR)] = 10.0
    """Seconds from a connection, or a request's first byte, to the end of its head."""
    body_seconds: Annotated[float, _seconds(_HOUR)] = 10.0
    """Seconds from the end of a callback's head to the end of its body."""
    idle_seconds: Annotated[float, _seconds(_DAY)] = 120.0
    """Seconds for which a connection may stay without a request."""
    connections: Annotated[int, _whole(1, 1_000_000)] = 10_000
    connections_per_address: Annotated[int, _whole(1, 1_000_000)] = 2_000
    outside_connections: Annotated[int, _whole(1, 1_000_000)] = 500
    """Connections from outside of `callback.allow_from`, for the upstream alone."""
    upstream_requests: Annotated[int, _whole(1, 1_000_000)] = 1_000
    """Concurrent requests for other paths, over all connections."""
    wrong_tokens_per_second: Annotated[int, _whole(1, 1_000_000)] = 100
    """Answered per address; more get 429. A right token is never refused."""
    strangers_percent: Annotated[int, _whole(1, 100)] = 50
    """Of a worker's time, for connections over TLS or for other paths that have not brought a right token."""


class Breaker(Section, frozen=True, kw_only=True):
    """When the wallet counts as down, so that all calls but cancels are refused at once, and when it is probed."""

    failures: Annotated[int, _whole(0, 1_000_000)] = 10
    """Consecutive calls without an answer; 0 switches the breaker off."""
    patience: Annotated[float, _seconds(60)] = 0.5
    """How long an unanswered call must have waited to count, in seconds."""
    away_after: Annotated[float, _seconds(_HOUR)] = 0.5
    """How long the connection must be gone, in seconds; until then reads wait for it within their limit."""
    probe_every: Annotated[float, _seconds(60)] = 0.25
    """Seconds between two probes of a wallet that does not answer."""
    probe_seconds: Annotated[float, _seconds(60)] | None = None
    """How long a probe waits for its answer, in seconds; None: as long as a balance may wait."""
    renew_after: Annotated[float, _seconds_or_off(_HOUR)] = 1.5
    """Seconds without an answer until a new connection is made, again after twice as long; 0: never."""


class Tracing(Section, frozen=True, kw_only=True):
    """OpenTelemetry's traces. OpenTelemetry's own environment variables decide a key that is not set."""

    endpoint: Upstream | None = None
    """The collector; it must speak OTLP over gRPC."""
    sample_percent: Annotated[int, _whole(0, 100)] | None = None
    """The percentage of callbacks that are traced."""


class Record(Section, frozen=True, kw_only=True):
    """The recording of callbacks, answers and wallet calls."""

    folder: Path = Path("recordings")
    """Created if missing; `load` makes it absolute."""
    megabytes: Annotated[int, _whole(1, 1_000_000)] = 100
    """The size of all files together; the oldest are deleted first."""
    hours: Annotated[int, _whole(1, 8784)] = 24
    """The age at which a file is deleted."""


class Admin(Section, frozen=True, kw_only=True):
    """The admin endpoint of `serve`."""

    listen: Address = Address("127.0.0.1", 9901)


class Serve(Section, frozen=True, kw_only=True):
    """How the processes of `serve` start and end."""

    start_seconds: Annotated[float, _seconds(_HOUR)] = 30.0
    """Seconds that a new worker may take to become ready."""
    start_tries: Annotated[int, _whole(1, 1000)] = 5
    """Consecutive failed starts of a worker, while none serves, after which `serve` gives up."""
    hang_seconds: Annotated[int, _whole(2, _HOUR)] = 10
    """Seconds without a sign of life after which a worker is killed."""
    drain_seconds: Annotated[float, _seconds_or_off(_HOUR)] = 5.0
    """Seconds to wait for clients' idle connections at the end: a client that uses one is asked to connect anew."""


class Level(StrEnum):
    """The least severe lines that the log writes."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_Level = Annotated[Level, Meta(description="info, warning or error")]


class Log(Section, frozen=True, kw_only=True):
    """The lines that the log leaves out."""

    level: _Level = Level.INFO
    """Of the callbacks, `warning` writes only those of unknown outcome."""
    sample_percent: Annotated[int, _whole(0, 100)] = 100
    """The percentage of plain successes that are written; all other lines are written."""


class Ui(Section, frozen=True, kw_only=True):
    """The live view."""

    listen: Address = Address("127.0.0.1", 8081)
    keep_flows: Annotated[int, _whole(1, 1_000_000)] = 10_000
    mask_accounts: bool = False


class Settings(Section, frozen=True, kw_only=True):
    """All settings. `load` reads them from a file; settings built by hand are not checked."""

    listen: Address = Address("127.0.0.1", 8080)
    """The address for callbacks, unless mitmproxy's own options set it."""
    upstream: Upstream | None = None
    """The server for other paths; None: they are answered 404."""
    tls: ListenerTls | None = None
    """None for plaintext, such as behind a proxy that does TLS."""
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
    """None: traces only if OpenTelemetry's own environment variables ask for them."""
    admin: Admin | None = None
    """None for no admin endpoint."""
    serve: Serve = Serve()
    log: Log = Log()
    ui: Ui = Ui()
    record: Record | None = None
    """None for no recording."""

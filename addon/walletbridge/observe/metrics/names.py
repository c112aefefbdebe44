"""
The name, kind, meaning and labels of every metric.
"""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kind of a metric, as Prometheus reads it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """A metric that workers keep in their parts."""

    name: str
    """The name as shown; the series of a histogram add `_bucket` and `_sum`."""
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()


BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 1.75, 2, 3, 3.75, 4, 5)
"""
Seconds. The provider's limits are 2 s and 4 s (PROTOCOL: Time limits); the default margin leaves 1.75 s and 3.75 s.
"""

CALLBACKS = "walletbridge_callbacks_total"
CALLBACK_SECONDS = "walletbridge_callback_seconds"
OVER_BUDGET = "walletbridge_callbacks_over_budget_total"
REFUSED = "walletbridge_refused_total"
FAULTS = "walletbridge_faults_total"
WALLET_CALLS = "walletbridge_wallet_calls_total"
NOT_SENT = "walletbridge_wallet_calls_not_sent_total"
WALLET_CALL_SECONDS = "walletbridge_wallet_call_seconds"
WALLET_CALLS_IN_FLIGHT = "walletbridge_wallet_calls_in_flight"
WALLET_CONNECTED = "walletbridge_wallet_connected"
WALLET_STUCK = "walletbridge_wallet_stuck"
CACHE_USES = "walletbridge_status_cache_uses_total"
CACHE_SIZE = "walletbridge_status_cache_size"
JOURNAL_FAILURES = "walletbridge_journal_failures_total"
JOURNAL_FAILING = "walletbridge_journal_failing"
CONNECTIONS = "walletbridge_connections"
CONNECTIONS_ACCEPTED = "walletbridge_connections_accepted_total"
NOT_DELIVERED = "walletbridge_answers_not_delivered_total"
WORKERS = "walletbridge_workers"
BEATS = "walletbridge_worker_beats_total"
LOG_LINES_LOST = "walletbridge_log_lines_lost_total"

METRICS = (
    Metric(
        CALLBACKS,
        Kind.COUNTER,
        "Requests on the callback path by command (none where it could not be read), result code and HTTP status.",
        ("command", "result", "http_status"),
    ),
    Metric(
        CALLBACK_SECONDS,
        Kind.HISTOGRAM,
        "From a callback's arrival to its answer. The time for which a person held it does not count.",
        ("command",),
    ),
    Metric(OVER_BUDGET, Kind.COUNTER, "Callbacks answered later than the limit less the margin.", ("command",)),
    Metric(
        REFUSED,
        Kind.COUNTER,
        "Requests on the callback path that did not come to the wallet, by what was wrong.",
        ("reason",),
    ),
    Metric(FAULTS, Kind.COUNTER, "Faults of the gateway itself; each left a traceback in the log."),
    Metric(
        WALLET_CALLS,
        Kind.COUNTER,
        "Calls of the wallet, the resolver's included, by gRPC method and status.",
        ("method", "status"),
    ),
    Metric(
        NOT_SENT,
        Kind.COUNTER,
        "Calls of the wallet that ended before they were sent: no connection, no budget, no place.",
        ("command",),
    ),
    Metric(
        WALLET_CALL_SECONDS,
        Kind.HISTOGRAM,
        "How long calls of the wallet took, with waiting for a connection and repeated reads.",
        ("method",),
    ),
    Metric(WALLET_CALLS_IN_FLIGHT, Kind.GAUGE, "Calls of the wallet right now."),
    Metric(WALLET_CONNECTED, Kind.GAUGE, "Workers with a connection to the wallet."),
    Metric(
        WALLET_STUCK,
        Kind.GAUGE,
        "Workers that send only a few calls of this command, for the last ones had no answer while others had.",
        ("command",),
    ),
    Metric(
        CACHE_USES,
        Kind.COUNTER,
        "Status questions: answered from the cache (hit), not (miss), with an equal one's call (joined), or not to be "
        "answered by it (bypassed).",
        ("use",),
    ),
    Metric(CACHE_SIZE, Kind.GAUGE, "Transactions in the status cache."),
    Metric(JOURNAL_FAILURES, Kind.COUNTER, "How often the journal began to fail."),
    Metric(JOURNAL_FAILING, Kind.GAUGE, "Workers whose journal fails: they answer bets, wins and cancels with 500."),
    Metric(CONNECTIONS, Kind.GAUGE, "Open connections of clients."),
    Metric(CONNECTIONS_ACCEPTED, Kind.COUNTER, "Connections of clients so far."),
    Metric(NOT_DELIVERED, Kind.COUNTER, "Answers whose client had left."),
    Metric(
        WORKERS, Kind.GAUGE, "Worker processes: starting, ready (waiting to take over), serving, draining.", ("state",)
    ),
    Metric(
        LOG_LINES_LOST, Kind.COUNTER, "Lines of the log that were dropped: its reader is too slow, or its disk full."
    ),
    Metric(BEATS, Kind.COUNTER, "Seconds through which the event loops of all workers have come, added up."),
    Metric("walletbridge_series_dropped_total", Kind.COUNTER, "Numbers lost for want of room for their series."),
)


class Refusal(StrEnum):
    """Why a request on the callback path did not reach the wallet."""

    WRONG_TOKEN = "wrong_token"  # noqa: S105 - the name of a reason
    PEER = "peer"
    METHOD = "method"
    BODY_SIZE = "body_size"
    BAD_CALLBACK = "bad_callback"
    OVERLOAD = "overload"
    WALLET_DOWN = "wallet_down"
    MALFORMED = "malformed"
    TOO_SLOW = "too_slow"
    TLS = "tls"
    """The TLS handshake failed."""
    TOO_MANY = "too_many"
    """Too many connections or wrong tokens, in all or from one address."""


class WorkerState(StrEnum):
    """The state of a worker process."""

    STARTING = "starting"
    READY = "ready"
    """It is able to serve, and waits for its supervisor."""
    SERVING = "serving"
    DRAINING = "draining"

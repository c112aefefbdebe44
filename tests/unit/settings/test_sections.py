"""Every key: values that it takes, up to its bounds, and values that it does not, just beyond them."""

from ipaddress import IPv4Network, IPv6Network
from operator import attrgetter
from pathlib import Path

import pytest
from tests.unit.settings.files import load_text, mistakes_in

from walletbridge.settings import Address, Callback, Settings, StatusCache, Tls, Wallet

ADDRESS = "HOST:PORT, such as 127.0.0.1:8080"
UPSTREAM = "http://HOST:PORT or https://HOST:PORT, without a path"
CALLBACK_PATH = 'a path that begins with "/", without "?", "#", blanks or letters beyond ASCII'
TARGET = "a gRPC target, such as 127.0.0.1:50051 or dns:///wallet:50051"
NETWORK = "a network, such as 192.0.2.0/24"
BOOLEAN = "true or false"

ROOMY_JOURNAL = "journal: {abandon_after: 600}"
"""So that a long deadline breaks no rule."""

BESIDE = {
    "deadlines.bet": ROOMY_JOURNAL,
    "deadlines.balance": ROOMY_JOURNAL,
    "deadlines.authenticate": ROOMY_JOURNAL,
    "deadlines.win": ROOMY_JOURNAL,
    "deadlines.cancel": ROOMY_JOURNAL,
    "deadlines.status": ROOMY_JOURNAL,
    "journal.settle_after": "  abandon_after: 86405",
    "wallet.tls.cert_file": "    key_file: key.pem",
    "wallet.tls.key_file": "    cert_file: cert.pem",
}
"""What must stand beside a key for its own value to count."""


def whole(lowest: int, highest: int) -> str:
    return f"a whole number from {lowest} to {highest}"


def seconds(highest: int) -> str:
    return f"seconds above 0, at most {highest}"


def text_with(key: str, value: str) -> str:
    """A settings file that says `key`, in the line that `line_of` tells, and only what must stand beside it."""
    *sections, name = key.split(".")
    lines = [f"{'  ' * depth}{section}:" for depth, section in enumerate(sections)]
    lines.append(f"{'  ' * len(sections)}{name}: {value}")
    if key in BESIDE:
        lines.append(BESIDE[key])
    if key.startswith("wallet."):
        lines.extend([] if key == "wallet.target" else ["  target: w"])
    else:
        lines.append("wallet: {target: w}")
    return "\n".join(lines)


def line_of(key: str) -> int:
    return key.count(".") + 1


TAKEN: list[tuple[str, dict[str, object]]] = [
    ("listen", {"127.0.0.1:0": Address("127.0.0.1", 0), '"[::1]:65535"': Address("::1", 65535)}),
    ("upstream", {"http://127.0.0.1:9000": "http://127.0.0.1:9000", "https://legacy": "https://legacy"}),
    ("callback.path", {"/": "/", "/callback/v1;a=%20": "/callback/v1;a=%20", "/~!": "/~!"}),
    ("callback.token_env", {"A": "A", "_token_2": "_token_2"}),
    (
        "callback.allow_from",
        {
            "[]": (),
            "[10.0.0.0/8, '2001:db8::/32', 192.0.2.1]": (
                IPv4Network("10.0.0.0/8"),
                IPv6Network("2001:db8::/32"),
                IPv4Network("192.0.2.1/32"),
            ),
        },
    ),
    ("callback.proxy_protocol", {"false": False}),
    ("callback.trusted_proxies", {"[]": (), "[10.0.0.0/8]": (IPv4Network("10.0.0.0/8"),)}),
    ("wallet.target", {"w": "w", "dns:///wallet:50051": "dns:///wallet:50051", "unix:/run/w.sock": "unix:/run/w.sock"}),
    ("wallet.tls", {"{}": Tls()}),
    ("wallet.currency_decimals", {"0": 0, "8": 8}),
    ("wallet.late_bets_refused", {"true": True, "false": False}),
    ("wallet.connect_wait", {"0.001": 0.001, "10": 10}),
    ("wallet.connect_timeout", {"0.001": 0.001, "60": 60}),
    ("wallet.use_http_proxy", {"true": True, "false": False}),
    ("deadlines.bet", {"0.26": 0.26, "60": 60}),
    ("deadlines.balance", {"0.26": 0.26, "60": 60}),
    ("deadlines.authenticate", {"0.26": 0.26, "60": 60}),
    ("deadlines.win", {"0.26": 0.26, "60": 60}),
    ("deadlines.cancel", {"0.26": 0.26, "60": 60}),
    ("deadlines.status", {"0.26": 0.26, "60": 60}),
    ("deadlines.margin", {"0.001": 0.001, "1": 1, "1.99": 1.99}),
    ("status_cache.size", {"0": 0, "10_000_000": 10_000_000}),
    ("status_cache.ok_seconds", {"0": 0, "0.5": 0.5, "3600": 3600}),
    ("status_cache.canceled_seconds", {"0": 0, "86400": 86400}),
    ("journal.settle_after", {"0.1": 0.1, "86400": 86400}),
    ("journal.abandon_after", {"14.1": 14.1, "604800": 604800}),
    ("journal.redeliver_for", {"0.1": 0.1, "7776000": 7776000}),
    ("journal.keep_days", {"1": 1, "36500": 36500}),
    ("journal.settle_wins", {"true": True, "false": False}),
    ("journal.settle_bets", {"true": True, "false": False}),
    ("limits.body_bytes", {"1": 1, "16777216": 16777216}),
    ("limits.wallet_calls", {"1": 1, "65536": 65536}),
    ("journal.recheck_after", {"0.1": 0.1, "86400": 86400}),
    ("journal.call_seconds", {"0.1": 0.1, "60": 60}),
    ("journal.retry_seconds", {"0.1": 0.1, "3600": 3600}),
    ("journal.give_up_after", {"0.1": 0.1, "7776000": 7776000}),
    ("journal.refused_retry_seconds", {"0.1": 0.1, "86400": 86400}),
    ("journal.rollback_rounds", {"true": True, "false": False}),
    ("journal.wal_megabytes", {"100": 100, "1000000": 1000000}),
    ("journal.lock_seconds", {"0": 0, "3600": 3600}),
    ("limits.resolver_calls", {"1": 1, "65536": 65536}),
    ("limits.kept_for_cancels", {"0": 0, "45": 45}),
    ("limits.kept_for_wins", {"0": 0, "45": 45}),
    ("limits.slot_wait", {"0": 0, "60": 60}),
    ("limits.slot_waiting", {"0": 0, "1000000": 1000000}),
    ("breaker.failures", {"0": 0, "1000000": 1000000}),
    ("breaker.patience", {"0.001": 0.001, "60": 60}),
    ("breaker.away_after", {"0.001": 0.001, "3600": 3600}),
    ("breaker.probe_every", {"0.001": 0.001, "60": 60}),
    ("breaker.probe_seconds", {"0.001": 0.001, "60": 60}),
    ("breaker.renew_after", {"0": 0, "3600": 3600}),
    ("limits.journal_steps", {"1": 1, "10000000": 10000000}),
    ("limits.log_lines", {"1": 1, "10000000": 10000000}),
    ("tracing.endpoint", {"http://collector:4317": "http://collector:4317", "https://[::1]": "https://[::1]"}),
    ("tracing.sample_percent", {"0": 0, "100": 100}),
    ("record.megabytes", {"1": 1, "1000000": 1000000}),
    ("record.hours", {"1": 1, "8784": 8784}),
    ("limits.header_bytes", {"1024": 1024, "1048576": 1048576}),
    ("limits.header_count", {"8": 8, "10000": 10000}),
    ("limits.header_seconds", {"0.1": 0.1, "3600": 3600}),
    ("limits.body_seconds", {"0.1": 0.1, "3600": 3600}),
    ("limits.idle_seconds", {"0.1": 0.1, "86400": 86400}),
    ("limits.connections", {"1": 1, "1000000": 1000000}),
    ("limits.connections_per_address", {"1": 1, "1000000": 1000000}),
    ("limits.outside_connections", {"1": 1, "1000000": 1000000}),
    ("limits.upstream_requests", {"1": 1, "1000000": 1000000}),
    ("limits.wrong_tokens_per_second", {"1": 1, "1000000": 1000000}),
    ("limits.strangers_percent", {"1": 1, "100": 100}),
    ("admin.listen", {"127.0.0.1:0": Address("127.0.0.1", 0)}),
    ("ui.listen", {"localhost:1": Address("localhost", 1)}),
    ("ui.keep_flows", {"1": 1, "1000000": 1000000}),
    ("ui.mask_accounts", {"true": True, "false": False}),
]

NOT_NUMBERS = ["true", '"1"', "", "[1]", "{a: 1}", "one", ".nan", "2001-01-01"]
NOT_WHOLE = [*NOT_NUMBERS, "1.0", "1.5", ".inf", "1e1"]
NOT_SECONDS = [*NOT_NUMBERS, ".inf", "-1", "-0.001", "9" * 400]
NOT_BOOLEANS = ["1", "0", "yes", "on", '"true"', "", "[true]"]
NOT_TEXTS = ["1", "1.5", "true", "", "[/a]", "{a: b}", "2001-01-01"]

REFUSED: list[tuple[str, str, list[str]]] = [
    ("listen", ADDRESS, ["8080", '"8080"', "localhost", ":8080", "127.0.0.1:65536", "http://a:1", *NOT_TEXTS]),
    ("upstream", UPSTREAM, ["127.0.0.1:9000", "http://a/", "http://a:0", "ftp://a", '""', *NOT_TEXTS]),
    ("callback.path", CALLBACK_PATH, ["callback", '""', "/a?b", '"/a#b"', "/a b", "/é", '"/a\\n"', *NOT_TEXTS]),
    ("wallet.target", TARGET, ['""', "a b", "é:1", '"w\\n"', *NOT_TEXTS]),
    ("wallet.tls.ca_file", "a path", ['""', '"a\\0b"', *NOT_TEXTS]),
    ("wallet.tls.cert_file", "a path", ['""', *NOT_TEXTS]),
    ("wallet.tls.key_file", "a path", ['""', *NOT_TEXTS]),
    ("wallet.currency_decimals", whole(0, 8), ["-1", "9", *NOT_WHOLE]),
    ("wallet.late_bets_refused", BOOLEAN, NOT_BOOLEANS),
    ("wallet.connect_wait", seconds(10), ["0", "10.001", *NOT_SECONDS]),
    ("wallet.connect_timeout", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("wallet.use_http_proxy", BOOLEAN, NOT_BOOLEANS),
    ("deadlines.bet", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.balance", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.authenticate", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.win", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.cancel", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.status", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("deadlines.margin", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("status_cache.size", whole(0, 10_000_000), ["-1", "10000001", *NOT_WHOLE]),
    ("status_cache.ok_seconds", "seconds from 0 (off) to 3600", ["3600.1", *NOT_SECONDS]),
    ("status_cache.canceled_seconds", "seconds from 0 (off) to 86400", ["86400.1", *NOT_SECONDS]),
    ("journal.path", "a path", ['""', '"a\\0b"', *NOT_TEXTS]),
    ("journal.settle_after", seconds(86400), ["0", "86400.1", *NOT_SECONDS]),
    ("journal.abandon_after", seconds(604800), ["0", "604800.1", *NOT_SECONDS]),
    ("journal.redeliver_for", seconds(7776000), ["0", "7776000.1", *NOT_SECONDS]),
    ("journal.keep_days", whole(1, 36500), ["0", "36501", *NOT_WHOLE]),
    ("journal.settle_wins", BOOLEAN, NOT_BOOLEANS),
    ("journal.settle_bets", BOOLEAN, NOT_BOOLEANS),
    ("limits.body_bytes", whole(1, 16777216), ["0", "-1", "16777217", *NOT_WHOLE]),
    ("limits.wallet_calls", whole(1, 65536), ["0", "-1", "65537", *NOT_WHOLE]),
    ("journal.recheck_after", seconds(86400), ["0", "86400.1", *NOT_SECONDS]),
    ("journal.call_seconds", seconds(60), ["0", "60.1", *NOT_SECONDS]),
    ("journal.retry_seconds", seconds(3600), ["0", "3600.1", *NOT_SECONDS]),
    ("journal.give_up_after", seconds(7776000), ["0", "7776000.1", *NOT_SECONDS]),
    ("journal.refused_retry_seconds", seconds(86400), ["0", "86400.1", *NOT_SECONDS]),
    ("journal.rollback_rounds", BOOLEAN, NOT_BOOLEANS),
    ("journal.wal_megabytes", whole(100, 1_000_000), ["99", "1000001", *NOT_WHOLE]),
    ("journal.lock_seconds", "seconds from 0 (off) to 3600", ["-1", "3600.1", *NOT_SECONDS]),
    ("limits.resolver_calls", whole(1, 65536), ["0", "65537", *NOT_WHOLE]),
    ("limits.kept_for_cancels", whole(0, 45), ["-1", "46", *NOT_WHOLE]),
    ("limits.kept_for_wins", whole(0, 45), ["-1", "46", *NOT_WHOLE]),
    ("limits.slot_wait", "seconds from 0 (off) to 60", ["60.1", *NOT_SECONDS]),
    ("limits.slot_waiting", whole(0, 1_000_000), ["-1", "1000001", *NOT_WHOLE]),
    ("breaker.failures", whole(0, 1_000_000), ["-1", "1000001", *NOT_WHOLE]),
    ("breaker.patience", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("breaker.away_after", seconds(3600), ["0", "3600.001", *NOT_SECONDS]),
    ("breaker.probe_every", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("breaker.probe_seconds", seconds(60), ["0", "60.001", *NOT_SECONDS]),
    ("breaker.renew_after", "seconds from 0 (off) to 3600", ["3600.001", *NOT_SECONDS]),
    ("limits.journal_steps", whole(1, 10000000), ["0", "10000001", *NOT_WHOLE]),
    ("limits.log_lines", whole(1, 10000000), ["0", "-1", "10000001", *NOT_WHOLE]),
    ("tracing.endpoint", UPSTREAM, ["127.0.0.1:4317", "http://a/v1/traces", *NOT_TEXTS]),
    ("tracing.sample_percent", whole(0, 100), ["-1", "101", *NOT_WHOLE]),
    ("limits.header_bytes", whole(1024, 1048576), ["1023", "1048577", *NOT_WHOLE]),
    ("limits.header_count", whole(8, 10000), ["7", "10001", *NOT_WHOLE]),
    ("limits.header_seconds", seconds(3600), ["0", "3600.1", *NOT_SECONDS]),
    ("limits.body_seconds", seconds(3600), ["0", "3600.1", *NOT_SECONDS]),
    ("limits.idle_seconds", seconds(86400), ["0", "86400.1", *NOT_SECONDS]),
    ("limits.connections", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("limits.connections_per_address", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("limits.outside_connections", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("limits.upstream_requests", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("limits.wrong_tokens_per_second", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("limits.strangers_percent", whole(1, 100), ["0", "101", *NOT_WHOLE]),
    ("admin.listen", ADDRESS, ["9901", "localhost", *NOT_TEXTS]),
    ("ui.listen", ADDRESS, ["8081", "localhost", *NOT_TEXTS]),
    ("ui.keep_flows", whole(1, 1000000), ["0", "-1", "1000001", *NOT_WHOLE]),
    ("ui.mask_accounts", BOOLEAN, NOT_BOOLEANS),
    ("record.megabytes", whole(1, 1000000), ["0", "1000001", *NOT_WHOLE]),
    ("record.hours", whole(1, 8784), ["0", "8785", *NOT_WHOLE]),
]

SECTIONS = {
    "callback": "path, token_env, token_file, token_file_seconds, allow_from, trusted_proxies, proxy_protocol",
    "wallet": "target, tls, currency_decimals, mapping, late_bets_refused, connect_wait, connect_timeout, "
    "use_http_proxy",
    "deadlines": "bet, balance, authenticate, win, cancel, status, margin",
    "status_cache": "size, ok_seconds, canceled_seconds",
    "journal": (
        "path, settle_after, abandon_after, redeliver_for, keep_days, settle_wins, settle_bets, recheck_after, "
        "call_seconds, retry_seconds, give_up_after, refused_retry_seconds, rollback_rounds, wal_megabytes, "
        "lock_seconds"
    ),
    "limits": "body_bytes, wallet_calls, resolver_calls, kept_for_cancels, kept_for_wins, slot_wait, slot_waiting, "
    "journal_steps, log_lines, "
    "header_bytes, header_count, header_seconds, body_seconds, idle_seconds, connections, connections_per_address, "
    "outside_connections, upstream_requests, wrong_tokens_per_second, strangers_percent",
    "breaker": "failures, patience, away_after, probe_every, probe_seconds, renew_after",
    "tracing": "endpoint, sample_percent",
    "admin": "listen",
    "ui": "listen, keep_flows, mask_accounts",
    "record": "folder, megabytes, hours",
}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [(key, value, expected) for key, values in TAKEN for value, expected in values.items()],
)
def test_a_key_takes_values_up_to_its_bounds(tmp_path: Path, key: str, value: str, expected: object) -> None:
    taken = attrgetter(key)(load_text(tmp_path, text_with(key, value)))

    assert taken == expected
    assert isinstance(taken, bool) is isinstance(expected, bool)


@pytest.mark.parametrize(
    "key", ["callback.token_file", "journal.path", "record.folder", "wallet.tls.ca_file", "wallet.tls.cert_file"]
)
@pytest.mark.parametrize(
    ("value", "expected"),
    [("file", "file"), ("a/b", "a/b"), ("../b", "../b"), ("'@'", "@"), ("/srv/file", "/srv/file")],
)
def test_a_path_is_relative_to_the_files_folder(tmp_path: Path, key: str, value: str, expected: str) -> None:
    assert attrgetter(key)(load_text(tmp_path, text_with(key, value))) == tmp_path / expected


@pytest.mark.parametrize(
    ("key", "accepted", "value"), [(key, accepted, value) for key, accepted, values in REFUSED for value in values]
)
def test_a_key_refuses_any_other_value(tmp_path: Path, key: str, accepted: str, value: str) -> None:
    (mistake,) = mistakes_in(tmp_path, text_with(key, value))

    assert mistake.startswith(f"{line_of(key)}: {key}: expected {accepted}, got ")


@pytest.mark.parametrize(
    ("value", "mistakes"),
    [
        ("10.0.0.0/8", [f'callback.allow_from: expected a list, each item {NETWORK}, got "10.0.0.0/8"']),
        ("", [f"callback.allow_from: expected a list, each item {NETWORK}, got nothing"]),
        ("{a: b}", [f"callback.allow_from: expected a list, each item {NETWORK}, got keys and values"]),
        (
            "[10.0.0.1/8, 10.0.0.0/8, 1, '::/129', ]",
            [
                f'callback.allow_from[0]: expected {NETWORK}, got "10.0.0.1/8"',
                f"callback.allow_from[2]: expected {NETWORK}, got 1",
                f'callback.allow_from[3]: expected {NETWORK}, got "::/129"',
            ],
        ),
        ("[localhost]", [f'callback.allow_from[0]: expected {NETWORK}, got "localhost"']),
        ("[[]]", [f"callback.allow_from[0]: expected {NETWORK}, got a list"]),
    ],
)
def test_each_network_is_checked(tmp_path: Path, value: str, mistakes: list[str]) -> None:
    assert mistakes_in(tmp_path, text_with("callback.allow_from", value)) == [f"2: {mistake}" for mistake in mistakes]


@pytest.mark.parametrize("value", ["1A", "A-B", '""', '"A\\n"', "é", *NOT_TEXTS])
def test_token_env_takes_the_name_of_a_variable(tmp_path: Path, value: str) -> None:
    assert mistakes_in(tmp_path, text_with("callback.token_env", value)) == [
        "2: callback.token_env: expected the name of an environment variable, got something else, which is not shown"
    ]


@pytest.mark.parametrize("value", ['""', '"a\\0b"', *NOT_TEXTS])
def test_token_file_takes_a_path(tmp_path: Path, value: str) -> None:
    assert mistakes_in(tmp_path, text_with("callback.token_file", value)) == [
        "2: callback.token_file: expected a path, got something else, which is not shown"
    ]


@pytest.mark.parametrize(("section", "keys"), SECTIONS.items())
@pytest.mark.parametrize(
    ("value", "found"),
    [("", "nothing"), ("true", "a plain value"), ("swordfish", "a plain value"), ("[a]", "a list")],
)
def test_a_section_holds_keys_and_values(tmp_path: Path, section: str, keys: str, value: str, found: str) -> None:
    text = f"{section}: {value}\n" + ("" if section == "wallet" else "wallet: {target: w}\n")

    assert mistakes_in(tmp_path, text) == [f"1: {section}: expected keys and values ({keys}), got {found}"]


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    empty_sections = "".join(
        f"{section}: {{}}\n" for section in SECTIONS.keys() - {"wallet", "tracing", "admin", "record"}
    )
    settings = load_text(tmp_path, "wallet: {target: w}")

    assert settings.journal.path == tmp_path / "walletbridge.db"
    assert settings.admin is None
    assert settings.wallet == Wallet(target="w")
    assert settings == load_text(tmp_path, "wallet: {target: w}\n" + empty_sections)


def test_an_admin_section_without_keys_opens_the_endpoint_at_its_default(tmp_path: Path) -> None:
    admin = load_text(tmp_path, "wallet: {target: w}\nadmin: {}").admin

    assert admin is not None
    assert str(admin.listen) == "127.0.0.1:9901"


def test_the_token_comes_from_the_default_variable_unless_a_source_is_named() -> None:
    assert Callback().token_env == "WALLETBRIDGE_CALLBACK_TOKEN"  # noqa: S105 - a name
    assert Callback(token_env="OTHER").token_env == "OTHER"  # noqa: S105, S106 - names
    assert Callback(token_file=Path("token")).token_env is None


def test_settings_cannot_be_changed() -> None:
    settings = Settings(wallet=Wallet(target="w"))

    with pytest.raises(AttributeError):
        settings.status_cache.size = 0  # type: ignore[misc]

    assert settings.status_cache == StatusCache()

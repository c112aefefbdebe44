"""The settings file: what a good one gives, and how a bad one is told, in whole and with its lines."""

import traceback
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from tests.unit.settings.files import NAME, error_of, load_text, mistakes_in

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import (
    Address,
    Admin,
    Callback,
    Deadlines,
    Journal,
    Limits,
    Settings,
    StatusCache,
    Tls,
    Ui,
    Upstream,
    Wallet,
    load,
)

WHOLE_FILE = """\
# relative paths are relative to this file
listen: 127.0.0.1:8080            # `serve`, `web`, `tui`
upstream: http://127.0.0.1:9000   # optional: where other paths go
callback:
  path: /callback
  token_env: WALLETBRIDGE_CALLBACK_TOKEN     # or token_file
  allow_from: [192.0.2.0/24]
wallet:
  target: 127.0.0.1:50051         # a gRPC target
  tls: {ca_file: tls/ca.pem, cert_file: tls/gateway.pem, key_file: /run/secrets/gateway-key.pem}
  currency_decimals: 2
  late_bets_refused: true
deadlines: {bet: 2.0, balance: 2.0, authenticate: 4.0, win: 4.0, cancel: 4.0, status: 4.0, margin: 0.25}
status_cache: {size: 100000, ok_seconds: 5, canceled_seconds: 3600}
journal: {path: walletbridge.db, settle_after: 10, abandon_after: 60, redeliver_for: 86400, keep_days: 30}
limits: {body_bytes: 65536, wallet_calls: 256}
admin: {listen: 127.0.0.1:9901}
ui: {listen: 127.0.0.1:8081, keep_flows: 10000, mask_accounts: false}
"""

MISTAKEN_FILE = """\
listen: 8080
upstrem: http://127.0.0.1:9000
callback:
  path: callback
  tokenenv: NAME
wallet:
  tls: {ca_file: 1}
  currency_decimals: true

deadlines:
  win: 0.2
  bet: 2
  bet: 3
journal: [walletbridge.db]
limits:
  body_bytes: 64k
"""

MISTAKES = """\
1: listen: expected HOST:PORT, such as 127.0.0.1:8080, got 8080
2: upstrem: unknown key; did you mean upstream?
4: callback.path: expected a path that begins with "/", without "?", "#", blanks or letters beyond ASCII, got "callback"
5: callback.tokenenv: unknown key; did you mean callback.token_env?
6: wallet.target: is missing; expected a gRPC target, such as 127.0.0.1:50051 or dns:///wallet:50051
7: wallet.tls.ca_file: expected a path, got 1
8: wallet.currency_decimals: expected a whole number from 0 to 8, got true
11: deadlines.win: expected more than deadlines.margin, which is 0.25, got 0.2
13: deadlines.bet: stands twice, first in line 12
14: journal: expected keys and values (path, settle_after, abandon_after, redeliver_for, keep_days, settle_wins, \
settle_bets, recheck_after, call_seconds, retry_seconds, give_up_after, \
refused_retry_seconds, rollback_rounds, wal_megabytes, lock_seconds), got a list
16: limits.body_bytes: expected a whole number from 1 to 16777216, got "64k"
"""

SECTIONS = (
    "listen, upstream, tls, http2, callback, wallet, deadlines, status_cache, journal, limits, breaker, tracing, "
    "admin, serve, log, ui, record"
)


def test_a_whole_file(tmp_path: Path) -> None:
    assert load_text(tmp_path, WHOLE_FILE) == Settings(
        listen=Address("127.0.0.1", 8080),
        upstream=Upstream("http://127.0.0.1:9000"),
        callback=Callback(
            path="/callback",
            token_env="WALLETBRIDGE_CALLBACK_TOKEN",  # noqa: S106 - a name
            token_file=None,
            allow_from=(IPv4Network("192.0.2.0/24"),),
        ),
        wallet=Wallet(
            target="127.0.0.1:50051",
            tls=Tls(
                ca_file=tmp_path / "tls/ca.pem",
                cert_file=tmp_path / "tls/gateway.pem",
                key_file=Path("/run/secrets/gateway-key.pem"),
            ),
            currency_decimals=2,
            late_bets_refused=True,
            connect_wait=0.03,
            connect_timeout=0.5,
        ),
        deadlines=Deadlines(bet=2, balance=2, authenticate=4, win=4, cancel=4, status=4, margin=0.25),
        status_cache=StatusCache(size=100000, ok_seconds=5, canceled_seconds=3600),
        journal=Journal(
            path=tmp_path / "walletbridge.db",
            settle_after=10,
            abandon_after=60,
            redeliver_for=86400,
            keep_days=30,
            settle_wins=True,
            settle_bets=True,
        ),
        limits=Limits(body_bytes=65536, wallet_calls=256, log_lines=10000),
        admin=Admin(listen=Address("127.0.0.1", 9901)),
        ui=Ui(listen=Address("127.0.0.1", 8081), keep_flows=10000, mask_accounts=False),
    )


def test_every_mistake_is_told_with_its_file_line_and_key(tmp_path: Path) -> None:
    assert mistakes_in(tmp_path, MISTAKEN_FILE) == MISTAKES.splitlines()


def test_a_file_that_is_named_relatively_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    load_text(tmp_path / "config", "wallet: {target: w}")
    monkeypatch.chdir(tmp_path)

    assert load(Path("config") / NAME).journal.path == tmp_path / "config/walletbridge.db"


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}", "\ufeff"])
def test_an_empty_file_lacks_the_wallet(tmp_path: Path, text: str) -> None:
    (mistake,) = mistakes_in(tmp_path, text)

    assert mistake == (
        "1: wallet.target: is missing; expected a gRPC target, such as 127.0.0.1:50051 or dns:///wallet:50051"
    )


@pytest.mark.parametrize(
    ("text", "found"), [("- a", "a list"), ("listen", "a plain value"), ("~", "nothing"), ("---", "nothing")]
)
def test_a_file_holds_keys_and_values(tmp_path: Path, text: str, found: str) -> None:
    assert mistakes_in(tmp_path, text) == [f"1: expected keys and values ({SECTIONS}), got {found}"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert load_text(tmp_path, "\ufeffwallet: {target: w}").wallet == Wallet(target="w")


def test_anchors_count_as_what_they_stand_for(tmp_path: Path) -> None:
    text = "wallet: {target: w}\ndeadlines: {bet: &long 3.5, balance: *long}"

    assert load_text(tmp_path, text).deadlines == Deadlines(bet=3.5, balance=3.5)


def test_a_key_that_stands_twice_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    text = "wallet: {target: a}\nui:\n  listen: a:1\n  listen: a:1\nwallet: {target: b}\nwallet: {target: b}\n"

    assert mistakes_in(tmp_path, text) == [
        "4: ui.listen: stands twice, first in line 3",
        "5: wallet: stands twice, first in line 1",
        "6: wallet: stands twice, first in line 1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "callback: {token: swordfish}",
        "callback: {token: [swordfish, swordfish]}",
        "callback: {token: swordfish, token: swordfish}",
        "callback: {token_env: swordfish, token_env: swordfish}",
        "callback: {token_env: swordfish-1}",
        "callback: {token_env: [swordfish]}",
        "callback: {token_file: [swordfish]}",
        "callback: {token_file: !mine swordfish}",
        "callback: {token_env: A, token_file: swordfish}",
        "callback: swordfish",
        "callback: [swordfish]",
        "callback: {api_key: swordfish}",
        "password: swordfish",
        "upstream: http://user:swordfish@127.0.0.1:9000",
        "callback: {token: *swordfish}",
        "callback: {token: !swordfish!a b}",
        "callback: {token: 'swordfish}",
        "callback: {token: swordfish: swordfish}",
        "callback: {token: swordfish\x01}",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, text: str) -> None:
    error = error_of(tmp_path, f"wallet: {{target: w}}\n{text}\n")

    assert "swordfish" not in "".join([str(error), repr(error), *traceback.format_exception(error)])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / NAME

    with pytest.raises(SettingsError) as of_missing:
        load(missing)
    with pytest.raises(SettingsError) as of_folder:
        load(tmp_path)

    assert str(of_missing.value) == f"{missing}: cannot be read: No such file or directory"
    assert str(of_folder.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(b"wallet: \xff")

    with pytest.raises(SettingsError) as caught:
        load(file)

    assert str(caught.value) == f"{file}: not UTF-8 at byte 8"

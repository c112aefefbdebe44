"""What must hold between several settings."""

from pathlib import Path

import pytest
from tests.unit.settings.files import load_text, mistakes_in

WALLET = "wallet: {target: w}\n"
ABANDONED_TOO_EARLY = "journal.abandon_after: expected more than journal.settle_after and the longest deadline together"


@pytest.mark.parametrize(
    "text",
    [
        WALLET + "deadlines: {bet: 1, margin: 0.99}",
        WALLET + "journal: {abandon_after: 14.01}",
        WALLET + "journal: {settle_after: 55.9}",
        WALLET + "deadlines: {bet: 49.9}",
        "wallet: {target: w, tls: {ca_file: ca.pem}}",
        "wallet: {target: w, tls: {cert_file: c.pem, key_file: k.pem}}",
        "wallet: {target: w, tls: {}}",
    ],
)
def test_settings_that_just_fit_are_taken(tmp_path: Path, text: str) -> None:
    assert load_text(tmp_path, text).wallet.target == "w"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        # A deadline must leave something besides the margin.
        (
            WALLET + "deadlines:\n  margin: 0.5\n  bet: 0.5\n",
            ["4: deadlines.bet: expected more than deadlines.margin, which is 0.5, got 0.5"],
        ),
        (
            WALLET + "deadlines:\n  margin: 2\n",
            [
                "2: deadlines.balance: expected more than deadlines.margin, which is 2, got 2",
                "2: deadlines.bet: expected more than deadlines.margin, which is 2, got 2",
            ],
        ),
        # A bet must be settled before it can be abandoned.
        (
            WALLET + "journal:\n  abandon_after: 14\n",
            [f"3: {ABANDONED_TOO_EARLY}, which are 14, got 14"],
        ),
        (
            WALLET + "journal:\n  settle_after: 56\n",
            [f"2: {ABANDONED_TOO_EARLY}, which are 60, got 60"],
        ),
        (
            WALLET + "\n\ndeadlines: {status: 50}\n",
            [f"1: {ABANDONED_TOO_EARLY}, which are 60, got 60"],
        ),
        # A client's certificate and its key go together.
        (
            "wallet:\n  target: w\n  tls:\n    cert_file: c.pem\n",
            ["4: wallet.tls.cert_file: expected wallet.tls.key_file as well: the two go together"],
        ),
        (
            "wallet:\n  target: w\n  tls:\n    key_file: k.pem\n",
            ["4: wallet.tls.key_file: expected wallet.tls.cert_file as well: the two go together"],
        ),
        (
            WALLET + "tls:\n  cert_file: c.pem\n  key_file: k.pem\n  client_names: [provider.example]\n",
            ["5: tls.client_names: expected tls.client_ca_file as well: it says who may vouch for these names"],
        ),
        (
            WALLET + "tls:\n  cert_file: c.pem\n  key_file: k.pem\n  client_ca_file: a.pem\n  client_names: ['']\n",
            ['6: tls.client_names[0]: expected a name in a certificate: of a host, a mail address or a URI, got ""'],
        ),
        (
            WALLET + "callback:\n  proxy_protocol: true\n",
            [
                (
                    "3: callback.proxy_protocol: expected callback.trusted_proxies as well: only they may say whose "
                    "connection it is"
                )
            ],
        ),
        # Tokens have one source.
        (
            WALLET + "callback:\n  token_env: TOKEN\n  token_file: token\n",
            ["4: callback.token_file: expected either token_env or token_file, got both"],
        ),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(tmp_path: Path, text: str, mistakes: list[str]) -> None:
    assert mistakes_in(tmp_path, text) == mistakes


@pytest.mark.parametrize(
    ("text", "mistaken"),
    [
        (WALLET + "deadlines: {margin: x, bet: 0.1}", ["deadlines.margin"]),
        (WALLET + "deadlines: {margin: 3, bet: x, balance: 4}", ["deadlines.bet"]),
        (WALLET + "deadlines: 3\njournal: {abandon_after: 12}", ["deadlines"]),
        (WALLET + "deadlines: {win: x}\njournal: {abandon_after: 12}", ["deadlines.win"]),
        ("wallet: {target: w, tls: {cert_file: c.pem, key_file: 1}}", ["wallet.tls.key_file"]),
        (WALLET + "callback: {token_env: '1', token_file: t}", ["callback.token_env"]),
    ],
)
def test_a_mistaken_key_breaks_no_rule_besides(tmp_path: Path, text: str, mistaken: list[str]) -> None:
    assert [mistake.split(": ")[1] for mistake in mistakes_in(tmp_path, text)] == mistaken


def test_rules_are_tested_beside_mistakes_elsewhere(tmp_path: Path) -> None:
    text = "wallet: {}\ndeadlines: {balance: x, bet: 0.2}"

    assert mistakes_in(tmp_path, text) == [
        "1: wallet.target: is missing; expected a gRPC target, such as 127.0.0.1:50051 or dns:///wallet:50051",
        '2: deadlines.balance: expected seconds above 0, at most 60, got "x"',
        "2: deadlines.bet: expected more than deadlines.margin, which is 0.25, got 0.2",
    ]


def test_http2_needs_tls(tmp_path: Path) -> None:
    assert mistakes_in(tmp_path, WALLET + "http2: {streams: 5}") == [
        "2: http2: expected tls as well: clients choose HTTP/2 while they set up TLS"
    ]
    tls = "tls: {cert_file: c.pem, key_file: k.pem}\n"
    http2 = load_text(tmp_path, WALLET + tls + "http2: {streams: 5}").http2
    assert http2 is not None
    assert (http2.streams, http2.resets_per_second, http2.idle_frames_per_second) == (5, 20, 200)

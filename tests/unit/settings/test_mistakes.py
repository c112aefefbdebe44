"""How mistakes are told: unknown keys with the right one, secrets with where they belong."""

from pathlib import Path

import pytest
from tests.unit.settings.files import mistakes_in

from walletbridge.settings.mistakes import Mistake

SECTIONS = (
    "listen, upstream, tls, http2, callback, wallet, deadlines, status_cache, journal, limits, breaker, tracing, "
    "admin, serve, log, ui, record"
)


def test_mistakes_stand_in_the_order_of_the_file() -> None:
    mistakes = [Mistake(10, "ui", "b"), Mistake(9, "wallet", "c"), Mistake(1, "", "a")]

    assert [str(mistake) for mistake in sorted(mistakes)] == ["1: a", "9: wallet: c", "10: ui: b"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "journal: {tries: 5}",
            "journal.tries: replaced by journal.give_up_after, which counts seconds and not tries",
        ),
        ("callbak: {}", "callbak: unknown key; did you mean callback?"),
        ("Wallet: {}", "Wallet: unknown key; did you mean wallet?"),
        ("deadlines.bet: 2", '"deadlines.bet": unknown key; did you mean deadlines?'),
        ("ui: {keep-flows: 1}", 'ui."keep-flows": unknown key; did you mean ui.keep_flows?'),
        ("ui: {8081: 1}", 'ui."8081": unknown key; expected one of listen, keep_flows, mask_accounts'),
        ("upstream_url: 1", "upstream_url: unknown key; did you mean upstream?"),
        ("zebra: 1", f"zebra: unknown key; expected one of {SECTIONS}"),
        # A right key in the wrong place.
        ("wallet_calls: 1", "wallet_calls: unknown key; did you mean limits.wallet_calls?"),
        ("limits: {path: a}", "limits.path: unknown key; did you mean callback.path or journal.path?"),
        ("callback: {listen: a:1}", "callback.listen: unknown key; did you mean listen or admin.listen or ui.listen?"),
        ("? [a]\n: 1", f'"?": unknown key; expected one of {SECTIONS}'),
        ("<<: {listen: 'a:1'}", f'"<<": unknown key; expected one of {SECTIONS}'),
        ('"\\e[31m": 1', f'"\\u001b[31m": unknown key; expected one of {SECTIONS}'),
        (f"{'x' * 41}: 1", f'"{"x" * 40}": unknown key; expected one of {SECTIONS}'),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_right_one_named(tmp_path: Path, text: str, mistake: str) -> None:
    assert mistakes_in(tmp_path, f"wallet: {{target: w}}\n{text}\n")[0] == f"2: {mistake}"


@pytest.mark.parametrize("key", ["token", "tokens", "secret", "password"])
def test_a_secret_in_the_file_is_refused_with_a_hint(tmp_path: Path, key: str) -> None:
    text = f"wallet: {{target: w}}\ncallback:\n  {key}: swordfish\n"

    (mistake,) = mistakes_in(tmp_path, text)

    assert mistake == (
        f"3: callback.{key}: secrets do not stand in this file: name an environment variable in callback.token_env, "
        "or a file in callback.token_file"
    )

"""The command: its options, its exit codes, and that it keeps the token to itself."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from tests.unit.simulator.wrong_handlers import TOKEN, Handler, Html, RefundsTwice, TwoLs, WritesNull, serving_in_thread

from walletbridge.simulator.command import simulate


def invoke(*arguments: str, token: str | None = TOKEN) -> Result:
    return CliRunner().invoke(simulate, ["--token-env", "SIMULATED_TOKEN", *arguments], env={"SIMULATED_TOKEN": token})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    handler = Handler({"test1234": 500000, "second": 9050, "gone": 0}, inactive={"gone"})
    with serving_in_thread(handler) as found:
        yield found


def test_0_for_a_correct_server(url: str) -> None:
    result = invoke("--url", url)

    assert result.exit_code == 0
    assert "CONFORMING: no violation." in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("handler", [RefundsTwice, Html])
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_1_for_a_wrong_one(handler: type[Handler], as_json: list[str]) -> None:
    with serving_in_thread(handler()) as wrong:
        result = invoke("--url", wrong, *as_json)

    assert result.exit_code == 1
    assert TOKEN not in result.output
    # For people a request is shown without its headers.
    assert "***" in result.output or not as_json


def test_json_is_one_document(url: str) -> None:
    result = invoke("--url", url, "--json", "--seed", "7", "--decimals", "2", "--retries", "50")

    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (document["conforming"], document["seed"], document["decimals"]) == (True, 7, 2)


def test_accounts(url: str) -> None:
    accounts = ["--account", "test1234", "--account", "second", "--account", "second"]
    result = invoke("--url", url, "--json", *accounts, "--inactive-account", "gone")

    document = json.loads(result.stdout)
    assert document["accounts"] == ["test1234", "second"]
    assert "inactive account" in [case["case"] for case in document["cases"]]


def test_a_duration_is_played_out(url: str) -> None:
    result = invoke("--url", url, "--json", "--duration", "1", "--time-scale", "2", "--insecure")

    document = json.loads(result.stdout)
    assert (document["conforming"], document["time_scale"]) == (True, 2)
    assert document["seconds"] >= 0.6


@pytest.mark.parametrize("token", [None, "", "  "])
def test_2_without_a_token(token: str | None) -> None:
    result = invoke("--url", "http://127.0.0.1:9/callback", token=token)

    assert result.exit_code == 2
    assert result.stderr == (
        "Could not run: --token-env: the environment variable SIMULATED_TOKEN is not set, or empty.\n"
    )


@pytest.mark.parametrize("token", ["one\ntwo", "ümlaut"])
def test_2_for_a_token_that_cannot_be_sent(token: str) -> None:
    result = invoke("--url", "http://127.0.0.1:9/callback", token=token)

    assert result.exit_code == 2
    assert "no HTTP header can carry" in result.stderr
    assert token not in result.output


@pytest.mark.parametrize("address", ["127.0.0.1/callback", "ftp://host/", "http:///callback", "http://host:99999/"])
def test_2_for_a_url_that_is_none(address: str) -> None:
    result = invoke("--url", address)

    assert result.exit_code == 2
    assert "--url takes a callback URL" in result.stderr


def test_2_where_nobody_is(url: str) -> None:
    with serving_in_thread(Handler()) as gone:
        pass
    result = invoke("--url", gone, "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["could_not_run"].startswith("No answer to `balance`: no connection: ")
    assert invoke("--url", url, "--account", "nobody").exit_code == 2
    assert "does not know the account" in invoke("--url", url, "--account", "nobody").stderr


def test_2_for_a_wrong_token(url: str) -> None:
    result = invoke("--url", url, token=TOKEN[:-1])

    assert result.exit_code == 2
    assert "The callback token was refused" in result.stderr
    assert TOKEN[:-1] not in result.output


def test_it_starts_without_what_it_does_not_need() -> None:
    """The other commands of the group do not wait for aiohttp and rich."""
    code = "import sys, walletbridge.simulator.command; print('aiohttp' in sys.modules, 'rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False False\n"


class ThreeMistakes(RefundsTwice, TwoLs, WritesNull):
    """Three mistakes in one handler."""


@pytest.mark.parametrize(("words", "lines_max"), [([], 120), (["--all"], 1500)])
def test_three_mistakes_make_a_report_that_can_be_read(words: list[str], lines_max: int) -> None:
    with serving_in_thread(ThreeMistakes()) as wrong:
        document = json.loads(invoke("--url", wrong, "--json").stdout)
        result = invoke("--url", wrong, *words)

    rules = {rule["rule"] for rule in document["broken_rules"]}
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].startswith("Broken rules")
    assert {"cancel_twice", "one_l", "no_null"} <= rules
    assert len(lines) <= lines_max, len(lines)
    assert (result.stdout.count("\n  --data-raw '") > 0) is not bool(words)
    assert TOKEN not in result.output

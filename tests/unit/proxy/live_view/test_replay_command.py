"""`walletbridge replay`: what it prints, and its exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mitmproxy import io
from mitmproxy.flow import Flow
from mitmproxy.test import tflow
from msgspec.structs import replace
from tests.unit.proxy.live_view.records import bet_record
from tests.unit.proxy.live_view.test_dry_run import saved

from walletbridge.cli import main


def run(folder: Path, *flows: Flow, options: tuple[str, ...] = (), **wallet: object) -> Result:
    """Saves the flows and takes them through settings with this wallet."""
    file, config = folder / "flows", folder / "new.yaml"
    with file.open("wb") as target:
        writer = io.FlowWriter(target)  # type: ignore[no-untyped-call]
        for flow in flows:
            writer.add(flow)
    config.write_text(json.dumps({"wallet": {"target": "127.0.0.1:1", **wallet}}))
    return CliRunner().invoke(main, ["replay", str(file), "--config", str(config), *options])


def test_equal_answers_are_a_success(tmp_path: Path) -> None:
    result = run(tmp_path, saved(bet_record()), tflow.ttcpflow())

    assert (result.exit_code, result.output) == (
        0,
        "1 callbacks: 0 answered differently, 0 asked differently\npassed over: 1: no callback\n",
    )
    # Nothing was opened that remembers anything.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flows", "new.yaml"]


def test_a_difference_is_shown(tmp_path: Path) -> None:
    result = run(tmp_path, saved(bet_record()), currency_decimals=0)

    assert result.exit_code == 1
    for line in (
        "bet test1234 1000 #1676358190 -> 0 balance 4000 | PlaceBet 3 ms of 1750",
        '  - 200 {"result":0,"status":"OK","data":{"balance":4000}}',
        '  + 200 {"result":0,"status":"OK","data":{"balance":400000}}',
        "  - to the wallet: amount: 100000",
        "  + to the wallet: amount: 1000",
        "1 callbacks: 1 answered differently, 1 asked differently",
    ):
        assert line in result.output.splitlines()


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 1)])
def test_a_request_that_differs_is_a_failure_where_that_is_asked_for(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    record = bet_record()
    then = replace(record.calls[0], request=record.calls[0].request.replace("amount: 100000", "amount: 1"))
    record.calls = (then,)
    result = run(tmp_path, saved(record), options=options)

    assert result.output.endswith("1 callbacks: 0 answered differently, 1 asked differently\n")
    assert result.exit_code == code


@pytest.mark.parametrize("content", [b"", b"no flows"])
def test_nothing_to_compare_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "flows").write_bytes(content)
    (tmp_path / "new.yaml").write_text("wallet: {target: '127.0.0.1:1'}\n")
    command = ["replay", str(tmp_path / "flows"), "--config", str(tmp_path / "new.yaml")]

    assert CliRunner().invoke(main, command).exit_code == 2


def test_wrong_settings_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, saved(bet_record()), targets="x")

    assert result.exit_code == 2
    assert "targets" in result.output

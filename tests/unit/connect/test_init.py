"""`walletbridge init`."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.http_proxy import counting_proxy
from tests.support.mappings import BANK, bind, compile_text, mistakes_in
from tests.support.reflecting import reflecting
from tests.support.scripted_wallet import HOST

from walletbridge.cli import main
from walletbridge.connect.init import draft
from walletbridge.protocol.errors import SettingsError


def test_a_proto_is_drafted_and_its_folder_is_the_include_root(tmp_path: Path) -> None:
    (tmp_path / "common.proto").write_text('syntax = "proto3"; package common; message Nothing {}')
    (tmp_path / "bank.proto").write_text(BANK.replace("package bank;", 'package bank;\nimport "common.proto";'))
    result = CliRunner().invoke(main, ["init", "--proto", str(tmp_path / "bank.proto")])
    (tmp_path / "mapping.yaml").write_text(result.output)

    assert result.exit_code == 0
    assert mistakes_in(tmp_path / "mapping.yaml") == []
    assert bind(tmp_path / "mapping.yaml").bindings["bet"].method.name == "bank.Wallet/Debit"


async def test_a_running_wallet_is_drafted(tmp_path: Path) -> None:
    async with reflecting(compile_text(BANK), "bank.Wallet") as port:
        target = f"{HOST}:{port}"
        (tmp_path / "mapping.yaml").write_text(await asyncio.to_thread(draft, target=target, proto=None))
        bound = await asyncio.to_thread(bind, tmp_path / "mapping.yaml", target=target)

    assert bound.bindings["win"].method.name == "bank.Wallet/Credit"


async def test_a_proxy_in_the_environment_is_not_asked_for_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting_proxy(monkeypatch) as requests, reflecting(compile_text(BANK), "bank.Wallet") as port:
        assert "bank.Wallet" in await asyncio.to_thread(draft, target=f"{HOST}:{port}", proto=None)

    assert requests == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('syntax = "proto3"; message M {}', "found no service with a method"),
        ('syntax = "proto3"; service S {}', "found no service with a method"),
        ("message {", "1:9"),
    ],
)
def test_what_tells_of_no_service_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bank.proto").write_text(text)

    with pytest.raises(SettingsError, match=problem):
        draft(target=None, proto=tmp_path / "bank.proto")
    result = CliRunner().invoke(main, ["init", "--proto", str(tmp_path / "bank.proto")])
    assert result.exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["--target", "a:1", "--proto", __file__]])
def test_there_is_one_source(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["init", *arguments])

    assert result.exit_code == 2
    assert "expected either --target or --proto" in result.output

"""The wheel, installed into an environment of its own: what the README names works without a clone. Needs a network."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.support.callbacks import make_callback
from tests.support.processes import ROOT, environment, post, running, running_wallet, write_settings

pytestmark = pytest.mark.timeout(600)
PLAYER = "test1234"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    built, home = folder / "dist", folder / "venv"
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", built, ROOT], check=True)  # noqa: S607 - as the README
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, home], check=True)  # noqa: S607 - see above
    wheel = next(built.glob("*.whl"))
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", home, wheel], check=True)  # noqa: S607 - see above
    return home / "bin"


def said(command: list[str | Path], folder: Path) -> str:
    return subprocess.run(
        command, cwd=folder, env=environment(folder), check=True, capture_output=True, text=True
    ).stdout


def test_settings_and_examples_come_with_it(installed: Path, tmp_path: Path) -> None:
    program = installed / "walletbridge"

    assert said([program, "settings"], tmp_path) == (ROOT / "config" / "walletbridge.yaml").read_text()
    assert "config/guides/mapping.md" in said([program, "examples"], tmp_path).splitlines()
    said([program, "examples", "mine"], tmp_path)
    assert (tmp_path / "mine" / "config" / "examples" / "debit-credit" / "mapping.yaml").is_file()
    for name in ("protocol/PROTOCOL.md", "rules/RULES.md"):
        assert (tmp_path / "mine" / "addon" / "walletbridge" / name).is_file()
    assert (tmp_path / "mine" / "protos" / "wallet" / "v1" / "wallet_service.proto").is_file()


async def test_mitmproxy_loads_the_addon_of_the_installed_package(installed: Path, tmp_path: Path) -> None:
    addon = said([installed / "walletbridge", "addon"], tmp_path).strip()
    assert Path(addon).is_relative_to(installed.parent)
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        listen = ["--mode", "reverse:http://127.0.0.1:9", "--listen-host", "127.0.0.1", "--listen-port", "0"]
        command = [str(installed / "mitmdump"), *listen, "-s", addon, "--set", f"walletbridge_config={config}"]
        async with running(command, tmp_path) as gateway, aiohttp.ClientSession() as client:
            assert (await post(client, gateway.url, make_callback("bet", account=PLAYER)))[0] == 200
            assert await gateway.stop() == 0

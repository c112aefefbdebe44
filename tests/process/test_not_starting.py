"""A gateway that cannot work does not start: it says what is wrong, in one sentence and without a secret."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import TOKEN, Way, arguments, at_once, end_of

OTHER_SCRIPT = Path(__file__).with_name("other_script.py")
TARGET = "wallet: {target: '127.0.0.1:1'}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What keeps the gateway from starting, and what has to be said of it."""

    said: str
    settings: str | None = f"listen: 127.0.0.1:0\n{TARGET}\n"
    token: str | None = TOKEN
    options: tuple[str, ...] = ()
    way: Way = Way.MITMDUMP


MISTAKES = {
    "no settings": Mistake("--set walletbridge_config=FILE", settings=None),
    # In these two mitmproxy by itself would run on without the addon, and send every callback upstream.
    "settings given twice": Mistake(
        "walletbridge: not loaded: an option was given twice",
        options=("--set", "walletbridge_config=/nowhere/walletbridge.yaml"),
    ),
    "a wrong option of another script": Mistake(
        "walletbridge: not loaded: an option was given twice or with a wrong value",
        options=("-s", str(OTHER_SCRIPT), "--set", "other_number=many"),
    ),
    "settings that are not there": Mistake(
        "walletbridge: /nowhere/walletbridge.yaml: cannot be read: No such file or directory",
        settings=None,
        options=("--set", "walletbridge_config=/nowhere/walletbridge.yaml"),
    ),
    "settings that are no YAML": Mistake("walletbridge.yaml:2:1: not YAML", settings="listen: [\n", way=Way.SERVE),
    "an unknown key": Mistake("walletbridge.yaml:2: walet: ", settings=f"{TARGET}\nwalet: 1\n", way=Way.SERVE),
    "the token itself in the settings": Mistake(
        "walletbridge.yaml:2: callback.token_env: ",
        settings=f"{TARGET}\ncallback: {{token_env: {TOKEN}}}\n",
        way=Way.SERVE,
    ),
    "no token": Mistake("the environment variable WALLETBRIDGE_CALLBACK_TOKEN is not set", token=None),
    "no token to serve": Mistake(
        "the environment variable WALLETBRIDGE_CALLBACK_TOKEN is not set", token=None, way=Way.SERVE
    ),
    "a token with a blank": Mistake("token 2 of 2 (not shown) holds a blank", token=f"first,{TOKEN} {TOKEN}"),
    "a certificate that is not there": Mistake(
        "wallet.tls.ca_file: cannot read /nowhere/ca.pem: No such file or directory",
        settings="wallet: {target: '127.0.0.1:1', tls: {ca_file: /nowhere/ca.pem}}\nlisten: 127.0.0.1:0\n",
        way=Way.SERVE,
    ),
}


async def start(name: str, folder: Path) -> tuple[int, str]:
    """Tries to start; the exit code and all that was printed."""
    mistake = MISTAKES[name]
    home = folder / name
    home.mkdir()
    config = None
    if mistake.settings is not None:
        config = home / "walletbridge.yaml"
        config.write_text(mistake.settings)
    return await end_of(arguments(mistake.way, config, options=mistake.options), home, token=mistake.token)


async def test_a_mistake_is_told_and_ends_the_start(tmp_path: Path) -> None:
    """All of them, a few at a time."""
    few = asyncio.Semaphore(3)

    async def try_to_start(name: str) -> None:
        async with few:
            code, output = await start(name, tmp_path)
        assert code == 1, f"{name}: {output}"
        assert MISTAKES[name].said in output
        assert "Traceback" not in output
        assert TOKEN not in output

    await at_once(try_to_start(name) for name in MISTAKES)


async def test_a_port_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "walletbridge.yaml"
        config.write_text(f"listen: 127.0.0.1:{port}\n{TARGET}\n")

        code, output = await end_of(arguments(Way.SERVE, config), tmp_path)

    assert code == 1
    assert f"listen: cannot listen on 127.0.0.1:{port}" in output
    assert TOKEN not in output


async def test_an_addon_whose_packages_are_missing_says_which(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['msgspec'] = None\n")
    code, output = await end_of(arguments(Way.MITMDUMP, None), tmp_path, PYTHONPATH=str(tmp_path))

    assert code == 1
    assert "the package msgspec is missing; install walletbridge" in output
    assert "Traceback" not in output

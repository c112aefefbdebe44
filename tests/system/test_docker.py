"""
The Dockerfile, as far as it goes without Docker: what it copies is there, what it runs works in a folder of its own,
and what the image would start starts. Needs a network for pip.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from tests.support.callbacks import make_callback
from tests.support.processes import ROOT, end_of, post, running, running_wallet, write_settings

from walletbridge.serve.launch import free_port

DOCKERFILE = ROOT / "config" / "docker" / "Dockerfile"
PLAYER = "test1234"


class Instruction(NamedTuple):
    """A line of the Dockerfile, continuations joined."""

    name: str
    rest: str


def instructions() -> list[Instruction]:
    """The last stage of which is the image."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def the_only(name: str) -> str:
    """The rest of the last instruction of this name."""
    return [instruction.rest for instruction in instructions() if instruction.name == name][-1]


KNOWN = {
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "RUN",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}


def test_each_line_is_an_instruction() -> None:
    assert {instruction.name for instruction in instructions()} == KNOWN


def test_the_base_is_the_official_image_wherever_that_is_kept() -> None:
    bases = [instruction.rest.split()[0] for instruction in instructions() if instruction.name == "FROM"]

    assert bases == ["python:3.13-slim"] * 2


def test_it_runs_without_root() -> None:
    user, group = the_only("USER").split(":")

    assert min(int(user), int(group)) >= 10000
    assert f"-o {user} -g {group}" in the_only("RUN")
    names = [instruction.name for instruction in instructions()]
    assert "RUN" not in names[names.index("USER") :]


def copied() -> list[str]:
    """What comes from the folder in which the image is built."""
    copies = [instruction.rest for instruction in instructions() if instruction.name == "COPY"]
    return [name for rest in copies if "--from=" not in rest for name in rest.split()[:-1]]


def test_what_is_copied_is_there_and_is_let_through() -> None:
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text()
    let_through = set(re.findall(r"^!(.+)$", ignored, re.MULTILINE))

    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert set(copied()) == let_through


def test_no_secret_and_no_database_can_get_in() -> None:
    assert set(copied()) == {"pyproject.toml", "README.md", "LICENSE", "addon", "config", "protos"}


# What it would build


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands for the image's /opt/walletbridge, made by the Dockerfile's own commands."""
    folder = tmp_path_factory.mktemp("image")
    source, installed = folder / "src", folder / "walletbridge"
    source.mkdir()
    for name in copied():
        subprocess.run(["cp", "-r", ROOT / name, source], check=True)  # noqa: S607 - wherever it is
    for instruction in instructions():
        if instruction.name == "RUN" and "/opt/walletbridge" in instruction.rest:
            command = instruction.rest.replace("/opt/walletbridge", str(installed))
            command = re.sub(r"^python ", f"{sys.executable} ", command)
            subprocess.run(["/bin/sh", "-c", command], cwd=source, check=True)
    return installed


def command_of(name: str, image: Path) -> list[str]:
    """An instruction's command in exec form, at home in the folder."""
    listed: list[str] = json.loads(re.sub(r"^.*?\[", "[", the_only(name)))
    return [part.replace("/opt/walletbridge", str(image)) for part in listed]


@pytest.mark.timeout(600)
async def test_the_image_s_own_command_answers_callbacks(image: Path, tmp_path: Path) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port, tracing={"sample_percent": 0})
        command = [*command_of("ENTRYPOINT", image), *command_of("CMD", image)[:-1], str(config)]
        async with running(command, tmp_path) as gateway, aiohttp.ClientSession() as client:
            assert (await post(client, gateway.url, make_callback("bet", account=PLAYER)))[0] == 200
            assert await gateway.stop() == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("has_admin", [False, True])
async def test_the_health_check_works_with_and_without_an_admin_endpoint(
    image: Path, tmp_path: Path, *, has_admin: bool
) -> None:
    listen = f"127.0.0.1:{free_port('127.0.0.1')}"
    admin = {"admin": {"listen": f"127.0.0.1:{free_port('127.0.0.1')}"}} if has_admin else {}
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(
            tmp_path, wallet_port=wallet.port, listen=listen, tracing={"sample_percent": 0}, **admin
        )
        check = [*command_of("HEALTHCHECK", image)[:-1], str(config)]
        command = [*command_of("ENTRYPOINT", image), *command_of("CMD", image)[:-1], str(config)]
        async with running(command, tmp_path) as gateway:
            assert await end_of(check, tmp_path) == (0, "")
            assert await gateway.stop() == 0
        assert (await end_of(check, tmp_path))[0] == 1


def test_the_health_check_reads_the_settings_of_the_command() -> None:
    assert json.loads(the_only("HEALTHCHECK").partition("CMD ")[2])[-2:] == json.loads(the_only("CMD"))[-2:]

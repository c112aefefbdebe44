"""Settings files, written for a test."""

from pathlib import Path

import pytest

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Settings, load

NAME = "walletbridge.yaml"


def load_text(folder: Path, text: str) -> Settings:
    """What a file with this text in `folder` says."""
    file = folder / NAME
    file.write_text(text, "utf-8")
    return load(file)


def error_of(folder: Path, text: str) -> SettingsError:
    """Why a file with this text is refused."""
    with pytest.raises(SettingsError) as caught:
        load_text(folder, text)
    return caught.value


def mistakes_in(folder: Path, text: str) -> list[str]:
    """The lines of the refusal, each without the name of the file, which it must have."""
    file = f"{folder / NAME}:"
    lines = str(error_of(folder, text)).splitlines()
    assert all(line.startswith(file) for line in lines)
    return [line.removeprefix(file) for line in lines]

"""The settings file to start from says what the defaults are, and leaves out no key."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tests.unit.settings.files import load_text

from walletbridge.settings import Admin, Record, Settings, Wallet, load

FILE = Path(__file__).parents[3] / "config" / "walletbridge.yaml"


def keys_of(section: msgspec.Struct) -> Iterator[str]:
    """The names of all keys, in order."""
    for name, value in msgspec.structs.asdict(section).items():
        yield name
        if isinstance(value, msgspec.Struct):
            yield from keys_of(value)


def with_optional_keys(text: str) -> str:
    """Unsets no key: the `#` right before each is taken away."""
    return re.sub(r"^( *)#(?=[a-z0-9_]+:)", r"\1", text, flags=re.MULTILINE)


def test_the_file_holds_the_defaults(tmp_path: Path) -> None:
    of_defaults = load_text(tmp_path, "wallet: {target: 127.0.0.1:50051}")
    settings = load(FILE)

    assert settings.journal.path == FILE.parent / "walletbridge.db"
    assert msgspec.structs.replace(settings, journal=of_defaults.journal) == of_defaults
    assert msgspec.structs.replace(settings.journal, path=of_defaults.journal.path) == of_defaults.journal


def test_the_file_shows_every_key_and_its_optional_keys_hold_good_values(tmp_path: Path) -> None:
    text = with_optional_keys(FILE.read_text("utf-8"))
    # One of the two sources of tokens must be left out for the file to be taken.
    settings = load_text(tmp_path, re.sub(r"^ *token_file:.*\n", "", text, flags=re.MULTILINE))

    assert re.findall(r"^ *([a-z0-9_]+):", text, flags=re.MULTILINE) == list(keys_of(settings))
    assert settings.admin == Admin()
    assert settings.record == Record(folder=tmp_path / "recordings")
    assert settings.tracing is not None
    assert settings.wallet.tls is not None
    assert settings.upstream == "http://127.0.0.1:9000"


def test_defaults_of_the_types_and_of_the_reading_are_the_same(tmp_path: Path) -> None:
    by_hand = Settings(wallet=Wallet(target="127.0.0.1:50051"))
    read = load_text(tmp_path, "wallet: {target: 127.0.0.1:50051}")
    journal = msgspec.structs.replace(by_hand.journal, path=tmp_path / by_hand.journal.path)

    assert msgspec.structs.replace(by_hand, journal=journal) == read

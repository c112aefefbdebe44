"""The JSON schema for editors says what the reader takes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from tests.support.mappings import BANK_MAPPING

from walletbridge.cli import main
from walletbridge.connect.editor_schema import schema, schema_text
from walletbridge.wallet.mapping.loading import COMMANDS, PROMISES, SECTIONS

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(schema())


def is_valid(text: str) -> bool:
    document: Any = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))
    return bool(VALIDATOR.is_valid(document))


def test_the_committed_file_is_what_the_command_prints() -> None:
    result = CliRunner().invoke(main, ["init", "--schema"])

    assert result.exit_code == 0
    assert (ROOT / "config" / "mapping.schema.json").read_text() == schema_text() == result.output


def test_it_is_a_schema_and_names_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    properties = schema()["properties"]

    assert list(properties) == list(SECTIONS)
    assert list(properties["commands"]["properties"]) == list(COMMANDS)
    assert list(properties["promises"]["properties"]) == list(PROMISES)


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("config/examples/*/mapping.yaml"), *ROOT.glob("addon/**/v1/mapping.yaml")]), ids=str
)
def test_mapping_files_are_taken(path: Path) -> None:
    assert is_valid(path.read_text())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("service:", "servce:"),
        ("method: Debit", "metod: Debit"),
        ("proto: [bank.proto]", "proto: [bank.proto]\n  reflection: true"),
        ("  bet:\n", "  bte:\n"),
        ("repeats: reported", "repeats: maybe"),
        ("checks: [21", "checks: [23"),
        ("STATUS_OK: 0", "STATUS_OK: 1"),
        ("STATE_BOOKED: OK", "STATE_BOOKED: 0"),
        ('"{balance:decimal}"', '"{balance:cents}"'),
        ("{NOT_FOUND: 21", "{'*': 21"),
        ("grpc: status", "grpc: code"),
        ("undo_bet:", "undo_bett:"),
    ],
)
def test_a_mistake_in_the_language_is_marked(old: str, new: str) -> None:
    assert is_valid(BANK_MAPPING)
    assert not is_valid(BANK_MAPPING.replace(old, new, 1))

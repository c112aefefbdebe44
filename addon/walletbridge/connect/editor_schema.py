"""
The mapping file's JSON schema, with which editors complete keys and mark mistakes during typing.

It knows the language, not the wallet's protos: `walletbridge check` has the last word.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from walletbridge.protocol.checks import Check
from walletbridge.rules.promises import Repeats
from walletbridge.wallet.mapping.bindings import CACHE_SECONDS, CACHE_SIZE
from walletbridge.wallet.mapping.bound_wallet import UNDO_BET, UNDO_WIN
from walletbridge.wallet.mapping.loading import COMMANDS, OF_THE_JOURNAL, SOURCES_OF_SCHEMA
from walletbridge.wallet.mapping.reply.balances import FORMS
from walletbridge.wallet.mapping.reply.tables import RESULTS, SOURCES, STATES

_TEXT = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_SCALARS = ["string", "number", "boolean"]
_BALANCE_TEXT = {
    "type": "string",
    "pattern": rf"^(ask|\{{[A-Za-z0-9_.]+:({'|'.join(FORMS)})\}})$",
    "description": "ask, or the path in the reply and its form: {path:form}",
}
_PARTS = {"units": _TEXT, "nanos": _TEXT}


def schema_text() -> str:
    """The schema, as a file's text."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The schema, in JSON Schema draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "walletbridge mapping",
        "description": "Binds the provider's commands to the methods of a wallet's own proto.",
        **_keys(
            {
                "schema": _schema_of_protos(),
                "service": {**_TEXT, "description": "where bare method names are looked up"},
                "metadata": _texts("sent with every call"),
                "tables": {
                    "type": "object",
                    "additionalProperties": _texts("from the callback's value to the field's"),
                },
                "lookups": {"type": "object", "additionalProperties": _lookup()},
                "promises": _promises(),
                "commands": _commands(),
            },
            required=["schema", "promises", "commands"],
        ),
        "$defs": {
            "binding": _binding(),
            "outcome": _one_or_list(_rule(RESULTS)),
            "state": _one_or_list(_rule(STATES, of_failures=False)),
        },
    }


def _keys(properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _texts(description: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": _SCALARS}, "description": description}


def _one_or_list(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"oneOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _schema_of_protos() -> dict[str, Any]:
    files = _one_or_list(_TEXT)
    keys = _keys({"proto": files, "include": files, "descriptor_set": _TEXT, "reflection": {"const": True}})
    return {**keys, "oneOf": [{"required": [name]} for name in SOURCES_OF_SCHEMA]}


def _lookup() -> dict[str, Any]:
    cache = {
        "size": {"type": "integer", "minimum": 1, "default": CACHE_SIZE},
        "seconds": {"type": "integer", "minimum": 0, "default": CACHE_SECONDS},
    }
    return _keys(
        {
            "method": _TEXT,
            "metadata": _texts("sent with this call"),
            "request": {"type": "object"},
            "outcome": {"$ref": "#/$defs/outcome"},
            "cache": _keys(cache),
        },
        required=["method", "request", "outcome"],
    )


def _promises() -> dict[str, Any]:
    return _keys(
        {
            "late_bets_refused": {**_BOOLEAN, "description": "a cancel of an unknown transaction is remembered"},
            "repeats": {"enum": [str(repeats) for repeats in Repeats]},
            "checks": {"type": "array", "items": {"enum": [int(check) for check in Check]}, "uniqueItems": True},
            "checks_balance_first": {**_BOOLEAN, "default": False},
            "cancels_repeat_safely": {**_BOOLEAN, "default": True},
        },
        required=["late_bets_refused", "repeats", "checks"],
    )


def _commands() -> dict[str, Any]:
    binding = {"$ref": "#/$defs/binding"}
    commands: dict[str, Any] = dict.fromkeys(COMMANDS, binding)
    undo = _keys({UNDO_BET: binding, UNDO_WIN: binding}, required=[UNDO_BET, UNDO_WIN])
    commands["cancel"] = {"oneOf": [binding, undo]}
    commands["status"] = {"oneOf": [binding, {"const": OF_THE_JOURNAL}]}
    return _keys(commands, required=COMMANDS)


def _binding() -> dict[str, Any]:
    either = {"anyOf": [_BALANCE_TEXT, _keys(_PARTS, required=list(_PARTS))]}
    made_and_refused = _keys({"made": either, "refused": either}, required=["made", "refused"])
    return _keys(
        {
            "lookup": {**_TEXT, "description": "the look-up to make first"},
            "method": _TEXT,
            "metadata": _texts("sent with this call, besides the file's own"),
            "request": {"type": "object", "description": "the request's fields; dotted paths reach into messages"},
            "outcome": {"$ref": "#/$defs/outcome"},
            "balance": {"anyOf": [either, made_and_refused]},
            "state": {"$ref": "#/$defs/state"},
        },
        required=["method", "request", "outcome"],
    )


def _rule(words: Mapping[str, Any], *, of_failures: bool = True) -> dict[str, Any]:
    sources = [name for name in SOURCES if of_failures or name not in {"grpc", "trailer"}]
    values = [int(word) if word.isdigit() else word for word in words]
    properties: dict[str, Any] = dict.fromkeys(sources, _TEXT)
    if of_failures:
        properties["grpc"] = {"enum": ["status", "reason"]}
        properties["domain"] = _TEXT
    table = {"type": "object", "additionalProperties": {"enum": values}, "minProperties": 1}
    properties["values"] = {**table, "properties": {"*": {"const": "next"}}}
    return {**_keys(properties, required=["values"]), "oneOf": [{"required": [name]} for name in sources]}

"""
Rules that turn a reply into an outcome or a state: each reads one value and looks it up in a table.

A value that no table names is unknown; a mapping cannot make all other values a success or a refusal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.descriptor import Descriptor

from walletbridge.protocol.outcomes import Result, TransactionState
from walletbridge.wallet.mapping.fields import ABSENT
from walletbridge.wallet.mapping.reply import readers
from walletbridge.wallet.mapping.reply.readers import Reader
from walletbridge.wallet.mapping.yaml_places import Place
from walletbridge.wallet.reply import Reply


class Mark(Enum):
    """The entries of a table besides results and states."""

    UNKNOWN = "unknown"
    NEXT = "next"


UNKNOWN = Mark.UNKNOWN
NEXT = Mark.NEXT

type Verdict = Result | TransactionState | Mark

RESULTS: Mapping[str, Verdict] = {
    **{str(result.value): result for result in Result if result is not Result.WRONG_TOKEN},
    "unknown": UNKNOWN,
    "next": NEXT,
}
STATES: Mapping[str, Verdict] = {**{str(state): state for state in TransactionState}, "unknown": UNKNOWN, "next": NEXT}

SOURCES: Mapping[str, Callable[[dict[str, Place], Descriptor], Reader]] = {
    "field": readers.field_reader,
    "present": readers.presence_reader,
    "oneof": readers.oneof_reader,
    "grpc": readers.grpc_reader,
    "trailer": readers.trailer_reader,
}
REST = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One source and its table."""

    source: str
    """A key of SOURCES."""
    reader: Reader
    values: Mapping[Any, Verdict]
    """By the reader's value."""
    keys: Mapping[Any, str]
    """The keys of `values` as the mapping writes them."""
    otherwise: Mark
    """For values that the table does not name."""

    @property
    def is_final(self) -> bool:
        """Whether no rule after it is ever reached."""
        return self.reader.is_certain and self.otherwise is not NEXT and NEXT not in self.values.values()


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one outcome or state."""

    rules: Sequence[Rule]
    of_ok: Callable[[Reply], Verdict]
    of_failure: Callable[[Reply], Verdict]
    """Neither returns NEXT: where no rule is left, the verdict is UNKNOWN."""
    reads_trailers_of_ok: bool

    def named(self) -> set[Verdict]:
        """All verdicts that the tables name."""
        return {verdict for rule in self.rules for verdict in rule.values.values()}


def compile_rules(place: Place, reply: Descriptor, words: Mapping[str, Verdict], *, of_failures: bool) -> Rules:
    """
    The rules at `place`, for replies of one type. `words`: the verdicts that tables may name. `of_failures`: whether
    rules may read the gRPC status and trailers. Notes mistakes; raises Wrong where no rule reads an OK reply.
    """
    rules: list[Rule] = []
    for item in place.items_or_one():
        with place.notes.noting():
            rule = _rule(item, reply, words, of_failures=of_failures)
            if not _is_reached(rule, rules):
                raise item.wrong("is never reached: a rule before it leaves nothing over; does that lack a next?")
            rules.append(rule)
    if not any(rule.reader.reads_ok for rule in rules) and not place.notes.mistakes:
        raise place.wrong("no rule reads a reply with the status OK; expected one of field, present, oneof, trailer")
    return Rules(
        rules,
        _chain([rule for rule in rules if rule.reader.reads_ok]),
        _chain([rule for rule in rules if rule.reader.reads_failures]),
        any(rule.reader.reads_ok and rule.source == "trailer" for rule in rules),
    )


def _chain(rules: Sequence[Rule]) -> Callable[[Reply], Verdict]:
    """One function that tries the rules in order."""
    steps = [(rule.reader.read, rule.values, rule.otherwise) for rule in rules]

    def judge(reply: Reply) -> Verdict:
        for read, values, otherwise in steps:
            key = read(reply)
            if key is not ABSENT:
                verdict = values.get(key, otherwise)
                if verdict is not NEXT:
                    return verdict
        return UNKNOWN

    return judge


def _is_reached(rule: Rule, before: Sequence[Rule]) -> bool:
    """Whether any reply gets past the rules before it."""
    final = [each.reader for each in before if each.is_final]
    return (rule.reader.reads_ok and not any(reader.reads_ok for reader in final)) or (
        rule.reader.reads_failures and not any(reader.reads_failures for reader in final)
    )


def _rule(place: Place, reply: Descriptor, words: Mapping[str, Verdict], *, of_failures: bool) -> Rule:
    keys = place.keys([*SOURCES, "domain", "values"], required=["values"])
    named = [name for name in SOURCES if name in keys]
    if len(named) != 1:
        raise place.wrong(f"expected one of {', '.join(SOURCES)}, got {' and '.join(named) or 'none'}")
    [source] = named
    if "domain" in keys and (source != "grpc" or keys["grpc"].text() != "reason"):
        raise keys["domain"].wrong("goes with `grpc: reason` alone")
    if source in {"grpc", "trailer"} and not of_failures:
        raise keys[source].wrong("a state is read from a reply; expected one of field, present, oneof")
    return _with_table(source, SOURCES[source](keys, reply), keys["values"], words)


def _with_table(source: str, reader: Reader, place: Place, words: Mapping[str, Verdict]) -> Rule:
    """The rule of a reader and its table. Raises Wrong where the table lacks a value that can come."""
    values: dict[Any, Verdict] = {}
    keys: dict[Any, str] = {}
    otherwise = UNKNOWN
    entries = place.entries()
    for name, value in entries.items():
        with place.notes.noting():
            verdict = words[value.choice(list(words))]
            if name == REST:
                if verdict is not NEXT:
                    raise value.wrong('"*" may say next alone: what no line names is unknown')
                otherwise = UNKNOWN if reader.is_closed else NEXT
                continue
            key = reader.key_of(name, value)
            if source == "grpc" and reader.name == "status" and key in readers.MADE_UP and verdict not in Mark:
                raise value.wrong(
                    f"gRPC itself makes up {name}, also for a call that was executed: expected unknown or next"
                )
            if values.setdefault(key, verdict) is not verdict:
                raise value.wrong(f"{name} is another name of {keys[key]}, which says something else")
            keys.setdefault(key, name)
    missing = [name for name in reader.every if name not in entries]
    if missing and REST not in entries:
        raise place.wrong(f"says nothing of {', '.join(missing)}; expected one of {', '.join(words)} for each")
    if not entries:
        raise place.wrong("expected at least one value")
    return Rule(source, reader, values, keys, otherwise)

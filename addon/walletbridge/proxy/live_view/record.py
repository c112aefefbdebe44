"""
The data known of a callback, kept inside its flow, so that a saved flow shows all of it anywhere.

The flow's metadata holds it as JSON text under one key. A loaded file may contain anything there; data that does not
fit the types below is no record.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

KEY = "walletbridge"
"""The key in a flow's metadata."""
TEXT_MAX = 16_384
"""Characters kept of one message; a record is only for display."""
RECORD_MAX = 1 << 20
"""Characters; a longer record is not read."""

type _Count = Annotated[int, Meta(ge=0)]


class Stage(StrEnum):
    """The progress of a callback."""

    HELD = "held"
    """A person stopped it before the wallet call."""
    DROPPED = "dropped"
    """It was held and then killed, or its client left: no wallet call."""
    ANSWERED = "answered"


class Call(Struct, frozen=True, omit_defaults=True):
    """One gRPC call."""

    method: str
    request: str = ""
    """As text, like the response."""
    response: str = ""
    raw: str = ""
    """The response's bytes in hex, which another mapping can read again; empty if not kept."""
    status: str = ""
    details: str = ""
    milliseconds: float = 0.0
    metadata: tuple[tuple[str, str], ...] = ()


class Milliseconds(Struct, frozen=True, omit_defaults=True):
    """The parts of the time. Only `held` includes the time that a person held the callback."""

    waiting: float = 0.0
    """For an earlier call of the same transaction."""
    journal: float = 0.0
    wallet: float = 0.0
    total: float = 0.0
    budget: float = 0.0
    limit: float = 0.0
    """The provider's limit."""
    held: float = 0.0


class Journal(Struct, frozen=True, omit_defaults=True):
    """The transaction's state in the journal when the answer was made."""

    state: str
    told: str = ""
    is_open: bool = False
    for_human: str = ""


class Record(Struct, omit_defaults=True):
    """A callback and its outcome. Empty texts and zeros are unknown or do not apply."""

    find: str = ""
    """The words for filters. The first field, so that filters find them quickly."""
    marker: str = ""
    """The marker that walletbridge set; any other is a person's."""
    stage: Stage = Stage.ANSWERED
    command: str = ""
    account: str = ""
    trans_id: str = ""
    """As text."""
    round_id: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """The other fields, by name, as text."""
    amount: str = ""
    """In units of the currency, like the balance."""
    checks: tuple[int, ...] = ()
    has_token: bool = True
    http_status: _Count = 0
    result: _Count = 0
    balance: str = ""
    state: str = ""
    """The transaction's state in the answer to `status`."""
    balance_minor: int = 0
    """As the wallet reported it."""
    is_known: bool = False
    """Whether the outcome is known."""
    reason: str = ""
    place: str = ""
    """The JSON path of a mistake in the body."""
    cache: str = ""
    tries: _Count = 0
    target: str = ""
    calls: tuple[Call, ...] = ()
    times: Milliseconds = Milliseconds()
    journal: Journal | None = None
    is_replay: bool = False
    is_masked: bool = False
    is_delivered: bool = True
    is_edited: bool = False
    """A person changed the answer before it went out."""
    asked: tuple[str, ...] = ()
    """A person's later actions on the transaction."""

    @property
    def is_unresolved(self) -> bool:
        """Whether the transaction was open, or left to a person, when the answer was made."""
        if self.journal is not None:
            return self.journal.is_open or bool(self.journal.for_human)
        return self.http_status == _HTTP_UNKNOWN and self.command in _MOVES

    @property
    def is_slow(self) -> bool:
        """Whether the answer took over half of its budget."""
        return self.times.budget > 0 and 2 * self.times.total > self.times.budget


_HTTP_UNKNOWN = 500
_MOVES = frozenset({"bet", "win", "cancel"})

_FIND_END = '","'
"""Ends the first field: quotes inside a text are escaped."""
_MARKER = 'marker":"'

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def write(metadata: dict[Any, Any], record: Record) -> None:
    """Writes a record into a flow's metadata."""
    text = _encoder.encode(record).decode()
    find, end, rest = text.partition(_FIND_END) if record.find else ("", "", text)
    # A `=` in an account or a wallet's text must not look like a word of `find`.
    metadata[KEY] = find + end + rest.replace("=", r"\u003d")


def without(record: Record, hide: Callable[[str], str]) -> Record:
    """Returns the record after `hide`, without tokens."""
    text = _encoder.encode(record).decode()
    return record if (shown := hide(text)) == text else _decoder.decode(shown)


def marker_in(metadata: Mapping[Any, Any]) -> str | None:
    """Returns a record's marker, or None without a record. Does not decode a record that `write` has written."""
    text = metadata.get(KEY)
    if isinstance(text, str):
        find, _, rest = text.partition(_FIND_END)
        if find.startswith('{"find":"') and rest.startswith(_MARKER):
            return rest[len(_MARKER) :].partition('"')[0]
    record = read(metadata)
    return None if record is None else record.marker


def read(metadata: Mapping[Any, Any]) -> Record | None:
    """Returns the record in a flow's metadata, or None if there is none or it is invalid."""
    text = metadata.get(KEY)
    if not isinstance(text, str) or len(text) > RECORD_MAX:
        return None
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None

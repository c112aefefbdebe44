"""
What is known of a callback, as plain data that travels inside its flow: a saved flow shows all of it anywhere.

It is kept as JSON text under one key of the flow's metadata. A loaded file may hold anything there, so whatever does
not fit the types below is no record.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

KEY = "walletbridge"
"""Of a flow's metadata."""
TEXT_MAX = 16_384
"""Characters of one message; a record is there to be looked at."""
RECORD_MAX = 1 << 20
"""Characters of a record that is read at all."""

type _Count = Annotated[int, Meta(ge=0)]


class Stage(StrEnum):
    """How far a callback has come."""

    HELD = "held"
    """A person has stopped it before the wallet was called."""
    DROPPED = "dropped"
    """It was held, and then killed, or its client left: no wallet call."""
    ANSWERED = "answered"


class Call(Struct, frozen=True, omit_defaults=True):
    """One gRPC call."""

    method: str
    request: str = ""
    """As text; so is the response."""
    response: str = ""
    raw: str = ""
    """The response's bytes in hex, from which another mapping can read it again; empty if they are not kept."""
    status: str = ""
    details: str = ""
    milliseconds: float = 0.0
    metadata: tuple[tuple[str, str], ...] = ()


class Milliseconds(Struct, frozen=True, omit_defaults=True):
    """Where the time went. What a person held does not count, but for `held` itself."""

    waiting: float = 0.0
    """For an earlier call of the same transaction."""
    journal: float = 0.0
    wallet: float = 0.0
    total: float = 0.0
    budget: float = 0.0
    limit: float = 0.0
    """The provider's."""
    held: float = 0.0


class Journal(Struct, frozen=True, omit_defaults=True):
    """Where the transaction stood in the journal when the answer was made."""

    state: str
    told: str = ""
    is_open: bool = False
    for_human: str = ""


class Record(Struct, omit_defaults=True):
    """A callback and what came of it. Empty texts and zeros stand for what is not known or does not apply."""

    find: str = ""
    """What filters look for; it stands first, so that they find it soon."""
    marker: str = ""
    """The flow's marker, as it was set by us: any other is a person's."""
    stage: Stage = Stage.ANSWERED
    command: str = ""
    account: str = ""
    trans_id: str = ""
    """As text."""
    round_id: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """The other fields, by name, as text."""
    amount: str = ""
    """In units of the currency, as is the balance."""
    checks: tuple[int, ...] = ()
    has_token: bool = True
    http_status: _Count = 0
    result: _Count = 0
    balance: str = ""
    state: str = ""
    """What a status said of its transaction."""
    balance_minor: int = 0
    """As the wallet said it."""
    is_known: bool = False
    """Whether an outcome is known."""
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
    """What a person did with its transaction later."""

    @property
    def is_unresolved(self) -> bool:
        """Whether something of its transaction was open when the answer was made."""
        if self.journal is not None:
            return self.journal.is_open or bool(self.journal.for_human)
        return self.http_status == _HTTP_UNKNOWN and self.command in _MOVES

    @property
    def is_slow(self) -> bool:
        """Whether it took over half of its budget."""
        return self.times.budget > 0 and 2 * self.times.total > self.times.budget


_HTTP_UNKNOWN = 500
_MOVES = frozenset({"bet", "win", "cancel"})

_FIND_END = '","'
"""Quotes inside a text have a backslash before them."""
_MARKER = 'marker":"'

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def write(metadata: dict[Any, Any], record: Record) -> None:
    """Puts a record into a flow's metadata."""
    text = _encoder.encode(record).decode()
    find, end, rest = text.partition(_FIND_END) if record.find else ("", "", text)
    # Whatever an account or a wallet says elsewhere must not be found as one of the words of `find`.
    metadata[KEY] = find + end + rest.replace("=", r"\u003d")


def without(record: Record, hide: Callable[[str], str]) -> Record:
    """The record as `hide` leaves it: no token is in it."""
    text = _encoder.encode(record).decode()
    return record if (shown := hide(text)) == text else _decoder.decode(shown)


def marker_in(metadata: Mapping[Any, Any]) -> str | None:
    """The marker of a record; None where there is none. Of a record that was written here no more is read than that."""
    text = metadata.get(KEY)
    if isinstance(text, str):
        find, _, rest = text.partition(_FIND_END)
        if find.startswith('{"find":"') and rest.startswith(_MARKER):
            return rest[len(_MARKER) :].partition('"')[0]
    record = read(metadata)
    return None if record is None else record.marker


def read(metadata: Mapping[Any, Any]) -> Record | None:
    """The record in a flow's metadata; None where there is none, or something else."""
    text = metadata.get(KEY)
    if not isinstance(text, str) or len(text) > RECORD_MAX:
        return None
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None

"""
The data that compiling one binding needs besides its place in the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor

from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.yaml_places import Place

type Found = Mapping[str, Any]
"""A look-up's values, by the paths that the mapping names."""


@dataclass(slots=True)
class LookupValues:
    """A look-up's reply, and the values that requests use. Grows while the file is read."""

    name: str
    reply: Descriptor
    wanted: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    """The getters, by path."""


@dataclass(slots=True, kw_only=True)
class Context:
    """The data that compiling one request needs."""

    role: Role
    decimals: int
    tables: Mapping[str, Mapping[str, Place]]
    environ: Mapping[str, str]
    now: Callable[[], int]
    """Unix nanoseconds."""
    lookup: LookupValues | None = None
    used: set[str] = field(default_factory=set)
    """The sources that the request names; a source with a form stands also with it, such as `amount:units`."""
    keys: set[str] = field(default_factory=set)
    """The texts of the file that hold the transaction's id, as written."""

"""
What the compilation of one binding needs to know besides its place in the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor

from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.yaml_places import Place

type Found = Mapping[str, Any]
"""What a look-up brought, by the paths that the mapping names."""


@dataclass(slots=True)
class LookupValues:
    """The reply of a look-up, and what of it is used. Grows while the file is read."""

    name: str
    reply: Descriptor
    wanted: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    """By path."""


@dataclass(slots=True, kw_only=True)
class Context:
    """Of one request."""

    role: Role
    decimals: int
    tables: Mapping[str, Mapping[str, Place]]
    environ: Mapping[str, str]
    now: Callable[[], int]
    """Unix nanoseconds."""
    lookup: LookupValues | None = None
    used: set[str] = field(default_factory=set)
    """The sources that the request names, those of amounts with their forms as well, such as `amount:units`."""
    keys: set[str] = field(default_factory=set)
    """The texts, as they stand in the file, that hold the transaction's id."""

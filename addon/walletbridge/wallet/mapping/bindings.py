"""
One command of the mapping file: its method, request, outcome, balance and state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from walletbridge.wallet.mapping.reply.balances import Balances, compile_balances
from walletbridge.wallet.mapping.reply.tables import RESULTS, STATES, Rules, compile_rules
from walletbridge.wallet.mapping.request.context import Context, LookupValues
from walletbridge.wallet.mapping.request.requests import Build, compile_request
from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.request.values import Compute, metadata_plan
from walletbridge.wallet.mapping.yaml_places import Place, unknown_name
from walletbridge.wallet.proto.schema import Schema, message_class

_NAMES = ("lookup", "method", "metadata", "request", "outcome", "balance", "state")
_LOOKUP_NAMES = ("method", "metadata", "request", "outcome", "cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How one method is called, and how its replies are judged."""

    name: str
    """The full name, such as `wallet.v1.WalletService/PlaceBet`."""
    build: Build
    metadata: Sequence[tuple[str, Compute]]
    hidden: frozenset[str]
    """The names of metadata that hold environment variables: the live view must not show their values."""
    response: type[Message]
    has_required: bool
    """Whether the response has proto2 required fields, which it may lack."""
    outcome: Rules
    place: Place
    used: frozenset[str]
    """The callback's fields that the request carries; see `Context.used`."""
    keys: frozenset[str]
    """The texts that may identify a repeat; see `Context.keys`."""

    @property
    def path(self) -> str:
        """The name that gRPC sends."""
        return f"/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A call before the command's own call."""

    name: str
    method: Method
    values: LookupValues
    """The values of its reply that requests use."""
    cache_size: int
    cache_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One command, or the undoing of a bet or of a win."""

    role: Role
    method: Method
    lookup: Lookup | None
    balances: Balances
    state: Rules | None


@dataclass(slots=True, kw_only=True)
class House:
    """Shared by all bindings of a file while it is read."""

    schema: Schema
    service: str
    """Empty where methods are named in full."""
    metadata: Mapping[str, Place]
    tables: Mapping[str, Mapping[str, Place]]
    decimals: int
    environ: Mapping[str, str]
    now: Callable[[], int]
    lookups: dict[str, Lookup] = field(default_factory=dict)

    def context(self, role: Role) -> Context:
        """The context of one request."""
        return Context(role=role, decimals=self.decimals, tables=self.tables, environ=self.environ, now=self.now)


CACHE_SIZE = 100_000
CACHE_SECONDS = 300
_CACHE_SIZE_MAX = 10_000_000
_CACHE_SECONDS_MAX = 86_400


def compile_binding(place: Place, role: Role, house: House) -> Binding:
    """Compiles one command. Raises Wrong, and notes the mistakes below."""
    keys = place.keys(_NAMES, required=["method", "request", "outcome"])
    context = house.context(role)
    lookup = _lookup_of(keys["lookup"], house) if "lookup" in keys else None
    if lookup is not None:
        context.lookup = lookup.values
    descriptor = find_method(keys["method"], house)
    method = _method(keys, descriptor, house, context)
    balances = Balances()
    if "balance" in keys:
        with place.notes.noting():
            balances = compile_balances(keys["balance"], descriptor.output_type, context.decimals)
    if role is Role.BALANCE and (balances.made is None or "balance" not in keys):
        raise (keys.get("balance") or place).wrong("the command balance cannot ask: expected where its reply holds it")
    state = None
    if (role is Role.STATUS) != ("state" in keys):
        raise place.wrong("status needs a state" if role is Role.STATUS else "only status has a state")
    if "state" in keys:
        state = compile_rules(keys["state"], descriptor.output_type, STATES, of_failures=False)
    return Binding(role=role, method=method, lookup=lookup, balances=balances, state=state)


def compile_lookup(name: str, place: Place, house: House) -> Lookup:
    """Compiles a look-up. Raises Wrong, and notes the mistakes below."""
    keys = place.keys(_LOOKUP_NAMES, required=["method", "request", "outcome"])
    context = house.context(Role.LOOKUP)
    descriptor = find_method(keys["method"], house)
    method = _method(keys, descriptor, house, context)
    if "account" not in method.used:
        raise keys["request"].wrong("nothing in it is the account, by which its answers are kept")
    size, seconds = CACHE_SIZE, CACHE_SECONDS
    if "cache" in keys:
        cache = keys["cache"].keys(["size", "seconds"])
        size = cache["size"].whole(1, _CACHE_SIZE_MAX) if "size" in cache else size
        seconds = cache["seconds"].whole(0, _CACHE_SECONDS_MAX) if "seconds" in cache else seconds
    values = LookupValues(name, descriptor.output_type)
    return Lookup(name=name, method=method, values=values, cache_size=size, cache_seconds=seconds)


def find_method(place: Place, house: House) -> MethodDescriptor:
    """The method named at `place`. Raises Wrong with the nearest right name."""
    text = place.text()
    if "/" not in text and not house.service:
        raise place.wrong("expected SERVICE/METHOD, as the file names no service")
    service, _, name = text.rpartition("/")
    service = service or house.service
    if service not in house.schema.services:
        raise place.wrong(f"the service {unknown_name(service, list(house.schema.services), 'expected one of')}")
    methods = {method.name: method for method in house.schema.services[service].methods}
    if name not in methods:
        raise place.wrong(f"{service}: the method {unknown_name(name, list(methods), 'expected one of')}")
    method = methods[name]
    if method.client_streaming or method.server_streaming:
        raise place.wrong(f"{name} is a stream; expected a method of one request and one response")
    return method


def _method(keys: dict[str, Place], descriptor: MethodDescriptor, house: House, context: Context) -> Method:
    metadata = {**house.metadata, **(keys["metadata"].entries() if "metadata" in keys else {})}
    pairs = []
    for name, place in metadata.items():
        with place.notes.noting():
            if name != name.lower() or name.startswith("grpc-") or name.endswith("-bin"):
                raise place.wrong("expected a name in lower case, not of gRPC itself and not ending with -bin")
            pairs.append((name, metadata_plan(place, context)))
    build: Build = _nothing
    with keys["request"].notes.noting():
        build = compile_request(keys["request"], descriptor.input_type, context)
    return Method(
        name=f"{descriptor.containing_service.full_name}/{descriptor.name}",
        build=build,
        metadata=pairs,
        hidden=frozenset(name for name, place in metadata.items() if "{env." in str(place.text())),
        response=message_class(descriptor.output_type),
        has_required=any(each.is_required for each in descriptor.output_type.fields),
        outcome=compile_rules(keys["outcome"], descriptor.output_type, RESULTS, of_failures=True),
        place=keys["method"],
        used=frozenset(context.used),
        keys=frozenset(context.keys),
    )


def _nothing(_callback: object, _found: object) -> Message:
    raise AssertionError("a file with a mistake is not used")


def _lookup_of(place: Place, house: House) -> Lookup:
    name = place.text()
    if name not in house.lookups:
        raise place.wrong(f"the look-up {unknown_name(name, list(house.lookups), 'expected one of')}")
    return house.lookups[name]

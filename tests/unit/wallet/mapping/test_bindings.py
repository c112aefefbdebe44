"""One command of a mapping file."""

from pathlib import Path

import pytest
from tests.support.mappings import SINK, bind, context_for, place_of, schema_of, write_bank

from walletbridge.protocol.outcomes import Result
from walletbridge.wallet.mapping.bindings import House, compile_binding, compile_lookup, find_method
from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.yaml_places import Wrong

BET = """
method: Pour
request: {text: "{account}", large: "{amount:minor}"}
outcome: {field: flag, values: {true: 0, false: unknown}}
"""


def house(service: str = "sink.Sinks") -> House:
    return House(schema=schema_of(SINK), service=service, metadata={}, tables={}, decimals=2, environ={}, now=lambda: 0)


def test_a_binding_knows_its_method_and_what_it_carries() -> None:
    binding = compile_binding(place_of(BET), Role.BET, house())

    assert (binding.method.name, binding.method.path) == ("sink.Sinks/Pour", "/sink.Sinks/Pour")
    assert binding.method.used == {"account", "amount", "amount:minor"}
    assert binding.method.outcome.named() >= {Result.OK}
    assert (binding.lookup, binding.balances.made, binding.state) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "service", "problem"),
    [
        ("Pour", "", "expected SERVICE/METHOD, as the file names no service"),
        ("Puor", "sink.Sinks", "sink.Sinks: the method Puor is not known; did you mean Pour?"),
        ("sink.Sink/Pour", "", "the service sink.Sink is not known; did you mean sink.Sinks?"),
        ("Watch", "sink.Sinks", "Watch is a stream; expected a method of one request and one response"),
    ],
)
def test_a_method_that_cannot_be_called_is_refused(text: str, service: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        find_method(place_of(text), house(service))
    assert problem in str(caught.value)


def test_a_method_may_be_named_in_full() -> None:
    assert find_method(place_of("sink.Sinks/Pour"), house("")).name == "Pour"


@pytest.mark.parametrize("name", ["grpc-timeout", "x-bin", "X"])
def test_metadata_of_grpc_itself_is_refused(name: str) -> None:
    place = place_of(BET + f"metadata: {{{name}: a}}\n")
    compile_binding(place, Role.BET, house())

    assert "expected a name in lower case" in str(place.notes.mistakes)


@pytest.mark.parametrize(
    ("cache", "size", "seconds"),
    [("", 100_000, 300), ("cache: {size: 5}", 5, 300), ("cache: {seconds: 0}", 100_000, 0)],
)
def test_a_look_up_is_kept_within_bounds(cache: str, size: int, seconds: int) -> None:
    lookup = compile_lookup("player", place_of(BET.replace(', large: "{amount:minor}"', "") + cache), house())

    assert (lookup.cache_size, lookup.cache_seconds) == (size, seconds)


def test_a_file_s_metadata_goes_with_every_method(tmp_path: Path) -> None:
    bound = bind(write_bank(tmp_path))

    assert all("x-client" in dict(binding.method.metadata) for binding in bound.bindings.values())
    assert "x-client" in dict(bound.lookups["player"].method.metadata)
    assert context_for(Role.BET).role is Role.BET

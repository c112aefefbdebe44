"""Whether callbacks are traced, and that nothing is imported for it where they are not."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from walletbridge.observe.tracing import is_wanted, open_tracing
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"}
TRACES_ENDPOINT = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4317"}
DISABLED = {"OTEL_SDK_DISABLED": "true"}


@pytest.mark.parametrize(
    ("settings", "environ", "wanted"),
    [
        (None, {}, False),
        (Tracing(), {}, True),
        (None, ENDPOINT, True),
        (None, TRACES_ENDPOINT, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        (None, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4317"}, False),
        (None, {**ENDPOINT, "OTEL_TRACES_EXPORTER": "otlp"}, True),
        (None, {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        (None, {"OTEL_TRACES_EXPORTER": "otlp"}, False),
        (Tracing(), {"OTEL_TRACES_EXPORTER": "none"}, True),
        (None, {**ENDPOINT, **DISABLED}, False),
        (Tracing(), {"OTEL_SDK_DISABLED": " TRUE "}, False),
        (Tracing(), {"OTEL_SDK_DISABLED": "false"}, True),
    ],
)
def test_the_settings_or_the_environment_ask_for_it(
    settings: Tracing | None, environ: Mapping[str, str], *, wanted: bool
) -> None:
    assert is_wanted(settings, environ) is wanted


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
def test_another_protocol_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^tracing: expected grpc in .*{name}.*, got 'http/protobuf'$"):
        open_tracing(None, {**ENDPOINT, name: "http/protobuf"})


async def test_where_it_is_wanted_spans_go_somewhere() -> None:
    environ = {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}
    spans = open_tracing(None, environ)

    assert spans is not None
    await spans.close()


def test_where_it_is_not_none_go_anywhere() -> None:
    assert open_tracing(None, {}) is None


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_without_the_packages_it_says_which_to_install() -> None:
    program = """
import sys
sys.modules["opentelemetry"] = None
from walletbridge.settings import Tracing
from walletbridge.observe.tracing import open_tracing
assert open_tracing(None, {}) is None
try:
    open_tracing(Tracing(), {})
except ValueError as error:
    print(error)
"""
    missing = 'tracing: the module opentelemetry is missing; pip install "walletbridge[otel]" installs it\n'

    assert run(program).replace("opentelemetry.exporter", "opentelemetry") == missing


def test_a_gateway_that_is_not_traced_imports_nothing_of_it() -> None:
    program = """
import sys
import walletbridge.gateway.running_gateway
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""

    assert run(program) == "[]\n"

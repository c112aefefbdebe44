"""
OpenTelemetry's spans: one for each callback, and within it one for each wallet call. The call's metadata carries the
trace on to the wallet.

A span describes the outcome of a callback, never its player. No token is known here.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.settings import Tracing as TracingSettings

CLOSE_SECONDS = 1.0
"""How long the gateway exports its last spans when it ends."""
ATTRIBUTE_CHARACTERS_MAX = 256
_NANOSECONDS = 1_000_000_000
_HTTP_FAULT = 500
_GRPC_OK = 0

type GrpcCall = Callable[..., Awaitable[bytes]]
"""A gRPC method: called with a message, `timeout` (seconds) and `metadata`."""


class Arrived(Protocol):
    """A request, as far as spans need it."""

    @property
    def received_at(self) -> float:
        """The time of arrival on the gateway's clock, in seconds."""
        ...


class Spans:
    """Makes spans and hands them to `provider`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("walletbridge")
        self._propagator = TraceContextTextMapPropagator()

    def of_callbacks[Request: Arrived](
        self, answer: Callable[[Request, Trace], Awaitable[Answer]], *, clock: Callable[[], float]
    ) -> Callable[[Request, Trace], Coroutine[Any, Any, Answer]]:
        """Wraps `answer` in a span that begins with the request's arrival."""

        async def traced(request: Request, trace: Trace) -> Answer:
            waited = clock() - request.received_at
            with self._tracer.start_as_current_span(
                "callback",
                kind=SpanKind.SERVER,
                start_time=time.time_ns() - round(waited * _NANOSECONDS),
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                made = await answer(request, trace)
                # Money may have moved by now: the answer matters more than its span.
                with suppress(Exception):
                    _describe(span, trace, made)
                return made

        return traced

    def of_wallet_calls(self, path: str, call: GrpcCall) -> GrpcCall:
        """Wraps `call`, the gRPC method at `path`, in a span. The wallet gets its context as metadata."""
        service, _, method = path.removeprefix("/").partition("/")
        attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}

        def traced(
            request: object,
            *,
            timeout: float,
            metadata: Iterable[tuple[str, str]] | None = None,
        ) -> _Traced:
            def begin(of_trace: Iterable[tuple[str, str]]) -> Any:
                return call(request, timeout=timeout, metadata=(*(metadata or ()), *of_trace))

            return _Traced(self._in_span(path, attributes), begin)

        return traced

    @contextmanager
    def _in_span(self, path: str, attributes: Mapping[str, str]) -> Iterator[tuple[Span, Mapping[str, str]]]:
        """The span of a wallet call, and its context as metadata."""
        with self._tracer.start_as_current_span(
            path.removeprefix("/"),
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            of_trace: dict[str, str] = {}
            self._propagator.inject(of_trace)
            yield span, of_trace

    async def close(self) -> None:
        """Exports the last spans. Waits at most CLOSE_SECONDS for a collector that is away."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the wait has timed out, and the loop is closed
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=shut_down, name="tracing", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), CLOSE_SECONDS)


class _Traced:
    """A gRPC call inside its span: awaited once, then asked for its trailing metadata."""

    def __init__(
        self,
        in_span: AbstractContextManager[tuple[Span, Mapping[str, str]]],
        begin: Callable[[Iterable[tuple[str, str]]], Any],
    ) -> None:
        self._in_span = in_span
        self._begin = begin
        self._call: Any = None

    def __await__(self) -> Generator[Any, None, bytes]:
        return self._run().__await__()

    async def trailing_metadata(self) -> Any:
        """The trailing metadata of the call."""
        return await self._call.trailing_metadata()

    async def _run(self) -> bytes:
        with self._in_span as (span, of_trace):
            self._call = self._begin(of_trace.items())
            try:
                response: bytes = await self._call
            except BaseException as error:
                with suppress(Exception):
                    _describe_failure(span, error)
                raise
            span.set_attribute("rpc.grpc.status_code", _GRPC_OK)
            return response


def spans_to(settings: TracingSettings | None, environ: Mapping[str, str]) -> Spans:
    """Spans for the collector in the settings; OpenTelemetry's own variables decide the rest."""
    endpoint = None if settings is None else settings.endpoint
    sampler = None
    if settings is not None and settings.sample_percent is not None:
        sampler = ParentBased(TraceIdRatioBased(settings.sample_percent / 100))
    is_named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(
        sampler=sampler,
        resource=Resource.create({} if is_named else {SERVICE_NAME: "walletbridge"}),
        # An exit hook would wait half a minute for a collector that is away.
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_attribute_length=ATTRIBUTE_CHARACTERS_MAX),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return Spans(provider)


def _describe(span: Span, trace: Trace, answer: Answer) -> None:
    span.set_attribute("http.response.status_code", answer.http_status)
    span.set_attribute("walletbridge.result", int(answer.result))
    callback = trace.callback
    if callback is not None:
        span.update_name(f"callback {callback.command.value}")
        span.set_attribute("walletbridge.command", callback.command.value)
        trans_id = getattr(callback, "trans_id", None)
        if trans_id is not None:
            span.set_attribute("walletbridge.trans_id", str(trans_id))
    if trace.cache is not None:
        span.set_attribute("walletbridge.cache", trace.cache.value)
    if trace.reason:
        span.set_attribute("walletbridge.reason", trace.reason)
    if answer.http_status >= _HTTP_FAULT:
        span.set_status(StatusCode.ERROR, trace.reason)


def _describe_failure(span: Span, error: BaseException) -> None:
    """Adds a gRPC error's status, not its details: these are the wallet's words and may hold anything."""
    if isinstance(error, asyncio.CancelledError):
        span.set_status(StatusCode.ERROR, "CANCELLED")
        return
    status = getattr(error, "code", None)
    if callable(status):
        number, _ = status().value
        span.set_attribute("rpc.grpc.status_code", number)
        span.set_status(StatusCode.ERROR, status().name)
    else:
        span.set_status(StatusCode.ERROR, type(error).__name__)

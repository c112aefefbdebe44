"""
Adds up the numbers of all workers, and writes them in Prometheus's text format.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from walletbridge.observe.metrics.names import METRICS, Kind, Metric
from walletbridge.observe.metrics.part import Key, Part

CONTENT_TYPE = CONTENT_TYPE_LATEST
_MICROSECONDS = 1_000_000

type Totals = Mapping[str, Sequence[tuple[dict[str, str], int]]]
"""By series name: its labels and their number, summed over all parts."""
type More = Callable[[], Iterable[Family]]
"""Families that are measured at the time of the request."""


def totals(parts: Iterable[Part]) -> Totals:
    """Adds up the numbers of all parts, series by series."""
    added: defaultdict[Key, int] = defaultdict(int)
    for part in parts:
        for key, number in part.read():
            added[key] += number
    found: defaultdict[str, list[tuple[dict[str, str], int]]] = defaultdict(list)
    for (name, *labels), number in added.items():
        found[name].append((dict(zip(labels[::2], labels[1::2], strict=True)), number))
    return found


def sum_of(parts: Iterable[Part], name: str, **labels: str) -> int:
    """One number, summed over all parts."""
    return sum(number for found, number in totals(parts).get(name, ()) if found == labels)


def exposition(parts: Iterable[Part], more: More) -> bytes:
    """All metrics as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(totals(parts), more))
    return generate_latest(registry)


def gauge(name: str, text: str, value: float | None, **labels: str) -> Family:
    """A family of one number, or of none if the number is unknown."""
    family = GaugeMetricFamily(name, text, labels=list(labels))
    if value is not None:
        family.add_metric(list(labels.values()), value)
    return family


def counter(name: str, text: str, values: Mapping[str, int], *, label: str = "") -> Family:
    """A family of counters that differ in one label, or of one counter without labels."""
    family = CounterMetricFamily(name.removesuffix("_total"), text, labels=[label] if label else [])
    for value, number in values.items():
        family.add_metric([value] if label else [], number)
    return family


class _Families(Collector):
    def __init__(self, found: Totals, more: More) -> None:
        self._totals = found
        self._more = more

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            yield self._family(metric)
        yield from self._more()

    def _family(self, metric: Metric) -> Family:
        if metric.kind is Kind.HISTOGRAM:
            return self._histogram(metric)
        family: CounterMetricFamily | GaugeMetricFamily
        if metric.kind is Kind.COUNTER:
            family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.text, labels=metric.labels)
        else:
            family = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
        for labels, number in self._totals.get(metric.name, ()):
            family.add_metric([labels.get(name, "") for name in metric.labels], number)
        return family

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
        sums = {_values(metric, labels): number for labels, number in self._totals.get(f"{metric.name}_sum", ())}
        buckets: defaultdict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
        for labels, number in self._totals.get(f"{metric.name}_bucket", ()):
            buckets[_values(metric, labels)][labels["le"]] = number
        for values, counted in buckets.items():
            family.add_metric(values, _cumulated(counted), sums.get(values, 0) / _MICROSECONDS)
        return family


def _values(metric: Metric, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in metric.labels)


def _cumulated(counted: Mapping[str, int]) -> list[tuple[str, float]]:
    """Turns counts per bucket into cumulated counts. Workers of two versions may have different buckets."""
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound in sorted(counted, key=_bound):
        total += counted[bound]
        buckets.append((bound, total))
    return buckets


def _bound(text: str) -> tuple[bool, int, str]:
    """A sort key that orders bounds as numbers, "+Inf" last."""
    if text == "+Inf":
        return True, 0, ""
    whole, _, decimals = text.partition(".")
    return False, int(whole), decimals

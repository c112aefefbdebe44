"""What Prometheus reads: all parts added up, buckets that grow, one family a metric."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.counts import Histogram
from walletbridge.observe.metrics.exposition import counter, exposition, gauge, totals
from walletbridge.observe.metrics.names import METRICS
from walletbridge.observe.metrics.part import Part

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(*parts: Part) -> Samples:
    """As a Prometheus server would have them."""
    text = exposition(parts, tuple).decode()
    families = text_string_to_metric_families(text)
    return {(sample.name, frozenset(sample.labels.items())): sample.value for one in families for sample in one.samples}


def labels(**found: str) -> frozenset[tuple[str, str]]:
    return frozenset(found.items())


def test_the_parts_are_added_up() -> None:
    one, other = Part(), Part()
    one.add(names.FAULTS)
    other.add(names.FAULTS)
    other.add(names.CALLBACKS, command="bet", result="0", http_status="200")
    one.set(names.CONNECTIONS, 3)
    other.set(names.CONNECTIONS, 4)
    found = samples(one, other)

    assert found[names.FAULTS, labels()] == 2
    assert found[names.CALLBACKS, labels(command="bet", result="0", http_status="200")] == 1
    assert found[names.CONNECTIONS, labels()] == 7


def test_a_bucket_counts_all_that_was_as_fast() -> None:
    one, other = Part(), Part()
    Histogram(one, names.CALLBACK_SECONDS, command="bet").observe(0.004)
    Histogram(other, names.CALLBACK_SECONDS, command="bet").observe(1.9)
    Histogram(other, names.CALLBACK_SECONDS, command="bet").observe(9)
    found = samples(one, other)

    buckets = {
        le: found["walletbridge_callback_seconds_bucket", labels(command="bet", le=le)]
        for le in ("0.005", "1.75", "2", "5", "+Inf")
    }
    assert buckets == {"0.005": 1, "1.75": 1, "2": 2, "5": 2, "+Inf": 3}
    assert found["walletbridge_callback_seconds_count", labels(command="bet")] == 3
    assert found["walletbridge_callback_seconds_sum", labels(command="bet")] == pytest.approx(10.904)


def test_workers_with_other_buckets_can_be_added() -> None:
    """While a new version takes over from an old one."""
    part = Part()
    for bound in ("10", "2.5", "0.025", "0.2", "+Inf"):
        part.add("walletbridge_callback_seconds_bucket", command="bet", le=bound)
    found = samples(part)

    in_order = [
        found["walletbridge_callback_seconds_bucket", labels(command="bet", le=bound)]
        for bound in ("0.025", "0.2", "2.5", "10", "+Inf")
    ]
    assert in_order == [1, 2, 3, 4, 5]


def test_every_metric_is_described_even_while_nothing_is_counted() -> None:
    text = exposition([Part()], tuple).decode()

    for metric in METRICS:
        assert f"# TYPE {metric.name} {metric.kind}\n" in text
        assert f"# HELP {metric.name} {metric.text}\n" in text


def test_what_is_measured_elsewhere_is_shown_as_well() -> None:
    def more() -> list[object]:
        return [
            gauge("walletbridge_a", "A.", 1.5, x="1"),
            gauge("walletbridge_b", "B.", None),
            counter("walletbridge_c_total", "C.", {"done": 2}, label="result"),
            counter("walletbridge_d_total", "D.", {"": 3}),
        ]

    text = exposition([], more).decode()  # type: ignore[arg-type]

    assert 'walletbridge_a{x="1"} 1.5\n' in text
    assert "\nwalletbridge_b " not in text
    assert 'walletbridge_c_total{result="done"} 2.0\n' in text
    assert "\nwalletbridge_d_total 3.0\n" in text


def test_totals_tell_labels_from_values() -> None:
    part = Part()
    part.set(names.WORKERS, 1, state="serving")

    assert totals([part, part])[names.WORKERS] == [({"state": "serving"}, 2)]

"""The metrics have names that Prometheus takes and operators can tell apart."""

import re

import pytest

from walletbridge.observe.metrics.names import BOUNDS, METRICS, Kind, Metric

each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


@each_metric
def test_a_name_is_ours_and_says_its_kind(metric: Metric) -> None:
    assert re.fullmatch("walletbridge_[a-z_]+[a-z]", metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") is (metric.kind is Kind.HISTOGRAM)


@each_metric
def test_a_metric_is_described_by_a_sentence(metric: Metric) -> None:
    assert metric.text.endswith(".")


def test_no_name_stands_for_two() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_limits_of_the_provider_and_their_budgets_are_bounds() -> None:
    assert list(BOUNDS) == sorted(BOUNDS)
    assert {1.75, 2, 3.75, 4} <= set(BOUNDS)

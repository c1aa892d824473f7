"""What can be known to be wrong about a query."""

from __future__ import annotations

import pytest

from model.promql import Catalogue, check_query, list_needed_names
from model.service import Metric

KNOWN = Catalogue(
    {
        "hits_total": Metric(type="counter", labels={"path": ("/",), "status": ("200",)}),
        "open": Metric(type="gauge", labels={"queue": ("a",)}),
        "took_seconds": Metric(type="histogram", unit="seconds", labels={"path": ("/",)}),
    },
    frozenset({"service:requests:rate5m"}),
)


@pytest.mark.parametrize(
    "query",
    [
        'sum by (service, path) (rate(hits_total{status=~"5.."}[5m]))',
        "histogram_quantile(0.9, sum by (le, path) (rate(took_seconds_bucket[5m])))",
        "histogram_quantile(0.9, sum without (path) (rate(took_seconds_bucket[5m])))",
        "rate(took_seconds_sum[5m]) / rate(took_seconds_count[5m])",
        "deriv(open[1h]) > 0 and predict_linear(open[1h], 3600) > 5",
        'service:requests:rate5m{service="x"} > 1 and on (service) up == 1',
        'rate(hits_total{environment=~"$environment"}[$__rate_interval])',
        'label_replace(open, "a", "$1", "queue", "(.*)")',
        "max_over_time(open[1h:5m])",
        "node_load1 > 2 or absent(pg_up)",
    ],
)
def test_good_queries_have_no_problem(query: str) -> None:
    """Queries that mean something are left alone."""
    assert check_query(query, KNOWN) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("rate(open[5m]) > 1", "rate() of the gauge open"),
        ("increase(open[5m])", "increase() of the gauge open"),
        ("delta(hits_total[5m])", "delta() of the counter hits_total: use rate()"),
        ("histogram_quantile(0.9, sum by (path) (rate(took_seconds_bucket[5m])))", "without `le`"),
        ("histogram_quantile(0.9, sum(rate(took_seconds_bucket[5m])))", "without `le`"),
        ("histogram_quantile(0.9, sum without (le) (rate(took_seconds_bucket[5m])))", "without `le`"),
        ("rate(hit_total[5m])", "'hit_total' is no metric that the system declares; did you mean 'hits_total'?"),
        ("service:request:rate5m > 1", "did you mean 'service:requests:rate5m'?"),
        ('hits_total{statuss="500"}', "'statuss' is no label of hits_total; did you mean 'status'?"),
        ("sum by (pth) (rate(hits_total[5m]))", "'pth' is no label of hits_total; did you mean 'path'?"),
        ('{__name__="nothing"}', "'nothing' is no metric"),
        ("sum(rate(hits_total[5m])", "is no PromQL"),
    ],
)
def test_queries_that_cannot_mean_anything_are_told(query: str, words: str) -> None:
    """Each mistake is told with what would be right."""
    assert any(words in text for text in check_query(query, KNOWN)), check_query(query, KNOWN)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ('ALERTS{alertname="HostCpuHigh", alertstate="firing"}', ["HostCpuHigh is called NodeCPUHighUsage since 0.2"]),
        (
            'time() - ALERTS_FOR_STATE{alertname="HostCpuHigh"} > 60',
            ["HostCpuHigh is called NodeCPUHighUsage since 0.2"],
        ),
        ('ALERTS{alertname="NodeCPUHighUsage"} or ALERTS{alertname=~"Host.*"} or ALERTS', []),
    ],
)
def test_an_alert_that_has_another_name_now_is_no_series(query: str, says: list[str]) -> None:
    """A query by a former name would be empty for ever; it is answered with the present one."""
    assert check_query(query, KNOWN) == says


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("rate(a_total[5m]) / on() group_left b > 1", {"a_total", "b"}),
        ('{__name__="c", x="y"} or sum(absent(d)) unless absent_over_time(e[1h])', {"c"}),
        ('ALERTS{alertname="X"} == 1', set()),
        ("sum by (", set()),
    ],
)
def test_names_that_a_query_needs(query: str, names: set[str]) -> None:
    """Not those whose absence it asks for, nor what Prometheus makes of alerts; what is no query needs none."""
    assert list_needed_names(query) == names

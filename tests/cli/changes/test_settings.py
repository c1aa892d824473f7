"""Documents key by key, retention and cost."""

from __future__ import annotations

from cli.changes.settings import compare_capacity, compare_documents, format_size, list_reloads, list_retention
from cli.changes.values import Change, Detail

LOKI = "loki/loki.yaml"


def retention(before: str, after: str) -> list[Change]:
    """What comes of another retention of Loki."""
    old, new = ({LOKI: f"limits: {{retention_period: {value}}}"} for value in (before, after))
    return list(list_retention(list(compare_documents(old, new, ()))))


def test_keys_of_documents_are_compared() -> None:
    """What others compare, digests, and documents of parts that come or go are left to them."""
    before = {
        LOKI: "a: {b: 1}",
        "x/notes.tmpl": "1",
        "traefik/revision": "1",
        "docker/x.yaml": "a: 1",
        "new/a.yaml": "",
    }
    after = {
        LOKI: "a: {b: 2}",
        "x/notes.tmpl": "2",
        "traefik/revision": "2",
        "docker/x.yaml": "a: 2",
        "new/a.yaml": "a: 1",
    }
    loki, notes = compare_documents(before, after, {"new"})
    assert loki.details == (Detail("a.b", "1", "2"),) and (notes.subject, notes.details) == ("x/notes.tmpl", ())


def test_jobs_are_not_said_twice() -> None:
    """Of prometheus.yml, what is no job is a setting."""
    path = "prometheus/prometheus.yml"
    before, after = "scrape_configs: []\nglobal: {a: 1}", "scrape_configs: [{job_name: x}]\nglobal: {a: 2}"
    (change,) = compare_documents({path: before}, {path: after}, ())
    assert [item.name for item in change.details] == ["global.a"]
    assert not list(compare_documents({path: "scrape_configs: []"}, {path: "scrape_configs: [{job_name: x}]"}, ()))


def test_a_shorter_retention_deletes() -> None:
    """A warning about data; a longer one is a resource."""
    assert [item.area for item in retention("360h", "7d")] == ["data"]
    assert [item.area for item in retention("7d", "360h")] == ["resources"]


def test_who_reloads_is_named_once() -> None:
    """All that have other documents and are not named among what is replaced."""
    replaced = Change("downtime", "is replaced", "loki")
    before, after = (
        {LOKI: "1", "grafana/a": "1", "prometheus/b": "1"},
        {LOKI: "2", "grafana/a": "2", "prometheus/b": "2"},
    )
    (change,) = list_reloads(before, after, [replaced])
    assert change.subject == "grafana, prometheus" and "in place" in change.verb
    assert not list(list_reloads({}, {"docker/x.yaml": "1", "traefik/revision": "2"}, []))


def test_cost_is_in_units_of_people() -> None:
    """Bytes as MiB or GiB, counts with separators; what is equal as shown is no change."""
    before = {"expected": {"targets": 14, "series": 8000, "prometheus_disk": 2**30}, "memory_limits": {"a": 2**20}}
    after = {
        "expected": {"targets": 14, "series": 9000, "prometheus_disk": 2**30 + 1},
        "memory_limits": {"a": 2**30, "b": 2**30},
    }
    (change,) = compare_capacity(before, after)
    assert change.details == (
        Detail("memory limits of all parts", "1 MiB", "2.0 GiB"),
        Detail("series", "8,000", "9,000"),
    )
    assert not list(compare_capacity({}, after)) and format_size(0) == "0 MiB"

"""Targets that are lost in ways that no `up` shows, seen by the real Prometheus with the rendered rules.

Neither an engine nor a cluster is needed. Ranges and holds of the rules are shortened to seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.alerting import Watched, exporter, prometheus_files, served
from tests.support.systems import plan_shop
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, write_yaml

Lists = tuple[Watched, Path]


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lists]:
    """A Prometheus of which nothing is wrong, and the folder of its lists of targets."""
    folder, asked = tmp_path_factory.mktemp("lost"), [0]
    own: list[Watched] = []

    def page(host: str, probed: str) -> str | None:
        if host.startswith("prometheus:"):
            return own[0].metrics() if own else ""
        asked[0] += host.startswith("flaps")
        return None if host.startswith("flaps") and asked[0] % 2 else ""

    names = {"pair": {"port": 80, "addresses": ["pair-0:80", "pair-1:80"]}, "flaps": {"port": 80}, "gone": {"port": 80}}
    system = {"alerts": [], **{f"services.{name}": service for name, service in names.items()}}
    settings = {
        "prometheus": json.dumps({"evaluationInterval": "1s"}), "scrapeInterval": "1s", "longestFor": "3s",
    }  # fmt: skip
    plan = plan_shop(folder / "project", system, settings)
    with served(exporter(page)) as proxy:
        prometheus = Watched(plan, folder, prometheus_files(plan, folder / "prometheus", proxy, alertmanager=1))
        with prometheus.run():
            own.append(prometheus)
            eventually(lambda: len(prometheus.ask("up == 1")) > 8, timeout=60, what="everything is scraped")
            yield prometheus, folder / "prometheus/targets/services"


def fires(prometheus: Watched, alert: str, **labels: str) -> None:
    """Waits for an alert with these labels."""
    matchers = "".join(f', {name}="{value}"' for name, value in labels.items())
    query = f'ALERTS{{alertname="{alert}", alertstate="firing"{matchers}}}'
    eventually(lambda: prometheus.ask(query), timeout=90, what=query)


def replace_list(path: Path, text: str) -> None:
    """Another list in its place, whole at once."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def test_watchdog_fires_and_nothing_is_missing(lists: Lists) -> None:
    """With every target in its list, only Watchdog and the target that flaps are told of."""
    prometheus, _ = lists
    fires(prometheus, "Watchdog")
    missing = 'ALERTS{alertname=~"PrometheusTargetEmpty|TargetsFewerThanExpected", alertstate="firing"}'
    eventually(lambda: not prometheus.ask(missing), timeout=60, what="nothing is missing")


def test_a_target_that_flaps_is_told(lists: Lists) -> None:
    """It answers every other time, so it is never down for long."""
    prometheus, _ = lists
    fires(prometheus, "TargetFlapping", service="flaps")
    assert not prometheus.ask('ALERTS{alertname="TargetDown", alertstate="firing", service="flaps"}')


def test_one_that_is_not_found_is_told(lists: Lists) -> None:
    """Of two, one is in no list any more."""
    prometheus, folder = lists
    (group,) = read_yaml((folder / "pair.yml").read_text())
    replace_list(folder / "pair.yml", write_yaml([{**group, "targets": group["targets"][:1]}]))
    fires(prometheus, "TargetsFewerThanExpected", service="pair", job="pair")


def test_a_job_without_targets_is_told(lists: Lists) -> None:
    """A list that became empty: there is no `up`, so no target is down."""
    prometheus, folder = lists
    replace_list(folder / "gone.yml", "[]\n")
    fires(prometheus, "PrometheusTargetEmpty", service="gone", job="gone")
    assert not prometheus.ask('ALERTS{alertname="TargetDown", alertstate="firing", service="gone"}')


def spoiled(prometheus: Watched, counter: str, path: Path, texts: Iterator[str]) -> None:
    """Writes one bad list after another until Prometheus has counted twice: a counter must be seen to grow."""

    def counted() -> bool:
        replace_list(path, next(texts))
        return bool(prometheus.ask(f"sum({counter}) - sum({counter} offset 5s) > 0"))

    eventually(counted, timeout=90, what=counter)


def test_a_refused_target_is_told(lists: Lists) -> None:
    """A time-out that is longer than the interval is refused when the target is made; then it is in no list."""
    prometheus, folder = lists
    (group,) = read_yaml((folder / "worker.yml").read_text())
    texts = (
        write_yaml([{**group, "labels": {**group["labels"], "__scrape_timeout__": f"{60 + n}s"}}])
        for n in range(10_000)
    )
    spoiled(prometheus, "prometheus_target_sync_failed_total", folder / "worker.yml", texts)
    fires(prometheus, "PrometheusTargetSyncFailure")
    fires(prometheus, "PrometheusTargetEmpty", service="worker")


def test_a_list_that_cannot_be_read_is_told(lists: Lists) -> None:
    """Prometheus keeps the old targets, and counts."""
    prometheus, folder = lists
    spoiled(prometheus, "prometheus_sd_file_read_errors_total", folder / "api.yml", repeat("][\n"))
    fires(prometheus, "PrometheusSDRefreshFailure")

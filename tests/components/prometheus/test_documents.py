"""Prometheus' documents say what everyone contributed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from components.discovery import build_target_groups
from components.prometheus.documents import build_config as config_of
from components.prometheus.documents import render_documents as documents_of
from model.component import Planned
from model.scraping import Scrape
from model.stores import AlertReceiver
from model.telemetry import AlertRule, RecordingRule, RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from tests.components.prometheus.contexts import context, section
from tests.support.yaml_files import read_yaml

ALERT = AlertRule(name="Down", expr="up == 0", for_="1m", severity="critical", summary="s", description="d")


def config(context: Planned) -> dict[str, Any]:
    """The main document."""
    return config_of(section(context), context)


def job(**more: Any) -> ScrapeJob:
    """A scrape job of one target."""
    return ScrapeJob(
        **{"name": "api", "targets": (ScrapeTarget(address="api:4000", labels={"service": "api"}),), **more}
    )


def documents(telemetry: Telemetry, **own: Any) -> dict[str, Any]:
    """The parsed documents for a telemetry."""
    known = context(telemetry, **own)
    files = documents_of(section(known), known)
    return {path: read_yaml(text) for path, text in files.items()}


USUAL = {"__metrics_path__": "/metrics", "__scrape_interval__": "15s", "__scrape_timeout__": "10s"}


def test_jobs_share_an_entry_and_have_a_targets_file_each() -> None:
    """Targets stand in files of their own, which Prometheus re-reads by itself, and say what they are scraped as."""
    files = documents(Telemetry(scrape=(job(), job(name="web"))))
    assert files["prometheus.yml"]["scrape_configs"] == [
        {
            "job_name": "services",
            "scheme": "http",
            "sample_limit": 50_000,
            "fallback_scrape_protocol": "PrometheusText0.0.4",
            "file_sd_configs": [{"files": ["targets/services/*.yml"]}],
        }
    ]
    assert files["targets/services/api.yml"] == [
        {"targets": ["api:4000"], "labels": {"service": "api", "job": "api", **USUAL}}
    ]
    assert files["targets/services/web.yml"][0]["labels"]["job"] == "web"


def test_many_services_are_few_entries() -> None:
    """Each entry costs one of the host's 128 inotify instances, so their number must not follow the services'."""
    many = Telemetry(scrape=tuple(job(name=f"s{n}") for n in range(500)))
    assert len(documents(many)["prometheus.yml"]["scrape_configs"]) == 1


def test_what_a_job_says_wins_over_the_defaults() -> None:
    """Interval, time-out, limit, parameters and relabelling are taken from the job."""
    relabel = {"source_labels": ["a"], "target_label": "b"}
    special = job(interval="5s", params={"module": ("x",)}, relabel=(relabel,), metric_relabel=(relabel,), path="/m")
    limited = job(name="limited", sample_limit=7)
    files = documents(Telemetry(scrape=(special, limited)))
    entry, other = files["prometheus.yml"]["scrape_configs"]
    assert (entry["job_name"], entry["params"]) == ("api", {"module": ["x"]})
    assert entry["relabel_configs"] == entry["metric_relabel_configs"] == [relabel]
    labels = files["targets/api/api.yml"][0]["labels"]
    assert (labels["__metrics_path__"], labels["__scrape_interval__"], labels["__scrape_timeout__"]) == (
        "/m",
        "5s",
        "5s",
    )
    assert (other["job_name"], other["sample_limit"]) == ("services-7", 7)
    assert "targets/services-7/limited.yml" in files


def test_labels_of_a_series_can_win_over_those_of_its_target() -> None:
    """An exporter that tells of others says whom; its entry is its own, since no label of a target can ask for that."""
    files = documents(Telemetry(scrape=(job(), job(name="objects", honor_labels=True))))
    entry, other = files["prometheus.yml"]["scrape_configs"]
    assert "honor_labels" not in entry
    assert (other["job_name"], other["honor_labels"]) == ("objects", True)
    assert "targets/objects/objects.yml" in files


def test_targets_of_the_same_labels_stand_together() -> None:
    """A thousand targets of one service are one group."""
    targets = tuple(ScrapeTarget(address=f"h:{n}", labels={"b": "1", "a": str(n % 2)}) for n in range(4))
    assert build_target_groups(job(targets=targets), context().settings.scrape_interval) == [
        {"targets": ["h:0", "h:2"], "labels": {"a": "0", "b": "1", "job": "api", **USUAL}},
        {"targets": ["h:1", "h:3"], "labels": {"a": "1", "b": "1", "job": "api", **USUAL}},
    ]


def test_rule_groups_become_files() -> None:
    """Recordings come before the alerts that use them, and an alert carries its severity and texts."""
    group = RuleGroup(
        name="api",
        interval="30s",
        recordings=(
            RecordingRule(record="a:b:c", expr="x"),
            RecordingRule(record="d:e:f", expr="y", labels={"l": "1"}),
        ),
        alerts=(replace(ALERT, labels={"team": "t"}, annotations={"runbook_url": "u"}),),
    )
    (written,) = documents(Telemetry(rules=(group,)))["rules/api.yml"]["groups"]
    assert written["interval"] == "30s"
    assert written["rules"] == [
        {"record": "a:b:c", "expr": "x"},
        {"record": "d:e:f", "expr": "y", "labels": {"l": "1"}},
        {
            "alert": "Down",
            "expr": "up == 0",
            "for": "1m",
            "labels": {"severity": "critical", "team": "t"},
            "annotations": {"summary": "s", "description": "d", "runbook_url": "u"},
        },
    ]


def test_alerts_go_to_alertmanager_when_there_is_one() -> None:
    """Without Alertmanager nothing is notified, and nothing fails for that."""
    assert "alerting" not in config(context())
    receiver = AlertReceiver(targets=("a-0:9093", "a-1:9093"), path_prefix="/a")
    served = config(context(Telemetry(alert_receivers=(receiver,))))["alerting"]["alertmanagers"]
    assert served == [{"path_prefix": "/a", "static_configs": [{"targets": ["a-0:9093", "a-1:9093"]}]}]


def test_documents_keep_their_order() -> None:
    """The same plan always gives the same text."""
    telemetry = Telemetry(scrape=(job(),), rules=(RuleGroup(name="api", alerts=(ALERT,)),))
    assert json.dumps(documents(telemetry)) == json.dumps(documents(telemetry))
    assert next(iter(config(context(telemetry)))) == "global"


SCRAPE = Scrape.model_validate(
    {
        "scheme": "https",
        "tls": {"caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "serverName": "a.b"},
        "basicAuth": {"username": "prometheus", "passwordSecret": "metrics-password"},
        "headers": {"X-Scope": "shop"},
    }
)


def test_services_that_are_asked_alike_share_an_entry() -> None:
    """A thousand services behind one login are one entry, with one file of whom to trust."""
    asked = [job(name=f"s{n}", scheme="https", scrape=SCRAPE) for n in range(9)]
    files = documents(Telemetry(scrape=(*asked, job(name="plain"))))
    entry, plain = files["prometheus.yml"]["scrape_configs"]
    assert plain["job_name"] == "services" and "basic_auth" not in plain
    (trusted,) = (path for path in files if path.startswith("certificates/"))
    assert trusted == f"certificates/{entry['job_name']}.pem"
    assert entry["tls_config"] == {"ca_file": trusted, "server_name": "a.b"}
    assert entry["basic_auth"] == {"username": "prometheus", "password_file": "/run/secrets/metrics-password"}
    assert entry["http_headers"] == {"X-Scope": {"values": ["shop"]}}


def test_names_are_as_rules_have_them() -> None:
    """Unless a service says otherwise, a name that a rule cannot hold is written with underscores."""
    other = job(name="dotted", scrape=Scrape.model_validate({"metricNameEscapingScheme": "dots"}))
    document = documents(Telemetry(scrape=(job(), other)))["prometheus.yml"]
    assert document["global"]["metric_name_escaping_scheme"] == "underscores"
    assert [entry.get("metric_name_escaping_scheme") for entry in document["scrape_configs"]] == [None, "dots"]

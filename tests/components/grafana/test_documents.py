"""Grafana's documents: data sources, dashboards, and what its environment forbids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from components.grafana.documents import build_providers
from model.plan import Plan
from tests.components.grafana.plans import board, workload
from tests.support.systems import plan_shop
from tests.support.yaml_files import read_yaml


def files(plan: Plan) -> dict[str, Any]:
    """Grafana's provisioning documents, parsed."""
    config = workload(plan).config
    assert config is not None
    return {path: read_yaml(text) for path, text in config.files.items()}


def test_data_sources_are_those_of_everyone(tmp_path: Path) -> None:
    """Each data source keeps its uid, cannot be edited, and goes when its owner goes."""
    plan = plan_shop(tmp_path)
    document = files(plan)["datasources/datasources.yaml"]
    assert document["prune"] is True
    assert {item["uid"] for item in document["datasources"]} == {source.uid for source in plan.telemetry.datasources}
    assert [item["uid"] for item in document["datasources"] if item["isDefault"]] == ["prometheus"]
    assert not any(item["editable"] for item in document["datasources"])


def test_every_folder_has_one_provider() -> None:
    """A folder is provided once, however many dashboards it has, from a directory of its own."""
    found = build_providers((board("a", "B & C"), board("b", "B & C"), board("c", "A")))["providers"]
    assert [(item["folder"], item["options"]["path"]) for item in found] == [
        ("A", "/etc/grafana/provisioning/boards/a"),
        ("B & C", "/etc/grafana/provisioning/boards/b-c"),
    ]


def test_dashboards_are_files_by_folder_and_uid(tmp_path: Path) -> None:
    """The system's and the stack's own dashboard are there, each under its provider's directory."""
    config = workload(plan_shop(tmp_path)).config
    assert config is not None
    boards = {path: json.loads(text) for path, text in config.files.items() if path.startswith("boards/")}
    assert {path: model["uid"] for path, model in boards.items()} == {
        **{
            f"boards/monitoring/{uid}.json": uid
            for uid in ("index", "monitoring-stack", "containers", "host", "probes", "traefik")
        },
        "boards/shop/shop-overview.json": "shop-overview",
        "boards/shop/shop-slo.json": "shop-slo",
    }


def test_people_begin_at_the_index(tmp_path: Path) -> None:
    """The dashboard that is opened after a login is one of the delivered files."""
    deployed = workload(plan_shop(tmp_path))
    assert deployed.config is not None
    home = deployed.env["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.removeprefix(f"{deployed.config.path}/") in deployed.config.files


def test_panels_refer_to_data_sources_that_exist(tmp_path: Path) -> None:
    """No panel asks a data source that nobody provides."""
    plan = plan_shop(tmp_path)
    known = {source.uid for source in plan.telemetry.datasources}
    used = {
        panel["datasource"]["uid"]
        for dashboard in plan.telemetry.dashboards
        for panel in dashboard.model["panels"]
        if "datasource" in panel
    }
    assert used <= known


def test_nobody_gets_in_uninvited(tmp_path: Path) -> None:
    """No anonymous access, no sign-up, nothing sent home, nothing downloaded, no alerting beside Alertmanager."""
    env = workload(plan_shop(tmp_path)).env
    for variable in (
        "GF_AUTH_ANONYMOUS_ENABLED",
        "GF_USERS_ALLOW_SIGN_UP",
        "GF_USERS_VIEWERS_CAN_EDIT",
        "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_ANALYTICS_CHECK_FOR_UPDATES",
        "GF_UNIFIED_ALERTING_ENABLED",
    ):
        assert env[variable] == "false", variable
    assert env["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert env["GF_DASHBOARDS_MIN_REFRESH_INTERVAL"] == "10s"


def test_cookies_are_secure_with_https(tmp_path: Path) -> None:
    """The scheme of the base URL decides whether cookies travel over plain HTTP."""
    found = {
        url: workload(plan_shop(tmp_path / url[:5], settings={"baseUrl": url})).env
        for url in ("http://127.0.0.1:8080", "https://m.example.com")
    }
    assert [env["GF_SECURITY_COOKIE_SECURE"] for env in found.values()] == ["false", "true"]
    assert found["https://m.example.com"]["GF_SERVER_ROOT_URL"] == "https://m.example.com/"


def test_traces_open_from_log_lines(tmp_path: Path) -> None:
    """Where a tracing backend is named, log lines lead to traces by their trace_id, and traces to log lines."""
    settings = {"grafana": json.dumps({"tracing": {"kind": "jaeger", "url": "http://jaeger:16686"}})}
    sources = {
        s["uid"]: s
        for s in files(plan_shop(tmp_path, settings=settings))["datasources/datasources.yaml"]["datasources"]
    }
    assert (sources["tracing"]["type"], sources["tracing"]["url"]) == ("jaeger", "http://jaeger:16686")
    assert sources["tracing"]["jsonData"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    in_line, beside = sources["loki"]["jsonData"]["derivedFields"]
    assert {in_line["datasourceUid"], beside["datasourceUid"]} == {"tracing"}
    found = re.search(in_line["matcherRegex"], '{"level": "info", "trace_id": "4bf92f3577b34da6"}')
    assert found is not None and found[1] == "4bf92f3577b34da6"
    assert beside["matcherType"] == "label"


def test_the_stacks_own_traces_open_by_themselves(tmp_path: Path) -> None:
    """Where the stack keeps traces itself, log lines lead to them and back without another setting."""
    plan = plan_shop(tmp_path, settings={"jaeger": '{"enabled": true}'})
    sources = {s["uid"]: s for s in files(plan)["datasources/datasources.yaml"]["datasources"]}
    assert (sources["tracing"]["type"], sources["tracing"]["url"]) == ("jaeger", "http://jaeger:16686/jaeger")
    assert sources["tracing"]["jsonData"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert {link["datasourceUid"] for link in sources["loki"]["jsonData"]["derivedFields"]} == {"tracing"}


def test_a_named_tracing_backend_stands_for_the_stacks_own(tmp_path: Path) -> None:
    """Log lines lead to the backend that the settings name, and there is one data source of traces."""
    named = json.dumps({"tracing": {"kind": "tempo", "url": "http://tempo.internal:3200"}})
    plan = plan_shop(tmp_path, settings={"jaeger": '{"enabled": true}', "grafana": named})
    sources = files(plan)["datasources/datasources.yaml"]["datasources"]
    assert [s["url"] for s in sources if s["type"] in ("jaeger", "tempo")] == ["http://tempo.internal:3200"]


def test_without_a_tracing_backend_nothing_leads_nowhere(tmp_path: Path) -> None:
    """No link is made to a data source that is not there."""
    sources = files(plan_shop(tmp_path))["datasources/datasources.yaml"]["datasources"]
    assert not [source["uid"] for source in sources if "derivedFields" in source["jsonData"]]

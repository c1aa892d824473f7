"""Grafana: its provisioning holds what everyone contributed, and nobody gets in by default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import grafana
from components.assemble import ConfigValue
from components.base import ComponentArgs
from model.errors import ConfigError
from model.plan import Plan
from model.telemetry import Dashboard
from model.workload import HttpProbe, Workload
from targets.docker.check import check
from targets.docker.register import DockerTarget
from tests.support.mocks import by_name, run_program
from tests.support.planned import job
from tests.support.systems import plan_cluster, plan_shop


def workload(plan: Plan) -> Workload:
    """Grafana's workload."""
    (found,) = plan.workloads["grafana"]
    return found


def files(plan: Plan) -> dict[str, Any]:
    """Grafana's provisioning documents, parsed."""
    config = workload(plan).config
    assert config is not None
    return {path: yaml.safe_load(text) for path, text in config.files.items()}


def board(uid: str, folder: str) -> Dashboard:
    """A dashboard of a folder."""
    return Dashboard(uid=uid, title=uid, folder=folder, model={"uid": uid, "title": uid})


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
    found = grafana.providers((board("a", "B & C"), board("b", "B & C"), board("c", "A")))["providers"]
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


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    """Password and database key are generated, and no variable holds either."""
    plan = plan_shop(tmp_path)
    made = workload(plan)
    for variable, name in grafana.SECRETS.items():
        assert plan.secrets[name].generate
        assert made.env[variable] == f"$__file{{/run/secrets/{name}}}"
    assert {secret.path for secret in made.secrets} == {f"/run/secrets/{name}" for name in grafana.SECRETS.values()}
    loud = [key for key in made.env if "PASSWORD" in key or "SECRET" in key]
    assert all(made.env[key].startswith("$__file{") for key in loud)


def test_each_start_writes_the_password_into_the_database(tmp_path: Path) -> None:
    """Grafana's own command reads it from the secret's file, and no argument has it; then Grafana starts as ever."""
    shell, options, script = workload(plan_shop(tmp_path)).entrypoint
    assert (shell, options) == ("/bin/sh", "-ec")
    assert "admin reset-admin-password --password-from-stdin </run/secrets/grafana-admin-password\n" in script
    assert script.endswith("exec /run.sh\n")


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


def test_dashboards_reload_and_data_sources_restart(tmp_path: Path) -> None:
    """A changed dashboard is loaded in place as the administrator; only data sources need a new start."""
    config = workload(plan_shop(tmp_path)).config
    assert config is not None and config.reload is not None
    assert config.reload.path == "/api/admin/provisioning/dashboards/reload"
    assert config.reload.basic_auth == ("admin", "/run/secrets/grafana-admin-password")
    assert config.restart_on == {"datasources/datasources.yaml"}
    assert config.restart_on <= config.files.keys()


def test_settings_reach_the_workload(tmp_path: Path) -> None:
    """Image, port, limits and time-out are those of the settings."""
    section = json.dumps({"image": "grafana-standin", "port": 13000, "memory": "512MiB", "queryTimeout": "2m"})
    made = workload(plan_shop(tmp_path, settings={"grafana": section}))
    assert made.image == "grafana-standin"
    assert made.ports[0].publish == 13000
    assert made.limits.memory == 512 * 2**20
    assert made.env["GF_DATAPROXY_TIMEOUT"] == "120"


def test_the_system_decides_the_port(tmp_path: Path) -> None:
    """Without a setting the port is the one that the system's people are used to, else Grafana's own."""
    assert workload(plan_shop(tmp_path / "a")).ports[0].publish == 3000
    assert workload(plan_shop(tmp_path / "b", {"ports": {"grafana": 3001}})).ports[0].publish == 3001


def test_the_workload_is_hardened_and_probed(tmp_path: Path) -> None:
    """It needs no exemption, keeps its database, and is asked for its health."""
    made = workload(plan_shop(tmp_path))
    assert made.exemptions == ()
    assert isinstance(made.probe, HttpProbe) and made.probe.path == "/api/health"
    assert [(volume.path, volume.retain) for volume in made.volumes] == [("/var/lib/grafana", True)]


def test_it_watches_itself_and_is_reached_at_the_root(tmp_path: Path) -> None:
    """Grafana is scraped, has alerts, and its own login guards its route."""
    telemetry = plan_shop(tmp_path).telemetry
    (job,) = [job for job in telemetry.scrape if job.name == "grafana"]
    assert job.targets[0].labels["service"] == "grafana"
    (route,) = [route for route in telemetry.routes if route.name == "grafana"]
    assert (route.prefix, route.login, route.strip) == ("/", False, False)
    assert {alert.name for group in telemetry.rules if group.name == "grafana" for alert in group.alerts} == {
        "GrafanaErrors",
        "GrafanaDatasourceErrors",
    }


def test_the_resource_works_alone(tmp_path: Path) -> None:
    """Someone else's program can deploy Grafana by itself, through the typed resource."""
    plan = plan_shop(tmp_path)

    def program() -> None:
        secrets = dict.fromkeys(grafana.SECRETS.values(), "value")
        target = DockerTarget("dev", plan.settings.docker, plan.images, _outputs(secrets))
        grafana.Grafana("grafana", ComponentArgs(workloads=[workload(plan)], target=target))

    resources = run_program(program)
    container = by_name(resources, "dev-grafana", ":Container")
    assert any(r.type == "observability:components:Grafana" for r in resources)
    assert "GF_PATHS_PROVISIONING=/etc/grafana/provisioning" in container.inputs["envs"]


def _outputs(values: dict[str, str]) -> dict[str, Any]:
    import pulumi  # noqa: PLC0415 - outputs belong to the program that runs

    return {name: pulumi.Output.secret(value) for name, value in values.items()}


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


DATABASE = {"type": "postgres", "host": "db.internal:5432"}
PASSWORD = ConfigValue("", secret=True)


def with_database(folder: Path, **more: object) -> Plan:
    """A shop on a cluster, whose Grafana keeps its data in a database."""
    section = {"database": DATABASE, **more}
    return plan_cluster(folder, settings={"grafana": json.dumps(section), "grafana-database-password": PASSWORD})


def test_a_database_stands_for_the_volume(tmp_path: Path) -> None:
    """Users and preferences are kept elsewhere: no volume, a way out, and trust in the database's certificate."""
    made = workload(with_database(tmp_path))
    assert made.volumes == () and made.egress == "anywhere" and grafana.DATA_DIR in made.tmpfs
    given = {key.removeprefix("GF_DATABASE_"): value for key, value in made.env.items() if "_DATABASE_" in key}
    assert given == {
        "TYPE": "postgres",
        "HOST": "db.internal:5432",
        "NAME": "grafana",
        "USER": "grafana",
        "SSL_MODE": "verify-full",
        "PASSWORD": "$__file{/run/secrets/grafana-database-password}",
    }
    assert "/run/secrets/grafana-database-password" in {secret.path for secret in made.secrets}


def test_the_database_works_on_docker_too(tmp_path: Path) -> None:
    """It needs no cluster; only instances do."""
    section = json.dumps({"database": DATABASE})
    plan = plan_shop(tmp_path, settings={"grafana": section, "grafana-database-password": PASSWORD})
    assert workload(plan).volumes == () and check(plan.every()) == []
    many = json.dumps({"database": DATABASE, "replicas": 2})
    plan = plan_shop(tmp_path, settings={"grafana": many, "grafana-database-password": PASSWORD})
    assert check(plan.every()) == ["workload 'grafana': 2 replicas need a cluster; use one on Docker"]


def test_a_certificate_of_the_databases_own_is_delivered(tmp_path: Path) -> None:
    """Who signed it is a document that is read at start, and a variable says where."""
    text = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    made = workload(with_database(tmp_path, database={**DATABASE, "caCertificate": text}))
    assert made.config is not None and made.config.files["database/ca.pem"] == text
    assert "database/ca.pem" in made.config.restart_on
    assert made.env["GF_DATABASE_CA_CERT_PATH"] == f"{made.config.path}/database/ca.pem"


def test_instances_that_share_a_database_are_all_scraped(tmp_path: Path) -> None:
    """Each is a target of its own."""
    plan = with_database(tmp_path, replicas=3)
    assert workload(plan).replicas == 3
    found = job(plan, "grafana").discovery
    assert found is not None and found.selector["io.observability.workload"] == "grafana"


def test_the_databases_password_is_somebody_elses(tmp_path: Path) -> None:
    """It is not made up; without it nothing is planned."""
    with pytest.raises(ConfigError, match=r"the password of Grafana's user grafana at db\.internal:5432; set"):
        plan_shop(tmp_path, settings={"grafana": json.dumps({"database": DATABASE})})

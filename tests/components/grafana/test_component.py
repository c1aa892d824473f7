"""Grafana: its provisioning holds what everyone contributed, and nobody gets in by default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.grafana.component import Grafana
from components.grafana.settings import DATA_DIR, SECRETS
from model.errors import ConfigError
from model.plan import Plan
from model.workload import HttpProbe
from stack.assemble import ConfigValue
from stack.resource import ComponentArgs, MonitoringComponent
from targets.docker.check import check
from targets.docker.register import DockerTarget
from tests.components.grafana.plans import workload
from tests.support.mocks import by_name, run_program
from tests.support.planned import job
from tests.support.systems import plan_cluster, plan_shop


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    """Password and database key are generated, and no variable holds either."""
    plan = plan_shop(tmp_path)
    made = workload(plan)
    for variable, name in SECRETS.items():
        assert plan.secrets[name].generate
        assert made.env[variable] == f"$__file{{/run/secrets/{name}}}"
    assert {secret.path for secret in made.secrets} == {f"/run/secrets/{name}" for name in SECRETS.values()}
    loud = [key for key in made.env if "PASSWORD" in key or "SECRET" in key]
    assert all(made.env[key].startswith("$__file{") for key in loud)


def test_each_start_writes_the_password_into_the_database(tmp_path: Path) -> None:
    """Grafana's own command reads it from the secret's file, and no argument has it; then Grafana starts as ever."""
    shell, options, script = workload(plan_shop(tmp_path)).entrypoint
    assert (shell, options) == ("/bin/sh", "-ec")
    assert "admin reset-admin-password --password-from-stdin </run/secrets/grafana-admin-password\n" in script
    assert script.endswith("exec /run.sh\n")


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
    section = json.dumps({"image": "dashboard-viewer", "port": 13000, "memory": "512MiB", "queryTimeout": "2m"})
    made = workload(plan_shop(tmp_path, settings={"grafana": section}))
    assert made.image == "dashboard-viewer"
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
        "GrafanaRequestsFailing",
        "GrafanaDatasourceErrors",
    }


def test_the_resource_works_alone(tmp_path: Path) -> None:
    """Someone else's program can deploy Grafana by itself, through the typed resource."""
    plan = plan_shop(tmp_path)

    def program() -> None:
        secrets = dict.fromkeys(SECRETS.values(), "value")
        target = DockerTarget("dev", plan.settings.docker, plan.images, _outputs(secrets))
        MonitoringComponent(Grafana, "grafana", ComponentArgs(workloads=[workload(plan)], target=target))

    resources = run_program(program)
    container = by_name(resources, "dev-grafana", ":Container")
    assert any(r.type == "observability:components:Grafana" for r in resources)
    assert "GF_PATHS_PROVISIONING=/etc/grafana/provisioning" in container.inputs["envs"]


def _outputs(values: dict[str, str]) -> dict[str, Any]:
    import pulumi  # noqa: PLC0415 - outputs belong to the program that runs

    return {name: pulumi.Output.secret(value) for name, value in values.items()}


DATABASE = {"type": "postgres", "host": "db.internal:5432"}


PASSWORD = ConfigValue("", secret=True)


def with_database(folder: Path, **more: object) -> Plan:
    """A shop on a cluster, whose Grafana keeps its data in a database."""
    section = {"database": DATABASE, **more}
    return plan_cluster(folder, settings={"grafana": json.dumps(section), "grafana-database-password": PASSWORD})


def test_a_database_stands_for_the_volume(tmp_path: Path) -> None:
    """Users and preferences are kept elsewhere: no volume, a way out, and trust in the database's certificate."""
    made = workload(with_database(tmp_path))
    assert made.volumes == () and made.egress == "anywhere" and DATA_DIR in made.tmpfs
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
    assert workload(plan).volumes == () and check(plan.list_workloads()) == []
    many = json.dumps({"database": DATABASE, "replicas": 2})
    plan = plan_shop(tmp_path, settings={"grafana": many, "grafana-database-password": PASSWORD})
    assert check(plan.list_workloads()) == ["workload 'grafana': 2 replicas need a cluster; use one on Docker"]


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


def rows(plan: Plan) -> list[str]:
    """The headings of the stack's own dashboard."""
    (board,) = (board for board in plan.telemetry.dashboards if board.uid == "monitoring-stack")
    return [panel["title"] for panel in board.model["panels"] if panel["type"] == "row"]


def test_the_stacks_dashboard_has_a_row_for_what_runs(tmp_path: Path) -> None:
    """Each component that runs has its row, in an order that is not that of deployment; what is off has none."""
    first = ["Targets and alerts", "Prometheus", "Alertmanager", "Loki"]
    assert rows(plan_shop(tmp_path)) == [*first, "Promtail", "Grafana", "Containers", "Host", "Traefik"]
    assert rows(plan_shop(tmp_path, settings={"jaeger": '{"enabled": true}'})) == [
        *first, "Jaeger", "Promtail", "Grafana", "Containers", "Host", "Traefik",
    ]  # fmt: skip
    assert rows(plan_cluster(tmp_path)) == [*first, "Promtail", "Grafana", "Cluster", "Containers", "Host", "Traefik"]


def test_its_database_is_copied_as_one(tmp_path: Path) -> None:
    """By SQLite itself, with the name of the key that it is encrypted with; a database elsewhere is not backed up."""
    plan = plan_shop(tmp_path / "a")
    (source,) = [item for item in plan.telemetry.backups if item.workload == "grafana"]
    assert source.sqlite == ("grafana.db",) and source.secrets == (SECRETS["GF_SECURITY_SECRET_KEY"],)
    assert (source.volume,) == workload(plan).volumes and source.volume.path == DATA_DIR
    database = {"grafana": json.dumps({"database": {"type": "postgres", "host": "db.example.com:5432"}})}
    other = plan_shop(tmp_path / "b", settings={**database, "grafana-database-password": ConfigValue("", secret=True)})
    assert "grafana" not in {item.workload for item in other.telemetry.backups}
    assert [said for said in other.telemetry.data_elsewhere if "db.example.com:5432" in said]


def test_the_viewer_has_no_database(tmp_path: Path) -> None:
    """What draws dashboards in Grafana's place has an account in a file."""
    plan = plan_shop(tmp_path, settings={"grafana": '{"image": "dashboard-viewer"}'})
    assert [item.sqlite for item in plan.telemetry.backups if item.workload == "grafana"] == [()]

"""Jaeger: off unless wanted, spans on a volume for as long as is said, nothing published that no setting names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.jaeger import component as jaeger
from model.plan import Plan
from model.workload import HttpProbe
from stack.resource import ComponentArgs, MonitoringComponent
from targets.docker.register import DockerTarget
from tests.support.mocks import by_name, run_program
from tests.support.planned import document, explained, job, scraped_as, workload
from tests.support.systems import plan_shop


def planned(folder: Path, **settings: object) -> Plan:
    """The shop with Jaeger switched on."""
    return plan_shop(folder, settings={"jaeger": json.dumps({"enabled": True, **settings})})


def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    """Without a word about it there is no Jaeger, no data source of traces, and nowhere to send spans."""
    plan = plan_shop(tmp_path)
    assert "jaeger" not in plan.workloads
    assert not plan.telemetry.spans and not [s for s in plan.telemetry.datasources if s.kind == "jaeger"]


def test_spans_expire_on_a_volume(tmp_path: Path) -> None:
    """Spans are kept in Badger on a data volume, for seven days unless told otherwise."""
    plan = planned(tmp_path)
    (volume,) = workload(plan, "jaeger").volumes
    assert (volume.path, volume.retain) == ("/badger", True)
    (store,) = document(plan, "jaeger", "jaeger.yaml")["extensions"]["jaeger_storage"]["backends"].values()
    assert all(path.startswith(f"{volume.path}/") for path in store["badger"]["directories"].values())
    assert store["badger"]["ttl"] == {"spans": "604800000ms"}


def test_every_way_in_is_open_inside_the_stack(tmp_path: Path) -> None:
    """Web interface, collector and both kinds of OTLP listen on their usual ports, with names of their own."""
    made = workload(planned(tmp_path), "jaeger")
    assert [port.number for port in made.ports] == [16686, 14268, 4317, 4318, 8888]
    assert len({port.name for port in made.ports}) == 5


def test_a_change_of_its_document_starts_it_anew(tmp_path: Path) -> None:
    """It reads its document at its start alone, and another retention is another document; its program judges it."""
    before, after = (
        workload(planned(tmp_path / retention, retention=retention), "jaeger").config for retention in ("7d", "3d")
    )
    assert before and after and before.reload is None and before.restart_on == before.files.keys()
    assert before.compute_restart_digest() != after.compute_restart_digest()
    assert before.validate == ("/cmd/jaeger/jaeger-linux", "validate", "--config={dir}/jaeger.yaml")
    assert workload(planned(tmp_path / "c"), "jaeger").args == ("--config=/etc/jaeger/jaeger.yaml",)


def test_ports_are_published_when_set(tmp_path: Path) -> None:
    """No port of the host is taken unless a setting or the system names it, and then on loopback."""
    assert [port.publish for port in workload(planned(tmp_path / "a"), "jaeger").ports] == [None] * 5
    plan = planned(tmp_path / "b", port=1, collectorPort=2, otlpGrpcPort=3, otlpHttpPort=4)
    assert [(port.publish, port.bind) for port in workload(plan, "jaeger").ports[:4]] == [
        (number, "127.0.0.1") for number in (1, 2, 3, 4)
    ]
    settings = {"jaeger": '{"enabled": true}'}
    system = plan_shop(tmp_path / "c", {"ports": {"jaeger": 16686}}, settings)
    assert workload(system, "jaeger").ports[0].publish == 16686


def test_people_reach_it_by_its_prefix(tmp_path: Path) -> None:
    """Traefik's route, the data source and the process agree on the path."""
    plan = planned(tmp_path)
    (route,) = [route for route in plan.telemetry.routes if route.name == "jaeger"]
    (source,) = [source for source in plan.telemetry.datasources if source.kind == "jaeger"]
    assert (route.prefix, route.strip) == ("/jaeger", False)
    assert source.url == f"{route.url}{route.prefix}"
    assert document(plan, "jaeger", "jaeger.yaml")["extensions"]["jaeger_query"]["base_path"] == route.prefix


def test_the_workload_is_hardened_and_probed(tmp_path: Path) -> None:
    """It needs no exemption and no secret, and has a port for its health alone."""
    made = workload(planned(tmp_path), "jaeger")
    assert made.exemptions == () and made.secrets == ()
    assert made.probe == HttpProbe(path="/status", port=13133)


@pytest.mark.parametrize(("memory", "heap"), [(None, "409MiB"), ("1GiB", "819MiB")])
def test_its_heap_stays_within_its_memory(tmp_path: Path, memory: str | None, heap: str) -> None:
    """It collects garbage before its container's limit, of which the document's limit is the same share."""
    plan = planned(tmp_path, **({"memory": memory} if memory else {}))
    assert workload(plan, "jaeger").env == {"GOMEMLIMIT": heap}
    limiter = document(plan, "jaeger", "jaeger.yaml")["processors"]["memory_limiter"]
    assert limiter["limit_percentage"] == 80 > limiter["spike_limit_percentage"]


@pytest.mark.parametrize("key", ["collectorPort", "otlpGrpcPort", "otlpHttpPort"])
def test_a_port_is_wanted_once(tmp_path: Path, key: str) -> None:
    """A port that something else publishes is refused, as for every other component."""
    with pytest.raises(Exception, match="host port 9090 is wanted by jaeger and prometheus"):
        planned(tmp_path, **{key: 9090})


def test_it_watches_itself(tmp_path: Path) -> None:
    """Jaeger is scraped at the port of its metrics and has alerts of its own."""
    plan = planned(tmp_path)
    scraped_as(plan, "jaeger")
    assert [target.address for target in job(plan, "jaeger").targets] == ["jaeger:8888"]
    explained(plan, "jaeger")


def test_the_resource_works_alone(tmp_path: Path) -> None:
    """Someone else's program can deploy Jaeger by itself, through the typed resource."""
    plan = planned(tmp_path)

    def program() -> None:
        target = DockerTarget("dev", plan.settings.docker, plan.images, {})
        MonitoringComponent(jaeger.Jaeger, "jaeger", ComponentArgs(workloads=[workload(plan, "jaeger")], target=target))

    resources = run_program(program)
    assert by_name(resources, "dev-jaeger", ":Container").inputs["readOnly"] is True
    assert any(resource.type == "observability:components:Jaeger" for resource in resources)


def test_its_list_of_tables_is_copied_first_and_values_last(tmp_path: Path) -> None:
    """Each path is one that its configuration names, below its volume."""
    plan = planned(tmp_path)
    (source,) = [item for item in plan.telemetry.backups if item.workload == "jaeger"]
    stores = document(plan, "jaeger", "jaeger.yaml")["extensions"]["jaeger_storage"]["backends"]
    folders = {
        key: path.removeprefix(f"{source.volume.path}/")
        for key, path in stores["badger"]["badger"]["directories"].items()
    }
    assert source.order == (f"{folders['keys']}/MANIFEST", folders["keys"])
    assert set(source.exclude) == {f"{folder}/LOCK" for folder in folders.values()}

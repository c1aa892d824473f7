"""Promtail's document: which lines it collects, and their labels."""

from __future__ import annotations

from pathlib import Path

from model.logs import HIGH_CARDINALITY
from model.plan import Plan
from tests.components.promtail.plans import config
from tests.support.planned import document, workload
from tests.support.systems import plan_shop


def test_containers_are_read_through_the_proxy(tmp_path: Path) -> None:
    """Discovery asks the socket proxy, never the socket, and its lines are {job="containerlogs"}."""
    job = config(tmp_path)["scrape_configs"][0]
    assert job["docker_sd_configs"][0]["host"] == "tcp://socket-proxy:2375"
    assert {"target_label": "job", "replacement": "containerlogs"} in job["relabel_configs"]
    assert not workload(plan_shop(tmp_path), "promtail").host_mounts


def test_index_labels_have_few_values(tmp_path: Path) -> None:
    """No field with many values becomes an index label; those that people search by become structured metadata."""
    stages = config(tmp_path)["scrape_configs"][0]["pipeline_stages"]
    matched = [stage["match"]["stages"] for stage in stages if "match" in stage]
    labels = {name for found in matched for stage in found for name in stage.get("labels", {})}
    metadata = {name for found in matched for stage in found for name in stage.get("structured_metadata", {})}
    assert labels == {"level"} and not labels & HIGH_CARDINALITY
    assert {"trace_id", "request_id"} <= metadata


def test_a_service_says_how_it_is_read(tmp_path: Path) -> None:
    """What a service says of its lines is in the pipeline of containers, beside the rules that name it."""
    job = config(tmp_path, {"services.api.logs": {"labels": ["component"], "container": "shop_api"}})["scrape_configs"][
        0
    ]
    first = job["pipeline_stages"][0]["match"]
    assert first["selector"].startswith('{service=~"api"}') and "component" in str(first["stages"])
    assert {
        "source_labels": ["container"],
        "regex": "(?i)shop[-_]api",
        "target_label": "service",
        "replacement": "api",
    } in (job["relabel_configs"])


def test_entries_may_have_one_job(tmp_path: Path) -> None:
    """Each has a name of its own, as Promtail takes none twice, and their lines have the label job that they say."""
    logs = [{"path": f"/var/log/{name}.log", "job": "shop"} for name in "abc"]
    jobs = config(tmp_path, {"hostLogs": logs})["scrape_configs"][1:]
    assert [job["job_name"] for job in jobs] == ["shop", "shop.2", "shop.3"]
    assert {job["static_configs"][0]["labels"]["job"] for job in jobs} == {"shop"}


def test_no_two_entries_read_the_file_of_a_stand_in(tmp_path: Path) -> None:
    """In a demo each stand-in writes one file, which the first entry that names it has; for real ones both are read."""
    both = {"job": "shop", "writtenBy": ["api", "worker"]}
    logs = [
        {**both, "path": "/var/log/a.log"},
        {**both, "path": "/var/log/b.log"},
        {"path": "/var/log/c.log", "job": "c"},
    ]
    demo = plan_shop(tmp_path / "demo", {"hostLogs": logs}, {"demo": "true"})
    assert read(demo) == ["/host/var/log/{api,worker}/*.log", "/host/var/log/c.log"]
    assert len({volume.path for volume in workload(demo, "promtail").shared_volumes}) == 2
    assert len(read(plan_shop(tmp_path / "real", {"hostLogs": logs}))) == 3


def read(plan: Plan) -> list[str]:
    """The paths that Promtail reads."""
    jobs = document(plan, "promtail", "promtail.yml")["scrape_configs"][1:]
    return [job["static_configs"][0]["labels"]["__path__"] for job in jobs]


def test_files_have_the_fields_of_who_writes_them(tmp_path: Path) -> None:
    """Lines of a file are read as the lines of its writers."""
    log = {"path": "/var/log/shop/*.log", "job": "shop", "labelFields": ["level", "zone"], "writtenBy": ["api"]}
    system = {"hostLogs": [log], "services.api.logs": {"fields": ["msg", "tenant_id"]}}
    made = config(tmp_path, system)["scrape_configs"][1]["pipeline_stages"]
    stages = next(stage["match"]["stages"] for stage in made if "match" in stage)
    assert set(stages[-2]["labels"]) == {"level", "zone"} and "tenant_id" in stages[-1]["structured_metadata"]


def test_traces_are_joined_before_anything_else(tmp_path: Path) -> None:
    """Lines of a service and of files are joined by the first stage; fields are read from the whole entry."""
    log = {"path": "/var/log/shop/*.log", "job": "shop", "format": "text", "multiline": {"maxWait": "1s"}}
    made = config(tmp_path, {"hostLogs": [log], "services.api.logs": {"multiline": {}}})["scrape_configs"]
    (service, file) = (job["pipeline_stages"][0]["match"] for job in made)
    assert service["selector"].startswith('{service=~"api"} !~') and file["selector"] == '{job=~".+"}'
    assert [job["stages"][0]["multiline"]["max_wait_time"] for job in (service, file)] == ["3s", "1s"]


def test_files_can_be_left_out(tmp_path: Path) -> None:
    """Promtail has one pattern for all of them, in which braces are alternatives."""
    log = {"path": "/var/log/a/*", "job": "a", "exclude": ["/var/log/a/*.gz", "/var/log/a/debug.log"]}
    (target,) = config(tmp_path, {"hostLogs": [log]})["scrape_configs"][1]["static_configs"]
    assert target["labels"]["__path_exclude__"] == "{/host/var/log/a/*.gz,/host/var/log/a/debug.log}"


def test_containers_can_be_chosen_by_label(tmp_path: Path) -> None:
    """Every container is collected, or those with the wanted labels alone."""
    (everything,) = document(plan_shop(tmp_path / "a"), "promtail", "promtail.yml")["scrape_configs"][0][
        "docker_sd_configs"
    ]
    assert "filters" not in everything
    settings = {"promtail": '{"containerLabels": ["team=shop", "logs"]}'}
    plan = plan_shop(tmp_path / "b", settings=settings)
    (chosen,) = document(plan, "promtail", "promtail.yml")["scrape_configs"][0]["docker_sd_configs"]
    assert chosen["filters"] == [{"name": "label", "values": ["team=shop", "logs"]}]

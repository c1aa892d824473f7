"""The collector's document: no line is lost between a file and Loki, and labels are those of Promtail."""

from __future__ import annotations

import re
from pathlib import Path

from components.collector.documents import FIRST
from components.otelcol import DATA_DIR
from tests.components.collector.plans import CHOSEN, config, plan_collector
from tests.support.planned import document
from tests.support.systems import plan_cluster


def test_files_wait_while_loki_is_away(tmp_path: Path) -> None:
    """What was read is on disk before its place in the file is; a full queue stops reading, and nothing is given up."""
    made = config(tmp_path, {"hostLogs": [{"path": "/var/log/a.log", "job": "a"}]})
    (exporter,) = made["exporters"].values()
    queue = exporter["sending_queue"]
    assert queue["storage"] == "file_storage" and queue["block_on_overflow"] is True
    assert exporter["retry_on_failure"]["max_elapsed_time"] == 0
    assert made["extensions"]["file_storage"]["directory"] == DATA_DIR
    for receiver in made["receivers"].values():
        assert receiver["storage"] == "file_storage" and receiver["start_at"] == "beginning"
        assert receiver["retry_on_failure"] == {"enabled": True, "max_elapsed_time": 0}


def test_each_receiver_has_a_pipeline(tmp_path: Path) -> None:
    """Several entries may have one job; each is read in its own way, and all go the same way then."""
    logs = [{"path": f"/var/log/{name}.log", "job": "shop"} for name in "ab"]
    made = config(tmp_path, {"hostLogs": logs})
    assert set(made["service"]["pipelines"]) == {"logs/containerlogs", "logs/shop", "logs/shop.2"}
    for name, pipeline in made["service"]["pipelines"].items():
        own = f"transform/{name.removeprefix('logs/')}"
        assert pipeline["processors"] == ["memory_limiter", own, "transform/stream", "filter/old", "groupbyattrs"]


def test_rotated_files_are_read_to_their_end(tmp_path: Path) -> None:
    """Docker renames a file that is full; compressed ones were read before."""
    reader = config(tmp_path)["receivers"]["file_log/containerlogs"]
    assert reader["include"] == ["/links/*/*-json.log*"] and reader["exclude"] == ["/links/*/*.gz"]


def test_files_of_pods_are_called_as_kubelets_do(tmp_path: Path) -> None:
    """Whatever is known of a line stands in the path that it is read by; what was rotated is the same stream."""
    plan = plan_cluster(tmp_path, settings=CHOSEN)
    reader = document(plan, "collector", "collector.yaml")["receivers"]["file_log/containerlogs"]
    assert reader["include"] == ["/links/*/*/*.log*"] and "/links/*/*/*.gz" in reader["exclude"]
    (owner,) = [each for each in reader["operators"] if each.get("parse_to") == "resource"]
    expression = owner["regex"].replace("$$", "$")
    found = re.match(expression, "/links/shop_api-1_u-1/orders,api,main,0a1b/0.log.20260101-000000")
    assert found and found.groupdict() == {
        "folder": "shop_api-1_u-1", "namespace": "shop", "pod": "api-1", "service": "orders", "app": "api",
        "container": "main", "file": "0.log",
    }  # fmt: skip
    assert {"namespace", "pod", "container", "app", "stream", "filename"} <= set(FIRST)


def test_a_label_without_a_value_is_none(tmp_path: Path) -> None:
    """A pod without a label `app` has links with an empty part, and lines without that label."""
    (first, _) = config(tmp_path)["processors"]["transform/stream"]["log_statements"]
    (app,) = [each for each in first["statements"] if each.startswith('set(resource.attributes["app"]')]
    assert app.endswith('resource.cache["own"]["app"] != ""')


def test_files_of_the_host_are_those_of_promtail(tmp_path: Path) -> None:
    """The same globs, left out files and labels."""
    log = {"path": "/var/log/a/*", "job": "a", "exclude": ["/var/log/a/*.gz"], "labels": {"team": "x"}}
    reader = config(tmp_path, {"hostLogs": [log]})["receivers"]["file_log/a"]
    assert reader["include"] == ["/host/var/log/a/*"] and reader["exclude"] == ["/host/var/log/a/*.gz"]
    assert reader["resource"] == {"job": "a", "service": "a", "team": "x"}


def test_the_service_is_the_first_label(tmp_path: Path) -> None:
    """Loki calls a stream by the first of its attributes that may be a name, and by `service` where Promtail sends."""
    (first, _) = config(tmp_path)["processors"]["transform/stream"]["log_statements"]
    names = [each.split('attributes["')[1].split('"')[0] for each in first["statements"][2:]]
    assert names[0] == FIRST[0] == "service" and {"stack", "environment"} <= set(names)


def test_memory_is_bounded_below_the_limit(tmp_path: Path) -> None:
    """Files are read no further before the kernel would end the process."""
    plan = plan_collector(tmp_path, collector={"memory": "512MiB"})
    made = document(plan, "collector", "collector.yaml")["processors"]["memory_limiter"]
    assert made["limit_mib"] == 409 and made["spike_limit_mib"] < made["limit_mib"]

"""Loki: retention that is applied, limits that change in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.errors import ConfigError
from model.plan import Plan
from model.workload import Workload
from targets.docker.check import check
from tests.components.loki.plans import KEY, S3, scaled
from tests.support.planned import document, explained, job, scraped_as, text, workload
from tests.support.systems import plan_cluster, plan_shop


def test_it_watches_itself(tmp_path: Path) -> None:
    """Loki is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "loki")
    explained(plan, "loki")


def parts(plan: Plan) -> dict[str, Workload]:
    """Loki's workloads by name."""
    return {item.name: item for item in plan.workloads["loki"]}


def test_one_process_may_use_a_bucket(tmp_path: Path) -> None:
    """On Docker too: chunks, index, rules and requests to delete go there; what is not in it yet is on the volume."""
    plan = plan_shop(tmp_path, settings={"loki": json.dumps({"storage": {"s3": S3}}), **KEY})
    config = document(plan, "loki", "loki.yaml")
    assert config["common"]["storage"] == {
        "s3": {
            "bucketnames": "lines",
            "region": "us-east-1",
            "endpoint": "minio.internal:9000",
            "insecure": True,
            "s3forcepathstyle": True,
        }
    }
    assert config["schema_config"]["configs"][0]["object_store"] == config["compactor"]["delete_request_store"] == "s3"
    assert workload(plan, "loki").volumes and check(plan.list_workloads()) == []


def test_the_secret_key_is_only_in_its_file(tmp_path: Path) -> None:
    """Documents, arguments and variables name neither half of the access key."""
    plan = scaled(tmp_path)
    for part in parts(plan).values():
        assert [secret.secret for secret in part.secrets] == ["loki-s3-secret-key"]
        assert part.config is not None
        assert "KEY" not in str([part.args, dict(part.env), dict(part.config.files)])


def test_a_certificate_of_the_servers_own_is_delivered(tmp_path: Path) -> None:
    """Who signed it is a document that is read at start, at the path that loki.yaml names."""
    text = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    section = {"storage": {"s3": {"bucket": "lines", "endpoint": "s3", "caCertificate": text}}}
    plan = plan_shop(tmp_path, settings={"loki": json.dumps(section)})
    config = workload(plan, "loki").config
    assert config is not None and config.files["ca.pem"] == text and "ca.pem" in config.restart_on
    s3 = document(plan, "loki", "loki.yaml")["common"]["storage"]["s3"]
    assert s3["http_config"] == {"ca_file": f"{config.path}/ca.pem"}


def test_parts_are_of_one_image_with_targets_of_their_own(tmp_path: Path) -> None:
    """What writes and what reads the index has a volume on each instance; what answers queries keeps nothing."""
    found = parts(scaled(tmp_path, replicas={"write": 4, "read": 1}))
    assert {name: (part.args[-1], part.replicas, len(part.volumes)) for name, part in found.items()} == {
        "loki-backend": ("-target=backend", 2, 1),
        "loki-write": ("-target=write", 4, 1),
        "loki-read": ("-target=read", 1, 0),
    }
    assert len({str(part.config) for part in found.values()}) == 1
    assert {port.number for port in found["loki-write"].ports} == {3100, 9095, 7946}


def test_more_instances_restart_nothing(tmp_path: Path) -> None:
    """Parts find each other by names that stand for all instances, so scaling leaves the documents alone."""
    few, many = (scaled(tmp_path / str(count), replicas={"write": count, "backend": count}) for count in (3, 6))
    assert text(few, "loki-write", "loki.yaml") == text(many, "loki-write", "loki.yaml")
    gossip = document(few, "loki-write", "loki.yaml")["memberlist"]["join_members"]
    assert gossip == [f"dns+loki-{part}-pods.monitoring-dev.svc:7946" for part in ("write", "backend")]


def test_everyone_asks_the_right_part(tmp_path: Path) -> None:
    """Lines go to what writes, queries to what reads, rules to the rest; deletion is not for people."""
    plan = scaled(tmp_path)
    (client,) = document(plan, "promtail", "promtail.yml")["clients"]
    assert client["url"] == "http://loki-write.monitoring-dev.svc:3100/loki/api/v1/push"
    assert "loki-write" in workload(plan, "promtail").after
    (source,) = [source for source in plan.telemetry.datasources if source.kind == "loki"]
    assert source.url == "http://loki-read.monitoring-dev.svc:3100"
    routes = {route.prefix: route.url.split(".")[0] for route in plan.telemetry.routes if "loki" in route.name}
    assert routes == {
        "/loki": "http://loki-read",
        "/loki/api/v1/push": "http://loki-write",
        "/loki/api/v1/rules": "http://loki-backend",
    }


def test_every_part_is_scraped(tmp_path: Path) -> None:
    """Each under its own name: several instances by discovery, a single one by its address."""
    plan = scaled(tmp_path, replicas={"read": 1})
    assert job(plan, "loki-read").targets[0].address == "loki-read.monitoring-dev.svc:3100"
    for name in ("loki-write", "loki-backend"):
        found = job(plan, name).discovery
        assert found is not None and found.labels["service"] == name


def test_instances_that_are_alike_share_lines(tmp_path: Path) -> None:
    """Each does everything, has a volume for what is not in the bucket yet, and finds the others by gossip alone."""
    plan = scaled(tmp_path, mode="replicated", replicas={"all": 4})
    one = workload(plan, "loki")
    assert (one.replicas, one.args[-1], [volume.name for volume in one.volumes]) == (4, "-target=all", ["loki-data"])
    assert {port.number for port in one.ports} == {3100, 9095, 7946}
    config = document(plan, "loki", "loki.yaml")
    assert config["memberlist"]["join_members"] == ["dns+loki-pods.monitoring-dev.svc:7946"]
    assert config["common"]["replication_factor"] == 3 and "storage_config" not in config
    found = job(plan, "loki").discovery
    assert found is not None and found.expected == 4
    assert not [name for name in plan.workloads["loki"] if name.name != "loki"]
    assert [route.prefix for route in plan.telemetry.routes if "loki" in route.name] == ["/loki"]


def test_a_mode_that_ends_is_told(tmp_path: Path) -> None:
    """With the one that comes after it, which needs no word."""
    (said,) = [text for text in scaled(tmp_path / "a").warnings if "Loki 4" in text]
    assert said.startswith(
        "Pulumi.dev.yaml: loki.mode: simpleScalable ends with Loki 4; replicated finds the same lines"
    )
    assert not [text for text in scaled(tmp_path / "b", mode="replicated").warnings if "Loki 4" in text]


def test_parts_need_a_cluster(tmp_path: Path) -> None:
    """Docker refuses them with place, value and remedy, beside whatever else is wrong."""
    section = json.dumps({"mode": "simpleScalable", "storage": {"s3": S3}})
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, settings={"loki": section, "unknown": "1", **KEY})
    other, said = map(str, caught.value.problems)
    assert said.startswith("Pulumi.dev.yaml: loki.mode: 'simpleScalable' needs target 'kubernetes'; on 'docker' use")
    assert "unknown key 'unknown'" in other


def test_a_request_with_records_is_no_burst(tmp_path: Path) -> None:
    """Where services send records, one request is taken at once, or it would be tried again for ever."""
    settings = {"loki": json.dumps({"ingestionRateMb": 2, "ingestionBurstSizeMb": 4})}
    plan_shop(tmp_path / "a", settings=settings)
    with pytest.raises(ConfigError, match=r"loki\.ingestionBurstSizeMb: 4: .+; use 16 at least"):
        plan_shop(tmp_path / "b", settings={**settings, "otel": '{"enabled": true}'})


def test_its_log_is_copied_before_what_is_made_of_it(tmp_path: Path) -> None:
    """Each path is one that its configuration names, below its volume."""
    plan = plan_shop(tmp_path)
    (source,) = [item for item in plan.telemetry.backups if item.workload == "loki"]
    (volume,), config = workload(plan, "loki").volumes, document(plan, "loki", "loki.yaml")
    wal, active, index = (f"{volume.path}/{path}" for path in source.order)
    assert source.volume == volume and wal == config["ingester"]["wal"]["dir"]
    assert index == config["common"]["storage"]["filesystem"]["chunks_directory"] + "/index"
    assert active == config["common"]["path_prefix"] + "/tsdb-shipper-active"


def test_a_bucket_is_not_backed_up(tmp_path: Path) -> None:
    """The lines are in it, whether Loki is one process or in parts; where they are is said."""
    for name, settings in {
        "a": {"storage": {"s3": S3}},
        "b": {"mode": "simpleScalable", "storage": {"s3": S3}},
        "c": {"mode": "replicated", "storage": {"s3": S3}},
    }.items():
        plan = plan_cluster(tmp_path / name, settings={"loki": json.dumps(settings), **KEY})
        assert not [item for item in plan.telemetry.backups if item.workload.startswith("loki")]
        assert [said for said in plan.telemetry.data_elsewhere if f"in the bucket {S3['bucket']}" in said]

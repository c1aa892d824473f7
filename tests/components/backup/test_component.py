"""Backups: off unless wanted; beside each workload with data an agent that can read it, and change nothing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from model.plan import Plan
from model.workload import HttpProbe
from stack.assemble import ConfigValue
from tests.support.planned import document, explained, job, workload
from tests.support.systems import plan_cluster, plan_shop
from tests.support.validating import BACKUP_SECRETS, BUCKET

SECRETS = {name: ConfigValue("", secret=True) for name in BACKUP_SECRETS}
S3 = {"s3": BUCKET}
DIRECTORY = {"directory": {"path": "/srv/backups"}}


def settings(destination: Mapping[str, Any], **sections: Any) -> dict[str, str | ConfigValue]:
    """Settings with backups to a destination, and other sections."""
    own = {"enabled": True, "destination": destination}
    secrets = SECRETS if "s3" in destination else {"backup-passphrase": ConfigValue("", secret=True)}
    return {"backup": json.dumps(own), **secrets, **{key: json.dumps(value) for key, value in sections.items()}}


def plan(folder: Path, destination: Mapping[str, Any] = S3, **sections: Any) -> Plan:
    """The shop with backups."""
    return plan_shop(folder, settings=settings(destination, **sections))


def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    """Without a word about it there is no agent, no secret, and nobody does anything else for it."""
    planned = plan_shop(tmp_path)
    assert "backup" not in planned.workloads and not planned.secrets.keys() & set(BACKUP_SECRETS)
    assert not [arg for arg in workload(planned, "alertmanager").args if "maintenance" in arg]
    assert not [item.name for item in planned.list_workloads() if item.accompanied]


def test_there_is_an_agent_beside_whatever_has_data(tmp_path: Path) -> None:
    """It has the user of that workload, sees its volume alone, and starts after it."""
    planned = plan(tmp_path, jaeger={"enabled": True})
    agents = {item.beside: item for item in planned.workloads["backup"]}
    assert agents.keys() == {"prometheus", "loki", "alertmanager", "grafana", "jaeger"}
    for name, agent in agents.items():
        (view,) = agent.shared_volumes
        assert (agent.name, agent.user_of, agent.after) == (f"backup-{name}", name, (name,))
        assert view.name in {volume.name for volume in workload(planned, name).volumes} and view.path == "/data"
        assert workload(planned, name).accompanied


def test_an_agent_is_hardened_and_probed(tmp_path: Path) -> None:
    """No exemption, no secret outside of files, a way out, and a scratch volume that is no data."""
    agent = workload(plan(tmp_path), "backup-loki")
    assert agent.exemptions == () and agent.env == {} and agent.egress == "anywhere" and agent.access == ()
    assert agent.probe == HttpProbe(path="/healthz", port=9877) and not any(port.publish for port in agent.ports)
    assert [(file.path, file.reread) for file in agent.secrets] == [(f"/run/secrets/{n}", True) for n in BACKUP_SECRETS]
    assert [(volume.name, volume.path, volume.retain) for volume in agent.volumes] == [
        ("backup-loki", "/scratch", False)
    ]


def test_scratch_has_room_for_a_whole_backup(tmp_path: Path) -> None:
    """A verification fetches all of it."""
    planned = plan_cluster(tmp_path, settings=settings(S3, prometheus={"retentionSize": "80GiB"}))
    (data,), (scratch,) = workload(planned, "prometheus").volumes, workload(planned, "backup-prometheus").volumes
    assert scratch.size == data.size > 80 * 2**30


def test_a_change_is_delivered_in_place(tmp_path: Path) -> None:
    """The document is read again by the process, proven by its digest, and no change of it replaces the container."""
    config = workload(plan(tmp_path), "backup-prometheus").config
    assert config is not None and config.restart_on == frozenset() and config.reload is not None
    assert (config.reload.digest_metric, config.reload.digest_file) == ("backup_document_info", "backup.json")
    assert config.validate[-3:] == ("check", "--document", "{dir}/backup.json")


def test_a_directory_is_the_only_thing_that_it_may_write_to(tmp_path: Path) -> None:
    """It is mounted from the host by a declared exception, and the agent connects to nobody."""
    planned = plan(tmp_path, DIRECTORY)
    agent = workload(planned, "backup-loki")
    assert [(m.source, m.path, m.writable) for m in agent.host_mounts] == [("/srv/backups", "/destination", True)]
    assert [item.rule for item in agent.exemptions] == ["host-mount"] and agent.egress == "stack"
    assert [text for text in planned.warnings if "'/srv/backups' is on the engine's own host" in text]


def test_each_agent_is_scraped_and_counted(tmp_path: Path) -> None:
    """Under its own name, so that TargetDown names it; one that is in no list is missed, too."""
    planned = plan(tmp_path)
    recorded = [r for group in planned.telemetry.rules for r in group.recordings if r.record == "job:targets:expected"]
    for agent in planned.workloads["backup"]:
        (target,) = job(planned, agent.name).targets
        assert (target.labels["service"], target.address) == (agent.name, f"{agent.name}:9877")
        assert agent.name in {rule.labels["job"] for rule in recorded}
    explained(planned, "backup")


def test_secrets_are_never_generated(tmp_path: Path) -> None:
    """What is missing is asked for in words: it would be lost with what it is needed for."""
    given = {key: value for key, value in settings(S3).items() if key != "backup-passphrase"}
    with pytest.raises(ConfigError, match="backup-passphrase: is required, as what backups are encrypted with"):
        plan_shop(tmp_path, settings=given)
    secrets = plan(tmp_path).secrets
    assert not any(secrets[name].generate for name in BACKUP_SECRETS) and secrets["backup-passphrase"].permanent


def test_a_directory_needs_a_host(tmp_path: Path) -> None:
    """On a cluster it is refused, as pods have none that stays; and an engine that maps users gives it other ones."""
    with pytest.raises(ConfigError, match=r"backup\.destination\.directory: is a directory of a Docker host"):
        plan_cluster(tmp_path, settings=settings(DIRECTORY))
    with pytest.raises(ConfigError, match=r"backup\.destination\.directory: .*userns-remap"):
        plan(tmp_path, DIRECTORY, docker={"userNamespaces": True})


@pytest.mark.parametrize(("endpoint", "said"), [("http://s3:9000", True), ("https://s3.example.com", False)])
def test_a_destination_without_tls_is_said(tmp_path: Path, endpoint: str, said: bool) -> None:
    """Backups are encrypted before, but whoever is on the way can take them away."""
    planned = plan(tmp_path, {"s3": {**BUCKET, "endpoint": endpoint}})
    assert bool([text for text in planned.warnings if "asked without TLS" in text]) == said


def test_a_stack_without_data_needs_no_backups(tmp_path: Path) -> None:
    """Switched on for nothing it is refused."""
    off = {"enabled": False}
    given = settings(S3, loki=off, grafana=off, promtail=off, prometheus={"mode": "operator"})
    with pytest.raises(ConfigError, match=r"backup\.enabled: true, but no part of this stack has data of its own"):
        plan_cluster(tmp_path, settings=given)


def test_what_is_not_backed_up_is_said(tmp_path: Path) -> None:
    """A bucket, a database elsewhere, an operator's instances: where the data is, and what to do about it."""
    database = {"type": "postgres", "host": "db.example.com:5432"}
    bucket = {"mode": "single", "storage": {"s3": {"bucket": "lines", "region": "eu-west-1"}}}
    secret = {"grafana-database-password": ConfigValue("", secret=True)}
    given = settings(
        S3, loki=bucket, grafana={"database": database}, prometheus={"mode": "operator"}, jaeger={"enabled": True}
    )
    planned = plan_cluster(tmp_path, settings={**given, **secret})
    assert [agent.beside for agent in planned.workloads["backup"]] == ["jaeger"]
    said = [text for text in planned.warnings if "backup.enabled: true, but" in text]
    assert len(said) == 3
    for words in ("lines are in the bucket lines", "database at db.example.com:5432", "operator runs in namespace"):
        assert [text for text in said if words in text]


def test_several_instances_have_one_backup(tmp_path: Path) -> None:
    """They have the same data; which one is copied is said."""
    planned = plan_cluster(tmp_path, settings=settings(S3, prometheus={"replicas": 2}))
    assert [text for text in planned.warnings if "of 2 instances of prometheus" in text]
    assert [agent.beside for agent in planned.workloads["backup"]].count("prometheus") == 1


def test_silences_are_written_each_minute(tmp_path: Path) -> None:
    """Alertmanager has them in memory for a quarter of an hour otherwise, and a backup would not have them."""
    assert "--data.maintenance-interval=1m" in workload(plan(tmp_path), "alertmanager").args


def test_the_document_is_that_of_its_volume(tmp_path: Path) -> None:
    """Each agent has the order and the exceptions of whom it stands beside."""
    planned = plan(tmp_path)
    written = document(planned, "backup-prometheus", "backup.json")
    assert (written["workload"], written["volume"]) == ("prometheus", "prometheus-data")
    assert written["order"] == ["wal", "wbl", "chunks_head"] and "queries.active" in written["exclude"]
    assert document(planned, "backup-grafana", "backup.json")["sqlite"] == ["grafana.db"]

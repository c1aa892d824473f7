"""Values of secrets reach secret files and Secrets alone: every secret of plans in which everything is switched on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest import mock

import pulumi
import pytest

from model.plan import Plan
from stack.stack import MonitoringStack
from tests.support.deployed import Untouched, as_text, planned
from tests.support.every_key import ENVIRONMENTS, SYSTEM
from tests.support.mocks import RecordedResource, run_program
from tests.support.tiers import leave_all_but

LOGINS = {"registryLogins": [{"address": "r.example.com", "username": "u", "passwordSecret": "pull"}]}
S3 = {"endpoint": "s3.example.com:9000", "bucket": "lines", "accessKeyId": "KEY"}
TRACKED = {
    "loki": {"storage": {"s3": S3}},
    "grafana": {"database": {"type": "postgres", "host": "db.example.com:5432"}},
}
PLANS: Mapping[str, Mapping[str, Any]] = {
    **ENVIRONMENTS,
    "docker-stores": {**ENVIRONMENTS["docker"], **TRACKED, "docker": LOGINS},
}


def canary(name: str) -> str:
    """The value of a secret."""
    return f"canary-of-{name}-end"


def registered(plan: Plan) -> list[RecordedResource]:
    """All that is registered with Pulumi when every secret is given."""

    def program() -> object:
        given = {
            name: pulumi.Output.secret(canary(name)) for name, secret in plan.secrets.items() if secret.made is None
        }
        return MonitoringStack("dev", plan, given).ready

    with mock.patch("targets.kubernetes.register.Cluster", Untouched):
        return run_program(program)


def carries_secrets(resource: RecordedResource, key: str) -> bool:
    """Whether this input is a place for secrets: encrypted in the state, and in the platform a secret file or Secret.

    The keepers of a random value are in the state alone.
    """
    kind = resource.type.rpartition(":")[2]
    if kind == "Container":
        return key == "uploads" and resource.name.endswith("-secrets")
    return (kind, key) in {("Secret", "stringData"), ("RandomId", "keepers"), ("docker", "registryAuth")}


@pytest.fixture(scope="module", params=leave_all_but(("docker", "kubernetes"), PLANS))
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with everything that is possible beside each other."""
    return planned(tmp_path_factory.mktemp("canary"), PLANS[request.param], SYSTEM)


@pytest.fixture(scope="module")
def resources(plan: Plan) -> list[RecordedResource]:
    """What the plan registers."""
    return registered(plan)


def test_values_are_in_their_files_alone(resources: list[RecordedResource]) -> None:
    """No argument, variable, label, document, probe or name has one, and each place that has one is marked secret."""
    for resource in resources:
        for key, value in resource.inputs.items():
            if "canary-of-" not in json.dumps(value):
                continue
            assert carries_secrets(resource, key), (resource.type, resource.name, key)
            assert any(path.startswith(key) for path in resource.secrets), (resource.name, key)


def test_every_secret_that_is_read_arrives(plan: Plan, resources: list[RecordedResource]) -> None:
    """The test above would see nothing if nothing arrived: each reader's secret is in one of the places."""
    carried = json.dumps([resource.inputs for resource in resources])
    wanted = {file.secret for workload in plan.list_workloads() for file in workload.secrets}
    wanted = {name for name in wanted if plan.secrets[name].made is None}
    assert wanted and not [name for name in wanted if canary(name) not in carried]


def test_what_is_made_of_secrets_is_in_their_files_alone(resources: list[RecordedResource]) -> None:
    """Hashes of passwords and the key of the stack's own authority are as secret as what they are made of."""
    for resource in resources:
        for key, value in resource.inputs.items():
            text = json.dumps(value)
            if "PRIVATE KEY" in text or "$2b$" in text:
                assert carries_secrets(resource, key), (resource.type, resource.name, key)


def test_the_plan_has_no_place_for_values(plan: Plan) -> None:
    """Planned data has names of secrets and never reads a value, so that render, golden and previews have none."""
    assert "canary-of-" not in as_text(plan)
    assert plan.secrets

"""Everything of a workload as plain data, and how it is written for people."""

from __future__ import annotations

import json
from dataclasses import replace

from model.settings import DockerSettings
from targets.docker import manifests
from targets.docker.shared import Scope
from tests.support.workloads import IMAGES, PLAIN, SERVER

SCOPE = Scope(stack="dev", settings=DockerSettings(), images=IMAGES)


def test_a_workload_brings_only_what_it_needs() -> None:
    """One that has neither documents nor secrets nor data is one container."""
    made = manifests.build_workload_objects(SCOPE, PLAIN)
    assert made["volumes"] == [] and [item["name"] for item in made["containers"]] == ["dev-plain"]


def test_everything_is_listed_in_the_order_of_its_making() -> None:
    """Data volumes come first, each with whether it stays; then secrets, documents and the process."""
    made = manifests.build_workload_objects(SCOPE, SERVER)
    assert [(item["name"], item["retain"]) for item in made["volumes"]] == [
        ("dev-server-data", True), ("dev-cache", False), ("dev-server-secrets", False), ("dev-server-config", False),
    ]  # fmt: skip
    assert [item["name"] for item in made["containers"]] == ["dev-server-secrets", "dev-server-configure", "dev-server"]


def test_documents_are_described_by_name() -> None:
    """Another text of a document changes nothing of the description, another document does."""
    assert SERVER.config is not None

    def described(files: dict[str, str]) -> str:
        assert SERVER.config is not None
        workload = replace(SERVER, config=replace(SERVER.config, files=files))
        return json.dumps(manifests.describe_objects(manifests.build_workload_objects(SCOPE, workload), workload))

    before = described({"server.yml": "a: 1"})
    assert '"documents": ["server.yml"]' in before and "a: 1" not in before
    assert described({"server.yml": "a: 2"}) == before
    assert described({"server.yml": "a: 1", "more.yml": ""}) != before


def test_what_all_share_is_said_once() -> None:
    """The network, and the volume and container of the probes' client, belong to the stack."""
    made = manifests.build_stack_objects(SCOPE)
    assert [[item["name"] for item in items] for items in made.values()] == [
        ["dev-monitoring"],
        ["dev-tools"],
        ["dev-tools"],
    ]

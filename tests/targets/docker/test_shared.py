"""Names on an engine, and texts that are known only while deploying."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.naming import derive_user_id
from model.settings import DockerSettings
from model.workload import Exemption
from targets.docker.delivery import build_configure
from targets.docker.shared import (
    Late,
    Scope,
    build_address,
    build_mount,
    drop_absent,
    find_network_suffix,
    format_inputs,
)
from tests.support.workloads import AGENT, IMAGES, SERVER


@pytest.mark.parametrize(
    ("late", "text"),
    [
        (Late("volume", "dev-tools"), "dev-tools"),
        (Late("network", "dev-monitoring"), "dev-monitoring"),
        (Late("image", "busybox"), "${image busybox}"),
        (Late("secret", "password", "user:{}"), "user:${secret password}"),
    ],
)
def test_a_late_text_says_what_it_will_be(late: Late, text: str) -> None:
    """Names are known before; of any other text its kind and name are shown, inside of its template."""
    assert str(late) == text and format_inputs({"a": [late, 1]}) == {"a": [text, 1]}


def test_a_late_text_is_filled_everywhere() -> None:
    """Each place of the template gets the value."""
    assert Late("mark", "secrets", "{}-x-{}").fill("1") == "1-x-1"


def test_names_have_the_network_only_beside_others() -> None:
    """A stack that joins networks of others says in its addresses which one is meant."""
    joined = DockerSettings.model_validate({"externalNetworks": ("n",)})
    assert build_address("loki", 3100, find_network_suffix("dev", joined)) == "loki.dev-monitoring:3100"
    assert build_address("loki", 3100, find_network_suffix("dev", DockerSettings())) == "loki:3100"


def test_a_mirror_is_part_of_a_reference() -> None:
    """Images are pulled from the mirror that the settings name."""
    scope = Scope(stack="dev", settings=DockerSettings.model_validate({"registryMirror": "m:5000"}), images=IMAGES)
    assert scope.build_reference("server") == "m:5000/example/server:v1"


def test_files_belong_to_who_reads_them() -> None:
    """A root without capabilities has no right to another user's files, so what it has is its own."""
    scope = Scope(stack="dev", settings=DockerSettings(), images=IMAGES)
    root = replace(AGENT, exemptions=(Exemption(rule="root-user", reason="reads files of root"),))
    assert scope.find_owner(root) == 0
    assert scope.find_owner(SERVER) == derive_user_id("dev", SERVER.name) >= 20000
    described = format_inputs(build_configure(scope, root))
    assert "OWNER=0" in described["envs"] and described["user"] == "0:0"


def test_absent_inputs_are_left_out() -> None:
    """What is None is not asked of an engine; what is false or empty is."""
    assert drop_absent({"a": None, "b": False, "c": []}) == {"b": False, "c": []}
    assert build_mount("v", "/p") == {"volume_name": "v", "container_path": "/p", "read_only": True}

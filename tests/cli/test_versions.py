"""Which versions are deployed, as a stack's state has them, and which the checkout has."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import versions
from cli.versions import Upgrade, list_upgrades, read_deployed
from model.images import Image, UpgradeNote
from model.plan import Plan
from tests.support.systems import plan_shop

NOTE = UpgradeNote(
    version="13", summary="Folders [move].", steps=("Try it.",), reversible=False, source="https://g.example"
)


def remote(reference: str) -> dict[str, Any]:
    """An image in the state of a stack on an engine."""
    return {"type": "docker:index/remoteImage:RemoteImage", "inputs": {"name": reference}}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    """What `pulumi stack export` gives."""
    return {"deployment": {"resources": [{"type": "pulumi:pulumi:Stack"}, *resources]}}


def plan(folder: Path, **tags: str) -> Plan:
    """The shop, with images of these tags held."""
    return plan_shop(folder, {}, {"demo": "false"} | ({"versions": str(tags).replace("'", '"')} if tags else {}))


def test_versions_of_an_engine(tmp_path: Path) -> None:
    """By the names of the images, wherever they were pulled from; what is no image of ours is nobody's."""
    document = state(remote("127.0.0.1:5000/grafana/loki:3.7.7"), remote("prom/prometheus:v3.14.0"), remote("own/x:1"))
    assert read_deployed(document, plan(tmp_path).images) == {"loki": "3.7.7", "prometheus": "v3.14.0"}
    assert read_deployed({}, plan(tmp_path).images) == read_deployed(state(), plan(tmp_path).images) == {}


def test_versions_of_a_cluster(tmp_path: Path) -> None:
    """In pods' templates at any depth, those that prepare a pod as well."""
    containers = {
        "initContainers": [{"image": "busybox:1.34"}],
        "containers": [{"image": "grafana/loki:3.7.7", "env": []}],
    }
    spec = {"spec": {"template": {"spec": containers}}}
    document = state({"type": "kubernetes:apps/v1:StatefulSet", "inputs": spec}, {"type": "kubernetes:core/v1:Service"})
    assert read_deployed(document, plan(tmp_path).images) == {"busybox": "1.34", "loki": "3.7.7"}


def test_of_two_versions_the_older_counts(tmp_path: Path) -> None:
    """A run that was killed between them leaves both; the older one may still have written what is there."""
    document = state(remote("grafana/loki:3.10.0"), remote("grafana/loki:3.9.0"))
    assert read_deployed(document, plan(tmp_path).images) == {"loki": "3.9.0"}


def test_what_has_no_data_comes_first(tmp_path: Path) -> None:
    """Then what has some, and last what does not come back; what is up to date, or not run here, is not there."""
    made = plan(tmp_path)
    images = {**made.images, "grafana": made.images["grafana"].model_copy(update={"tag": "13.1", "upgrades": (NOTE,)})}
    deployed = {
        "grafana": "12.4.2", "loki": "3.7.7", "node-exporter": "v1.0.0", "jaeger": "1",
        "traefik": images["traefik"].tag, "busybox": "1.34",
    }  # fmt: skip
    upgrades = list_upgrades(made, images, deployed)
    assert [each.name for each in upgrades] == ["busybox", "node-exporter", "loki", "grafana"]
    assert [each.stores for each in upgrades] == [(), (), ("loki",), ("grafana",)]
    assert upgrades[3].notes == (NOTE,) and not upgrades[3].reversible and upgrades[2].reversible


@pytest.mark.parametrize(("before", "after", "back"), [("3.10.0", "3.9.0", True), ("3.9.0", "3.10.0", False)])
def test_a_way_back_is_seen(before: str, after: str, *, back: bool) -> None:
    """By numbers, not by letters."""
    assert Upgrade(name="loki", before=before, after=after).back is back


def test_people_read_what_to_know() -> None:
    """Image, versions, whose data; each note with its steps and source, and that there is no way back."""
    shown = io.StringIO()
    upgrades = [
        Upgrade(name="grafana", before="12.4.2", after="13.1", stores=("grafana",), notes=(NOTE,)),
        Upgrade(name="haproxy", before="2.6", after="2.8"),
    ]
    versions.print_upgrades("dev", upgrades, Console(file=shown, width=120))
    text = shown.getvalue()
    for words in (
        "grafana   12.4.2   13.1   grafana",
        "2.8    none",
        "Folders [move]. There is no way back but a backup.",
    ):
        assert words in text.replace("│", " ").replace("  │", ""), text
    assert "   - Try it." in text and "https://g.example" in text


def test_a_shipped_note_has_a_page(tmp_path: Path) -> None:
    """Every note of configs/images.yaml says what to do."""
    notes = [note for image in plan(tmp_path).images.values() for note in image.upgrades]
    assert notes and all(note.steps and note.summary.endswith(".") for note in notes)
    assert isinstance(plan(tmp_path).images["loki"], Image)

"""The storage class: what is done for which claim."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toolchain.cluster.api import Document
from toolchain.cluster.storage import Provisioner, build_volume, parse_quantity, plan_steps


def claim(asked: str = "1Gi", held: str | None = None, klass: str = "standard", **meta: Any) -> dict[str, Any]:
    """A claim as the API gives it."""
    spec = {
        "storageClassName": klass,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": asked}},
        **({"volumeName": "pvc-1"} if held else {}),
    }
    status = {"capacity": {"storage": held}} if held else {}
    return {"metadata": {"name": "data", "namespace": "ns", "uid": "1", **meta}, "spec": spec, "status": status}


def held_volume(phase: str = "Bound", name: str = "pvc-1") -> dict[str, Any]:
    """A volume of the class."""
    return {"metadata": {"name": name}, "spec": {"storageClassName": "standard"}, "status": {"phase": phase}}


class FakeApi:
    """Keeps what is written."""

    def __init__(self, claims: list[Document], volumes: list[Document]) -> None:
        self.lists = {"/api/v1/persistentvolumeclaims": claims, "/api/v1/persistentvolumes": volumes}
        self.written: list[tuple[str, str, Mapping[str, Any]]] = []

    def list_items(self, path: str) -> list[Document]:
        """A list."""
        return self.lists[path]

    def create(self, path: str, document: Document) -> None:
        """Keep a creation."""
        self.written.append(("create", path, document))

    def patch(self, path: str, document: Document) -> None:
        """Keep a change."""
        self.written.append(("patch", path, document))

    def delete(self, path: str) -> None:
        """Keep a deletion."""
        self.written.append(("delete", path, {}))


@pytest.mark.parametrize(
    ("quantity", "bytes_"), [("1Gi", 2**30), ("1.5Gi", 3 * 2**29), ("500M", 500_000_000), ("42", 42)]
)
def test_size(quantity: str, bytes_: int) -> None:
    """Sizes are compared as bytes."""
    assert parse_quantity(quantity) == bytes_


def test_wrong_sizes_are_refused() -> None:
    """A unit that nobody knows is no size."""
    with pytest.raises(ValueError, match="is no size"):
        parse_quantity("1Qx")


@pytest.mark.parametrize(
    ("claims", "volumes", "todo"),
    [
        ([claim()], [], ["provision"]),
        ([claim()], [held_volume("Available")], []),
        ([claim(klass="fast")], [], []),
        ([claim(deletionTimestamp="now")], [], []),
        ([claim("1Gi", "1Gi")], [held_volume()], []),
        ([claim("2Gi", "1Gi")], [held_volume()], ["grow"]),
        ([claim("1Gi", "1024Mi")], [held_volume()], []),
        ([], [held_volume("Released")], ["remove"]),
    ],
)
def test_steps(claims: list[Document], volumes: list[Document], todo: list[str]) -> None:
    """Claims of the class get a volume once, grow when they ask for more, and leave nothing behind."""
    assert [step.what for step in plan_steps(claims, volumes)] == todo


def test_volume_is_bound_to_its_claim(tmp_path: Path) -> None:
    """The volume names this very claim, so that no other one of the same name can take it."""
    made = build_volume(claim(), tmp_path)
    assert made["spec"]["claimRef"]["uid"] == "1"
    assert made["spec"]["capacity"] == {"storage": "1Gi"}
    assert made["spec"]["local"]["path"] == str(tmp_path / "pvc-1")
    assert "hostPath" not in made["spec"], "the kubelet measures no such volume"


def test_provisioner_makes_and_removes_directories(tmp_path: Path) -> None:
    """A directory that any user can write is made before its volume, and is gone with it."""
    api = FakeApi([claim()], [])
    Provisioner(api, tmp_path).run_once()  # type: ignore[arg-type]
    assert (tmp_path / "pvc-1").stat().st_mode & 0o777 == 0o777
    assert [w[:2] for w in api.written] == [("create", "/api/v1/persistentvolumes")]
    api = FakeApi([], [held_volume("Released")])
    Provisioner(api, tmp_path).run_once()  # type: ignore[arg-type]
    assert not (tmp_path / "pvc-1").exists()
    assert [w[:2] for w in api.written] == [("delete", "/api/v1/persistentvolumes/pvc-1")]


def test_provisioner_grows_volume_then_claim(tmp_path: Path) -> None:
    """The claim says it is larger only once the volume is."""
    api = FakeApi([claim("2Gi", "1Gi")], [held_volume()])
    Provisioner(api, tmp_path).run_once()  # type: ignore[arg-type]
    assert [w[1] for w in api.written] == [
        "/api/v1/persistentvolumes/pvc-1",
        "/api/v1/namespaces/ns/persistentvolumeclaims/data/status",
    ]
